"""The pure parts of the provider: refusals, bodies, comparisons, the table of settings."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.changes.model.settings import restorable, show_value
from bot.changes.model.snapshots import Snapshot
from bot.changes.model.values import JSON, EditMode, ListEdit
from bot.changes.planning.builder import build
from bot.errors import BadRequest, Forbidden, ProviderError, ProviderNotFound, Unauthorised
from bot.providers.close.errors import refusal
from bot.providers.close.kinds import kinds
from bot.providers.close.rows import body, conflicts, has, values

KIND = kinds()[0]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("status", "document", "kind", "pointer", "said"),
    [
        (400, {"errors": [], "field-errors": {"label": "Too long."}}, BadRequest, "/label", "“Too long.” (at /label)"),
        (400, {"errors": ["No."], "field-errors": {}}, BadRequest, "", "“No.”"),
        (400, {"field-errors": {"participants": {"2": ["Gone."]}}}, BadRequest, "/participants/2", "“Gone.”"),
        (400, {"field-errors": {"a/b": {"~": "x"}}}, BadRequest, "/a~1b/~0", "“x”"),
        (401, {"error": "Unauthorized"}, Unauthorised, "", "does not accept Linesman's"),
        (402, {"error": "Limit reached."}, Forbidden, "", "plan at Close does not include this"),
        (403, {"error": "You need X."}, Forbidden, "", "“You need X.”"),
        (404, {"error": "Not Found"}, ProviderNotFound, "", "did not find it"),
        (400, {"error": {"message": "Odd.", "rate_reset": 3}}, BadRequest, "", "“Odd.”"),
    ],
)
def test_a_refusal_says_what_where_and_what_to_do(
    status: int, document: JSON, kind: type[ProviderError], pointer: str, said: str
) -> None:
    """The status decides the kind; the words of Close and their place are quoted."""
    error = refusal(status, document)

    assert error is not None
    assert type(error) is kind
    assert (error.status, error.code, error.pointer) == (status, str(status), pointer)
    assert said in error.message


@given(status=st.integers(400, 499), document=ANYTHING)
def test_no_body_is_too_odd(status: int, document: Any) -> None:
    """Whatever JSON a refusal carries, it becomes one sentence of a bounded length on one line."""
    error = refusal(status, {"error": document, "errors": [document], "field-errors": {"label": document}})

    assert error is not None
    assert len(error.message) < 1000
    assert error.message.isprintable()


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404])
@pytest.mark.parametrize("body", [None, [], "Not Found", {}, {"message": "Forbidden"}, {"errors": []}, {"error": ""}])
def test_a_body_that_is_not_closes_refuses_nothing(status: int, body: JSON) -> None:
    """Whatever its status, an answer in none of the documented forms may be a gateway's, and is not believed."""
    assert refusal(status, body) is None


@given(row=st.dictionaries(st.sampled_from([*KIND.by_name, "id", "brand_new"]), ANYTHING, max_size=6))
def test_no_row_is_too_odd(row: Any) -> None:
    """Fields of an unknown name are left alone, and one of another type than documented counts as not told."""
    told = values(row, KIND.by_name, KIND)

    assert told.keys() <= row.keys() & KIND.by_name.keys()
    assert all(isinstance(value, str | bool | int | tuple) or value is None for value in told.values())


def test_what_is_read_can_be_written_back_or_is_known_not_to_be() -> None:
    """A ring duration that is not set means 30 seconds, and no request can say so; undo has to tell."""
    ring, greeting, people = (
        KIND.setting(name) for name in ("inbound_ring_duration", "voicemail_greeting_url", "participants")
    )

    assert not restorable(ring, None)
    assert restorable(ring, 30)
    assert restorable(greeting, None)
    assert restorable(people, ())
    assert not restorable(KIND.setting("forward_to"), None)
    assert show_value(ring, None) == "30 s, Close's default"
    assert body({"voicemail_greeting_url": "", "participants": (), "inbound_ring_duration": 45, "label": "x"}) == {
        "voicemail_greeting_url": None,
        "participants": [],
        "inbound_ring_duration": 45,
        "label": "x",
    }


def test_what_is_not_told_is_neither_equal_nor_moved() -> None:
    """A value that Close does not tell cannot be called changed already; a list that it stops telling has moved."""
    assert not has(KIND, {}, {"label": "x"})
    assert conflicts(KIND, {}, {}, {"label": "x"}) == []
    assert conflicts(KIND, {}, {"participants": ()}, {"participants": ("user_a",)}) == ["participants"]
    assert conflicts(KIND, {"label": "y"}, {}, {"label": "x"}) == []
    assert conflicts(KIND, {"label": "y"}, {"label": "z"}, {"label": "x"}) == ["label"]
    assert conflicts(KIND, {"label": "x"}, {"label": "z"}, {"label": "x"}) == []
    before, wanted = {"participants": ("b", "a")}, {"participants": ("a", "b", "c")}
    assert conflicts(KIND, {"participants": ("a", "b")}, before, wanted) == []


def test_a_plan_keeps_apart_what_is_absent_and_what_is_not_set() -> None:
    """What was not told is not in the values before; clearing it is sent, as nobody knows that it is clear."""
    told = Snapshot(id="phon_a", e164="+13035550100", values={"voicemail_greeting_url": None})
    silent = Snapshot(id="phon_b", e164="+13035550101", values={})

    plan = build(KIND, {"voicemail_greeting_url": ""}, [told, silent])

    assert [(dict(number.before), dict(number.after), number.batch) for number in plan.numbers] == [
        ({"voicemail_greeting_url": None}, {}, None),
        ({}, {"voicemail_greeting_url": ""}, 1),
    ]


def test_lists_are_worked_out_for_each_number() -> None:
    """Adding a person gives every number its own whole list; equal results share a batch."""
    rows = [("a", ("user_1",)), ("b", ("user_2",)), ("c", ("user_1",)), ("d", ("user_1", "user_9"))]
    snapshots = [
        Snapshot(id=f"phon_{name}", e164=f"+130355501{index:02}", values={"participants": people})
        for index, (name, people) in enumerate(rows)
    ]

    plan = build(KIND, {"participants": ListEdit(EditMode.ADD, ("user_9",))}, snapshots)

    assert [number.after.get("participants") for number in plan.numbers] == [
        ("user_1", "user_9"),
        ("user_2", "user_9"),
        ("user_1", "user_9"),
        None,
    ]
    assert [number.batch for number in plan.numbers] == [1, 2, 1, None]


def test_too_many_groups_are_refused_in_the_form() -> None:
    """Close takes forty."""
    assert KIND.rule({"participant_groups": tuple(map(str, range(41)))}).keys() == {"participant_groups"}
    assert KIND.rule({"participant_groups": tuple(map(str, range(40)))}) == {}
