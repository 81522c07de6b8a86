"""What keeps a plan from being shown: numbers, rows and ids that are not right, each named, in whole sentences."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.changes.input.requests import Request
from bot.changes.model.batches import StopReach
from bot.changes.model.kinds import Kind
from bot.changes.model.snapshots import Snapshot
from bot.changes.model.values import Value
from bot.changes.planning.plan import Plan, PlannedNumber
from bot.errors import PlanRefused
from bot.providers.telnyx.kinds import kinds
from bot.workflow.control.freezes import in_words
from bot.workflow.planning.validation import (
    NAMED,
    are_fit,
    are_known,
    as_written,
    can_be_emptied,
    can_be_restored,
    named,
    rows_by_id,
    will_be_known,
)

KIND = next(kind for kind in kinds(secrets=True) if kind.name == "telnyx.settings")
CONNECTION = "connection_id"


def a_number(index: int, after: dict[str, Value], before: dict[str, Value] | None = None) -> PlannedNumber:
    """Return a number of a plan that changes to ``after``."""
    return PlannedNumber(id=f"id{index}", e164=f"+1303555{index:04}", before=before or {}, after=after, batch=1)


def a_plan(kind: Kind, *numbers: PlannedNumber) -> Plan:
    """Return a plan of ``numbers``."""
    return Plan(kind=kind.name, numbers=numbers, batches=(), digest="")


def a_request(*, rows: dict[str, dict[str, Value]] | None = None, wanted: dict[str, Value] | None = None) -> Request:
    """Return a request for :data:`KIND`."""
    return Request(
        kind=KIND, identifiers=(), wanted=wanted or {}, reason="why", repeats=0, dropped=frozenset(), rows=rows or {}
    )


@pytest.mark.parametrize(("count", "rest"), [(NAMED - 1, ""), (NAMED, ""), (NAMED + 1, " and 1 more")])
def test_as_many_as_a_message_holds_are_named(count: int, rest: str) -> None:
    """The rest is counted, and where there is none nothing is said of it."""
    assert named([str(index) for index in range(count)]) == ", ".join(map(str, range(min(count, NAMED)))) + rest


def test_an_id_beside_another_number_is_told() -> None:
    """One such row is a row, and two are rows."""
    request = a_request()
    found = {f"id{index}": Snapshot(id=f"id{index}", e164=f"+1303555000{index}", values={}) for index in range(3)}
    one, two = {"id1": "+13035550002"}, {"id1": "+13035550002", "id2": "+13035550001"}

    as_written(replace(request, beside={"id1": "+13035550001", "unknown": "+1"}), found)
    with pytest.raises(PlanRefused, match=r"^In 1 row of the sheet, .*: id1 is \+13035550001, not \+13035550002"):
        as_written(replace(request, beside=one), found)
    with pytest.raises(PlanRefused, match=r"^In 2 rows of the sheet"):
        as_written(replace(request, beside=two), found)


def test_two_rows_for_one_number_are_told() -> None:
    """By its id and by its number it may be written twice, but not with different values."""
    snapshot = Snapshot(id="id1", e164="+13035550001", values={})
    request = a_request(rows={"id1": {"customer_reference": "a"}, "+13035550001": {"customer_reference": "b"}})

    with pytest.raises(PlanRefused, match=r"different values to one number: \+13035550001 \(also called id1\)\."):
        rows_by_id(request, [snapshot])


def test_a_list_that_would_be_empty_is_told() -> None:
    """With the numbers, which can be left out."""
    one, two = a_number(1, {"tags": ()}), a_number(2, {"tags": ()})

    can_be_emptied(KIND, "Telnyx", a_plan(KIND, a_number(1, {"tags": ("a",)})))
    with pytest.raises(PlanRefused, match=r"^1 number would be left without any tags, which Telnyx does not") as first:
        can_be_emptied(KIND, "Telnyx", a_plan(KIND, one))
    with pytest.raises(PlanRefused, match=r"^2 numbers would be left without any tags"):
        can_be_emptied(KIND, "Telnyx", a_plan(KIND, one, two))

    assert first.value.unusable == ((one.e164, one.id),)


def test_values_that_do_not_agree_afterwards_are_told() -> None:
    """Each reason with its numbers, each of which can be left out."""
    on: dict[str, Value] = {"voice.call_forwarding.call_forwarding_enabled": True}
    fine: dict[str, Value] = {"voice.call_forwarding.forwards_to": "+13035550999"}
    fine |= {"voice.call_forwarding.forwarding_type": "always"}
    one, two = a_number(1, on), a_number(2, on)

    are_fit(KIND, a_plan(KIND, a_number(3, on, fine)))
    with pytest.raises(PlanRefused, match=r"\n1 number: .*35550001.*\nExclude them") as first:
        are_fit(KIND, a_plan(KIND, one, a_number(3, on, fine)))
    with pytest.raises(PlanRefused, match=r"\n2 numbers: "):
        are_fit(KIND, a_plan(KIND, one, two))

    assert first.value.unusable == ((one.e164, one.id),)


def test_ids_of_nothing_are_told() -> None:
    """Those that the request names, and those of single numbers, with the number; one that a number has may stay."""
    number = a_number(1, {CONNECTION: "5"}, {CONNECTION: "4"})
    wanted = a_request(wanted={CONNECTION: "6"})

    are_known(KIND, "Telnyx", wanted, a_plan(KIND, number), {CONNECTION: {"5": "five", "6": "six"}})
    are_known(KIND, "Telnyx", a_request(), a_plan(KIND, a_number(1, {CONNECTION: "4"}, {CONNECTION: "4"})), {})
    with pytest.raises(PlanRefused, match=r"^Telnyx has no connection with the id 6; choose another.$") as common:
        are_known(KIND, "Telnyx", wanted, a_plan(KIND, number), {CONNECTION: {"5": "five"}})
    with pytest.raises(PlanRefused, match=r"^Telnyx has no connection with the id 5 \(for \+13035550001\)") as own:
        are_known(KIND, "Telnyx", a_request(), a_plan(KIND, number), {})

    assert common.value.unusable == ()
    assert own.value.unusable == ((number.e164, number.id),)
    assert own.value.problem == "Telnyx has no connection with the id 5 (for +13035550001)."


def test_what_the_end_could_not_restore_is_told() -> None:
    """By the rule that it would break, or the id that nothing has; what can be restored is not in the way."""
    lasting = "voice.call_forwarding.forwards_to"
    before: dict[str, Value] = {"voice.call_forwarding.call_forwarding_enabled": True, lasting: ""}
    off: dict[str, Value] = {"voice.call_forwarding.call_forwarding_enabled": False}
    one, two = a_number(1, off, before), a_number(2, off, {**before, lasting: "+13035550999"})
    moved = a_number(3, {CONNECTION: "5"}, {CONNECTION: "4"})

    can_be_restored(KIND, "Telnyx", a_plan(KIND, two, moved))
    will_be_known(KIND, "Telnyx", a_plan(KIND, moved), {CONNECTION: {"4": "four"}})
    with pytest.raises(PlanRefused, match=r"\n1 number: call forwarding would .* \(\+13035550001\)\.\n") as unfit:
        can_be_restored(KIND, "Telnyx", a_plan(KIND, one, two))
    with pytest.raises(PlanRefused, match=r"\n1 number: Telnyx has no connection with the id 4 \(") as unknown:
        will_be_known(KIND, "Telnyx", a_plan(KIND, moved), {CONNECTION: {"5": "five"}})

    assert unfit.value.unusable == ((one.e164, one.id),)
    assert unknown.value.unusable == ((moved.e164, moved.id),)


@pytest.mark.parametrize(("count", "rest"), [(NAMED, ""), (NAMED + 1, "There are 1 more such ids.")])
def test_of_many_ids_of_nothing_some_are_told(count: int, rest: str) -> None:
    """The others are counted, where there are any."""
    numbers = [a_number(index, {CONNECTION: str(index)}) for index in range(count)]

    with pytest.raises(PlanRefused) as refused:
        are_known(KIND, "Telnyx", a_request(), a_plan(KIND, *numbers), {})

    lines = refused.value.message.splitlines()
    assert len(lines) == NAMED + bool(rest)
    assert lines[-1].endswith(rest)


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        pytest.param([], "", id="nothing"),
        pytest.param(
            [StopReach(unsent=1, under_way=1, at_provider=1, unknown=1)],
            "1 change is running: 1 number waits, 1 is being sent right now, 1 is in jobs at the provider, which "
            "continue, 1 may have been sent (checking with the provider).",
            id="one of each",
        ),
        pytest.param(
            [StopReach(unsent=1, under_way=1, at_provider=1), StopReach(unsent=1, under_way=1, at_provider=1)],
            "2 changes are running: 2 numbers wait, 2 are being sent right now, 2 are in jobs at the provider, which "
            "continue.",
            id="two of each",
        ),
        pytest.param([StopReach()], "1 change is running: 0 numbers wait.", id="all is through"),
    ],
)
def test_how_far_a_freeze_reaches(found: list[StopReach], sentence: str) -> None:
    """What waits, and what cannot be stopped any more, in the singular and the plural."""
    assert in_words(found) == sentence
