"""From what was typed to a request, or to every problem at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.changes.input.drafts import REASON, read_draft
from bot.changes.input.targets import NUMBERS, read_target
from bot.changes.input.wanted_values import SETTINGS
from bot.changes.input.waves import CANARY
from bot.changes.model.draft import Draft
from bot.changes.model.encryption import Encryption
from bot.changes.model.kinds import Kind
from bot.errors import InputError


def is_id(text: str) -> bool:
    """Tell whether ``text`` has the form of a Telnyx id."""
    return text.isdigit() and len(text) == 19


def problems(kind: Kind, draft: Draft, *, max_numbers: int = 100) -> dict[str, str]:
    """Return the problems of ``draft``."""
    with pytest.raises(InputError) as refusal:
        read_draft(kind, draft, is_id=is_id, max_numbers=max_numbers)
    return refusal.value.problems


def test_a_good_draft_becomes_a_request(settings_kind: Kind, encryption: Encryption) -> None:
    """Numbers, ids, values, sealed secrets and the reason are all there; repeats are dropped and counted."""
    pin = encryption.seal("4711")
    draft = Draft(
        kind=settings_kind.name,
        pasted=("+13035550100, (303) 555-0101", "1293384261075731499\n+1 303 555 0100"),
        chosen=("tags", "external_pin"),
        typed={"tags": "a, b", "external_pin": pin, "customer_reference": "typed but not chosen any more"},
        reason="  Moving\n Denver ",
    )

    request = read_draft(settings_kind, draft, is_id=is_id, max_numbers=100)

    assert request.identifiers == ("+13035550100", "+13035550101", "1293384261075731499")
    assert request.wanted == {"tags": ("a", "b"), "external_pin": pin}
    assert request.reason == "Moving Denver"
    assert request.repeats == 1


def test_all_problems_come_at_once(settings_kind: Kind) -> None:
    """Each stands under its own field; nobody has to fix one to hear of the next."""
    draft = Draft(
        kind=settings_kind.name,
        pasted=("+1303555010, hello",),
        chosen=("tags", "hd_voice_enabled"),
        typed={"hd_voice_enabled": "perhaps"},
    )

    found = problems(settings_kind, draft)

    assert set(found) == {"numbers:0", "tags", "hd_voice_enabled", REASON}
    assert found["numbers:0"].startswith("2 entries cannot be read:\n• “+1303555010” ")
    assert "“hello”" in found["numbers:0"]
    assert found["tags"] == "Tags needs a value; leave it out of the settings to keep the current value."
    assert found[REASON] == "Give a reason, in a few words: the approver relies on it."


@pytest.mark.parametrize(
    ("draft", "field", "problem"),
    [
        pytest.param({"pasted": ("",)}, NUMBERS, "Paste at least one number, such as +13035550100.", id="no-numbers"),
        pytest.param(
            {"pasted": ("+13035550100 +13035550101 +13035550102",)},
            NUMBERS,
            "That is 3 numbers; one change may have at most 2. Split it into several changes.",
            id="too-many",
        ),
        pytest.param({"chosen": ()}, SETTINGS, "Choose at least one setting to change.", id="no-settings"),
        pytest.param(
            {"reason": "x" * 501}, REASON, "Keep the reason under 500 characters; this has 501.", id="long-reason"
        ),
    ],
)
def test_each_refusal_says_what_to_do(settings_kind: Kind, draft: dict, field: str, problem: str) -> None:
    """The exact words for each thing that can be wrong with a draft as a whole."""
    good = {"pasted": ("+13035550100",), "chosen": ("tags",), "typed": {"tags": "a"}, "reason": "why"}

    assert problems(settings_kind, Draft(kind=settings_kind.name, **{**good, **draft}), max_numbers=2) == {
        field: problem
    }


@pytest.mark.parametrize(("typed", "canary"), [("", 0), (" 5 ", 5), ("1,000", 1000), ("1 000", 1000)])
def test_the_size_of_the_canary_is_read(settings_kind: Kind, typed: str, canary: int) -> None:
    """A whole number, with or without its thousands apart; nothing means that there is none."""
    good = {"pasted": ("+13035550100",), "chosen": ("tags",), "typed": {"tags": "a"}, "reason": "why"}
    draft = Draft(kind=settings_kind.name, canary=typed, **good)

    waves = read_draft(settings_kind, draft, is_id=is_id, max_numbers=2).waves
    assert [wave.count for wave in waves] == ([canary] if canary else [])


@pytest.mark.parametrize("typed", ["0", "-1", "2.5", "five", "\u0665", "12345678"])
def test_what_is_no_size_of_a_canary_is_refused(settings_kind: Kind, typed: str) -> None:
    """Ignored, it would send everything at once."""
    good = {"pasted": ("+13035550100",), "chosen": ("tags",), "typed": {"tags": "a"}, "reason": "why"}

    assert list(problems(settings_kind, Draft(kind=settings_kind.name, canary=typed, **good))) == [CANARY]


@pytest.mark.parametrize("name", ["pause", "threshold"])
@pytest.mark.parametrize("canary", ["", "rest"])
def test_what_is_for_waves_needs_waves(settings_kind: Kind, name: str, canary: str) -> None:
    """Ignored, it would send everything at once, although somebody meant to be asked."""
    good = {"pasted": ("+13035550100",), "chosen": ("tags",), "typed": {"tags": "a"}, "reason": "why"}
    draft = Draft(kind=settings_kind.name, canary=canary, **good, **{name: "5" if name == "threshold" else "ask"})

    assert problems(settings_kind, draft) == {
        name: "This is for a change in waves: say which waves, or leave this empty."
    }


def test_as_many_bad_entries_as_are_named_are_the_whole_list(settings_kind: Kind) -> None:
    """Nothing is said to be left out where nothing is."""
    draft = Draft(kind=settings_kind.name, pasted=(",".join(f"bad{i}" for i in range(8)),), reason="why")

    found = problems(settings_kind, draft)["numbers:0"]

    assert found.count("“bad") == 8
    assert "more" not in found


def test_the_target_of_a_form_is_read_without_what_is_to_become_of_it(settings_kind: Kind) -> None:
    """Numbers without the excluded ones, the filter, and how many it may be; what is bad is refused at its field."""
    draft = Draft(
        kind=settings_kind.name,
        pasted=("+13035550100 +13035550101",),
        excluded="+13035550101",
        filters={"tag": "vip"},
    )

    target = read_target(settings_kind, draft, is_id=is_id, max_numbers=7)

    assert target.identifiers == ("+13035550100",)
    assert [condition.field for condition in target.conditions] == ["tag"]
    assert target.excluded == ("+13035550101",)
    assert target.limit == 7
    with pytest.raises(InputError) as refusal:
        read_target(settings_kind, replace(draft, pasted=("hello",)), is_id=is_id, max_numbers=7)
    assert [*refusal.value.problems] == ["numbers:0"]


def test_a_long_list_of_bad_entries_is_cut(settings_kind: Kind) -> None:
    """Eight are named, the rest is counted, so that the error stays readable."""
    draft = Draft(
        kind=settings_kind.name,
        pasted=(",".join(f"bad{i}" for i in range(50)),),
        chosen=("tags",),
        typed={"tags": "a"},
        reason="why",
    )

    found = problems(settings_kind, draft)["numbers:0"]

    assert found.count("“bad") == 8
    assert found.endswith("\n• and 42 more")


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        pytest.param({"emergency_enabled": "true"}, "emergency_address_id", id="on-without-address"),
        pytest.param(
            {"emergency_enabled": "false", "emergency_address_id": "53829456729313"},
            "emergency_address_id",
            id="off-with-address",
        ),
        pytest.param({}, "emergency_enabled", id="neither"),
    ],
)
def test_the_emergency_rule_is_checked_before_anything_is_sent(emergency_kind: Kind, typed: dict, field: str) -> None:
    """Telnyx needs an address to switch the service on and takes none to switch it off."""
    draft = Draft(kind=emergency_kind.name, pasted=("+13035550100",), typed=typed, reason="why")

    assert set(problems(emergency_kind, draft)) == {field}


def test_switching_the_emergency_service_off_needs_no_address(emergency_kind: Kind) -> None:
    """The address is left out, as the API wants it."""
    draft = Draft(
        kind=emergency_kind.name, pasted=("+13035550100",), typed={"emergency_enabled": "false"}, reason="why"
    )

    assert read_draft(emergency_kind, draft, is_id=is_id, max_numbers=5).wanted == {"emergency_enabled": False}


def test_a_bad_entry_is_named_at_its_own_box(settings_kind: Kind) -> None:
    """With many boxes, the error stands where the person has to look."""
    pasted = ("+13035550100", "oops", "+13035550102", "and oops")
    draft = Draft(kind=settings_kind.name, pasted=pasted, chosen=("tags",), typed={"tags": "a"}, reason="why")

    assert set(problems(settings_kind, draft)) == {"numbers:1", "numbers:3"}


def test_a_chosen_filter_without_a_value_is_a_problem(settings_kind: Kind) -> None:
    """Dropped silently, it would select more numbers than the person meant."""
    draft = Draft(
        kind=settings_kind.name,
        filters={"tag": "denver", "status": " "},
        chosen=("customer_reference",),
        typed={"customer_reference": "a"},
        reason="why",
    )

    assert problems(settings_kind, draft) == {"filter:status": "Give a value, or remove this filter from “Filter by”."}


def test_exclusions_are_read_like_numbers_and_named_when_they_are_bad(settings_kind: Kind) -> None:
    """What must not be touched is taken out of the list and handed on; an unreadable exclusion stops everything."""
    good = {"kind": settings_kind.name, "chosen": ("tags",), "typed": {"tags": "a"}, "reason": "why"}
    draft = Draft(**good, pasted=("+13035550100 +13035550101",), excluded="(303) 555-0101")

    request = read_draft(settings_kind, draft, is_id=is_id, max_numbers=5)
    assert request.identifiers == ("+13035550100",)
    assert request.excluded == ("+13035550101",)

    bad = Draft(**good, pasted=("+13035550100",), excluded="everything in Denver")
    assert set(problems(settings_kind, bad)) == {"excluded"}


@pytest.mark.parametrize("typed", ["null", "[]", "N/A", "-", '["a", 1]', "{a}", '"a", "b"', "- a\n- b", "(a, b)"])
def test_what_programs_write_for_nothing_is_no_entry_of_a_list(settings_kind: Kind, typed: str) -> None:
    """Typed into the form it is refused as in a sheet."""
    draft = Draft(kind=settings_kind.name, pasted=("+13035550100",), chosen=("tags",), reason="Because")

    found = problems(settings_kind, replace(draft, typed={"tags": typed}))
    assert "is what other programs write for nothing" in found["tags"]


@pytest.mark.parametrize("typed", ["null", '["a"]', "[a]", "a|b"])
def test_an_apostrophe_in_the_form_means_the_characters(settings_kind: Kind, typed: str) -> None:
    """As in a sheet, whatever other programs write so."""
    draft = Draft(kind=settings_kind.name, pasted=("+13035550100",), chosen=("tags",), reason="Because")
    request = read_draft(settings_kind, replace(draft, typed={"tags": f"'{typed}"}), is_id=is_id, max_numbers=1)

    assert request.wanted == {"tags": (typed,)}


def test_a_reason_with_characters_that_nobody_sees_is_refused(settings_kind: Kind) -> None:
    """Control characters are refused where they are typed; line breaks and tabs are blanks."""
    draft = Draft(kind=settings_kind.name, pasted=("+13035550100",), chosen=("tags",), typed={"tags": "a"})

    assert "control character" in problems(settings_kind, replace(draft, reason="Be\x1bcause"))[REASON]
    request = read_draft(settings_kind, replace(draft, reason="Be\t\ncause"), is_id=is_id, max_numbers=1)
    assert request.reason == "Be cause"
