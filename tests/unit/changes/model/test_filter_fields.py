"""Reading the filters that people make, and showing them again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.changes.model.filter_fields import (
    Condition,
    Typed,
    conditions_from_json,
    conditions_to_json,
    read_filter,
    show_condition,
)
from bot.changes.model.kinds import Kind
from bot.changes.model.settings import Shape
from bot.changes.model.values import Value
from bot.errors import InputError

NAME = "voice.connection_name"
#: With a blank that does not break and a picture that is joined of two.
FIREWOMAN = "A\u00a01 \U0001f469\u200d\U0001f692"
UNSEEN = "Customer reference has a line break or a character that nobody sees"


@pytest.mark.parametrize(
    ("key", "typed", "operator", "value"),
    [
        pytest.param("tag", " vip ", "", " vip ", id="picked-as-it-is"),
        pytest.param("tag", "vip\u00a0gold", "", "vip\u00a0gold", id="picked-with-a-blank-of-its-own"),
        pytest.param("customer_reference", " MY REF ", "", "MY REF", id="trimmed"),
        pytest.param(
            "customer_reference",
            "A\u00a01 \U0001f469\u200d\U0001f692",
            "",
            "A\u00a01 \U0001f469\u200d\U0001f692",
            id="as-typed",
        ),
        pytest.param("tag", "null", "", "null", id="a-tag-called-null"),
        pytest.param("connection_id", "1293384261075731499", "", "1293384261075731499", id="lookup"),
        pytest.param("phone_number", "+1 (303) 555", "", "1303555", id="digits-of-a-number"),
        pytest.param("phone_number", "303", "", "303", id="three-digits"),
        pytest.param("status", "Port Pending", "", "port-pending", id="choice-by-label"),
        pytest.param("status", "ACTIVE", "", "active", id="choice-by-value"),
        pytest.param("billing_group_id", "null", "", None, id="none"),
        pytest.param("emergency_address_id", "None", "", None, id="none-in-a-word"),
        pytest.param("customer_reference", "MY  REF 001", "", "MY  REF 001", id="inner-spaces-kept"),
        pytest.param(NAME, "PB", "eq", "PB", id="equal-is-meant-and-may-be-short"),
        pytest.param(f"{NAME}[eq]", "PB", "eq", "PB", id="equal"),
        pytest.param(f"{NAME}[contains]", "PBX", "contains", "PBX", id="contains"),
        pytest.param(f"{NAME}[starts_with]", "Den", "starts_with", "Den", id="starts"),
        pytest.param(f"{NAME}[ends_with]", "PBX", "ends_with", "PBX", id="ends"),
        pytest.param("voice.usage_payment_method", "channels", "", "channel", id="payment"),
        pytest.param("country_iso_alpha2", "us", "", ("US",), id="one-country"),
        pytest.param("country_iso_alpha2", "US, ca;us", "", ("US", "CA"), id="countries-typed"),
        pytest.param("country_iso_alpha2", ["US", "CA"], "", ("US", "CA"), id="countries-chosen"),
        pytest.param("number_type", "toll-free", "", "toll_free", id="type"),
        pytest.param("source", "ported", "", "ported", id="source"),
        pytest.param("without_tags", True, "", True, id="switch"),
        pytest.param("without_tags", "yes", "", True, id="switch-typed"),
        pytest.param("has_bundle", True, "", True, id="switch-that-no-list-takes"),
    ],
)
def test_a_typed_filter_is_read(settings_kind: Kind, key: str, typed: Typed, operator: str, value: Value) -> None:
    """What a person gives for one field becomes the condition that they meant."""
    assert read_filter(settings_kind, {key: typed}) == (Condition(key.partition("[")[0], operator, value),)


@pytest.mark.parametrize("blank", ["", "  \n", None, [], ["", " "]])
def test_blank_asks_for_nothing(settings_kind: Kind, blank: Typed) -> None:
    """A field that was left empty makes no condition."""
    typed = {"customer_reference": blank, "status": "active"}

    assert read_filter(settings_kind, typed) == (Condition("status", "", "active"),)


@pytest.mark.parametrize(
    ("key", "typed", "problem"),
    [
        ("phone_number", "30", "Phone number needs at least 3 digits; this has 2."),
        ("phone_number", "+ () -", "Phone number needs at least 3 digits; this has 0."),
        ("phone_number", "303-CALL", "Phone number may hold only digits."),
        ("phone_number", "\uff13\uff10\uff13", "Phone number may hold only digits."),
        (f"{NAME}[contains]", "PB", "Connection name needs at least 3 characters; this has 2."),
        (f"{NAME}[sounds_like]", "PBX", "Connection name cannot be compared in this way; choose another."),
        ("tag[contains]", "vip", "Tag cannot be compared in this way; choose another."),
        ("tag", ["vip", "east"], "Tag takes one value; 2 were given."),
        ("tag", "a\x00b", "Tag has a broken character; type it again."),
        ("customer_reference", "a\x07b", f"{UNSEEN}: “a[U+0007]b”; type it again."),
        ("customer_reference", "a\u200bb", f"{UNSEEN}: “a[U+200B]b”; type it again."),
        ("customer_reference", "a\nb", f"{UNSEEN}: “a b”; type it again."),
        ("customer_reference", "x" * 251, "Customer reference may have at most 250 characters; this has 251."),
        ("number_type", "fax", "Number type must be one of: local, national, toll_free, mobile, shared_cost."),
        ("country_iso_alpha2", "US, USA", "Country takes country codes of two letters, such as US, CA."),
        ("country_iso_alpha2", ",", "Country has separators but no value; give one, or leave it blank."),
        ("without_tags", "perhaps", "Without tags must be yes or no."),
        ("without_tags", False, "Without tags cannot be negated; leave it out instead."),
        ("shoe_size", "43", "Numbers cannot be filtered by this; remove it from the filter."),
        ("tag[]", "vip", "Numbers cannot be filtered by this; remove it from the filter."),
    ],
)
def test_what_cannot_be_meant_is_refused(settings_kind: Kind, key: str, typed: Typed, problem: str) -> None:
    """Each wrong condition is answered with a sentence under its own field."""
    with pytest.raises(InputError) as refusal:
        read_filter(settings_kind, {key: typed})

    assert list(refusal.value.problems.values()) == [problem]


def test_all_problems_come_at_once(settings_kind: Kind) -> None:
    """Nobody has to correct a filter field by field; two faults of one field stand together."""
    typed = {"phone_number": "1", "status": "asleep", f"{NAME}[contains]": "a", f"{NAME}[ends_with]": "b"}

    with pytest.raises(InputError) as refusal:
        read_filter(settings_kind, {**typed, "tag": "vip"})

    assert set(refusal.value.problems) == {"filter:phone_number", "filter:status", f"filter:{NAME}"}
    assert refusal.value.problems[f"filter:{NAME}"].count("needs at least 3 characters") == 2


def test_two_ways_to_give_one_condition_must_agree(settings_kind: Kind) -> None:
    """A condition that would be lost to another one is refused; the same one twice is one."""
    assert len(read_filter(settings_kind, {NAME: "PBX", f"{NAME}[eq]": "PBX"})) == 1

    with pytest.raises(InputError, match="given twice with different values"):
        read_filter(settings_kind, {NAME: "PBX", f"{NAME}[eq]": "Austin"})


def test_the_order_of_several_values_means_nothing(settings_kind: Kind) -> None:
    """A number has one of them, whichever is named first."""
    several = replace(next(field for field in settings_kind.filters if field.name == NAME), several=True)
    kind = replace(settings_kind, filters=(several,))

    (condition,) = read_filter(kind, {NAME: "a b", f"{NAME}[{several.operators[0]}]": "b a"})

    assert condition.value == ("a", "b")


def test_only_the_update_job_can_be_given_a_filter(settings_kind: Kind, emergency_kind: Kind) -> None:
    """Numbers can be found by the same in both kinds; ``has_bundle`` alone, and only there, may go to the job."""
    assert [field.name for field in settings_kind.filters if field.can_be_handed] == ["has_bundle"]
    assert [replace(field, can_be_handed=False) for field in settings_kind.filters] == list(emergency_kind.filters)


@pytest.mark.parametrize(
    ("key", "typed", "label", "shown"),
    [
        ("connection_id", "123", "Denver PBX", "Connection is Denver PBX (123)"),
        ("connection_id", "123", None, "Connection is 123 (name unknown)"),
        ("tag", "vip", "vip", "Tag is vip"),
        ("billing_group_id", "null", None, "Billing group: none"),
        ("phone_number", "303 555", None, "Phone number contains 303555"),
        (NAME, "PBX", None, "Connection name is PBX"),
        (f"{NAME}[starts_with]", "Denver", None, "Connection name starts with Denver"),
        ("status", "active", None, "Status is Active"),
        ("voice.usage_payment_method", "channel", None, "Usage billing is Channels"),
        ("country_iso_alpha2", "US,CA", None, "Country is US or CA"),
        ("without_tags", True, None, "Without tags: yes"),
        ("has_bundle", True, None, "Has bundle: yes"),
    ],
)
def test_a_condition_reads_like_a_sentence(
    settings_kind: Kind, key: str, typed: Typed, label: str | None, shown: str
) -> None:
    """An approver reads words and names, never an id alone."""
    (condition,) = read_filter(settings_kind, {key: typed})
    field = next(field for field in settings_kind.filters if field.name == condition.field)

    assert show_condition(field, condition, label) == shown


KEYS = st.sampled_from(
    [
        "tag",
        "connection_id",
        "phone_number",
        "status",
        "billing_group_id",
        "emergency_address_id",
        "customer_reference",
        NAME,
        *(f"{NAME}[{operator}]" for operator in ("eq", "contains", "starts_with", "ends_with", "nonsense")),
        "voice.usage_payment_method",
        "country_iso_alpha2",
        "number_type",
        "source",
        "without_tags",
        "has_bundle",
        "unheard_of",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["active", "channel", "local", "ported", "yes", "no", "null", "US, CA", "303 555", "Denver PBX"]),
)
TYPED = st.dictionaries(KEYS, st.one_of(TEXTS, st.booleans(), st.none(), st.lists(TEXTS, max_size=3)), max_size=8)


def _given(typed: Typed, *, picked: bool) -> bool:
    """Tell whether anything was given at all; of what was ``picked``, a blank is something too."""
    texts: Sequence[str] = [typed] if isinstance(typed, str) else typed if isinstance(typed, (list, tuple)) else []
    return isinstance(typed, bool) or any(text if picked else text.strip() for text in texts)


@given(typed=TYPED)
def test_no_condition_is_ever_lost(settings_kind: Kind, typed: Mapping[str, Typed]) -> None:
    """Whatever is given is a condition or a problem: one that vanished would select more numbers than were meant."""
    menus = {field.name for field in settings_kind.filters if field.shape is Shape.LOOKUP}
    fields = {key: key.partition("[")[0] for key in typed}
    names = {fields[key] for key, given_ in typed.items() if _given(given_, picked=fields[key] in menus)}
    problems: dict[str, str] = {}
    conditions: Sequence[Condition] = ()
    try:
        conditions = read_filter(settings_kind, typed)
    except InputError as refusal:
        problems = refusal.problems

    if problems:
        assert set(problems) <= {f"filter:{name}" for name in names}
        assert all(sentence.endswith(".") for sentence in problems.values())
    else:
        assert {condition.field for condition in conditions} == names


@given(typed=TYPED)
def test_conditions_survive_storage_and_can_be_shown(settings_kind: Kind, typed: Mapping[str, Typed]) -> None:
    """What is written as JSON is read back equal, satisfies its field's limits, and has words."""
    fields = {field.name: field for field in settings_kind.filters}
    try:
        conditions = read_filter(settings_kind, typed)
    except InputError:
        conditions = ()

    assert conditions_from_json(json.loads(json.dumps(conditions_to_json(conditions)))) == conditions
    for condition in conditions:
        field = fields[condition.field]
        assert show_condition(field, condition).startswith(field.label)
        assert not field.digits_only or (len(str(condition.value)) >= 3 and str(condition.value).isdecimal())
        assert condition.operator in (field.operators or ("",))
