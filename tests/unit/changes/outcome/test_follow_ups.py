"""Promises about retrying and undoing an earlier change."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.changes.model.batches import Operation
from bot.changes.model.encryption import Encryption
from bot.changes.model.kinds import Kind
from bot.changes.model.lifecycle import CHANGED, MISSED, OperationState
from bot.changes.model.snapshots import Snapshot
from bot.changes.model.values import EditMode, ListEdit, Secret, Value, Values, WantedValue
from bot.changes.outcome.follow_ups import beyond, changed_since, given_back, not_restorable, to_retry, to_undo
from bot.changes.outcome.outcomes import UNCHANGED
from bot.changes.planning.builder import build
from bot.changes.planning.plan import PlannedBatch, difference, same
from bot.providers.telnyx.kinds import kinds

KINDS: Final = {kind.name: kind for kind in kinds(secrets=True)}
SETTINGS: Final = KINDS["telnyx.settings"]
EMERGENCY: Final = KINDS["telnyx.emergency"]

texts = st.none() | st.sampled_from(["a", "b", "c"])
tags = st.none() | st.lists(st.sampled_from(["x", "y", "z"]), max_size=3, unique=True).map(tuple)
switches = st.none() | st.booleans()
todays: st.SearchStrategy[dict[str, Value]] = st.fixed_dictionaries(
    {"customer_reference": texts, "tags": tags, "hd_voice_enabled": switches, "connection_id": texts}
)
wishes: st.SearchStrategy[dict[str, Value]] = st.fixed_dictionaries(
    {},
    optional={
        "customer_reference": st.sampled_from(["a", "b"]),
        "tags": st.just(("x",)),
        "hd_voice_enabled": st.booleans(),
        "connection_id": st.sampled_from(["a", "b"]),
    },
).filter(bool)


def operation(number: int, before: Values, after: Values, state: OperationState, code: str = "") -> Operation:
    """Return what became of a number."""
    return Operation(
        change=1,
        position=number,
        batch=1,
        number_id=str(number),
        e164=f"+1303555{number:04}",
        before=before,
        after=after,
        state=state,
        code=code,
        reason="",
        pointer="",
        ended_at=None,
    )


def applied(kind: Kind, fleet: list[Snapshot], wanted: Values) -> tuple[list[Operation], list[Snapshot]]:
    """Apply ``wanted`` to ``fleet`` and return the operations and the numbers afterwards."""
    plan = build(kind, wanted, fleet)
    operations = [
        operation(at, number.before, number.after, OperationState.VERIFIED)
        if number.batch
        else operation(at, number.before, {}, OperationState.NOT_ATTEMPTED, UNCHANGED)
        for at, number in enumerate(plan.numbers)
    ]
    after = [
        replace(snapshot, values={**snapshot.values, **number.after})
        for snapshot, number in zip(fleet, plan.numbers, strict=True)
    ]
    return operations, after


@given(values=st.lists(todays, min_size=1, max_size=6), wanted=wishes)
def test_undoing_what_was_applied_restores_every_value_that_can_be_set(
    values: list[dict[str, Value]], wanted: dict[str, Value]
) -> None:
    """Afterwards each number has what it had, but for what the provider cannot be told, which is counted."""
    fleet = [Snapshot(id=str(at), e164=f"+1303555{at:04}", values=each) for at, each in enumerate(values)]
    operations, changed = applied(SETTINGS, fleet, wanted)
    taken = to_undo(SETTINGS, operations)
    meant = [snapshot for snapshot in changed if snapshot.id in taken.rows]
    assert changed_since(SETTINGS, taken, meant) == ()
    back = {number.id: number.after for number in build(SETTINGS, {}, meant, taken.rows).numbers}
    lost: dict[str, int] = {}
    for before, now in zip(fleet, changed, strict=True):
        after = {**now.values, **back.get(now.id, {})}
        for name, old in before.values.items():
            if not same(SETTINGS.setting(name), old, after.get(name)):
                assert old in {None, "", ()}
                lost[name] = lost.get(name, 0) + 1
    assert lost == dict(taken.lost)


@given(values=st.lists(todays, min_size=1, max_size=6), wanted=wishes)
def test_numbers_that_were_changed_since_are_named(values: list[dict[str, Value]], wanted: dict[str, Value]) -> None:
    """Whoever set something else meanwhile is not overruled."""
    fleet = [Snapshot(id=str(at), e164=f"+1303555{at:04}", values=each) for at, each in enumerate(values)]
    operations, changed = applied(SETTINGS, fleet, wanted)
    taken = to_undo(SETTINGS, operations)
    meddled = [replace(each, values={**each.values, **dict.fromkeys(wanted, "else")}) for each in changed]
    meant = [snapshot for snapshot in meddled if snapshot.id in taken.rows]
    assert changed_since(SETTINGS, taken, meant) == tuple(snapshot.e164 for snapshot in meant)


@pytest.mark.parametrize(
    ("before", "after", "row", "lost"),
    [
        pytest.param(
            {"emergency_enabled": False, "emergency_address_id": None},
            {"emergency_enabled": True, "emergency_address_id": "1"},
            {"emergency_enabled": False},
            {},
            id="switched on",
        ),
        pytest.param(
            {"emergency_enabled": True, "emergency_address_id": "1"},
            {"emergency_enabled": False},
            {"emergency_enabled": True, "emergency_address_id": "1"},
            {},
            id="switched off",
        ),
        pytest.param(
            {"emergency_enabled": True, "emergency_address_id": "1"},
            {"emergency_address_id": "2"},
            {"emergency_enabled": True, "emergency_address_id": "1"},
            {},
            id="moved",
        ),
    ],
)
def test_the_emergency_service_goes_back_as_a_whole(before: Values, after: Values, row: Values, lost: Values) -> None:
    """Switch and address belong together; the address goes with the switch and is not lost."""
    taken = to_undo(EMERGENCY, [operation(0, before, after, OperationState.SUCCEEDED)])
    assert taken.rows == {"0": row}
    assert EMERGENCY.rule(row) == {}
    assert taken.lost == lost


def test_a_secret_that_was_wiped_cannot_come_back(encryption: Encryption) -> None:
    """It is counted as lost, and a number of which nothing else changed is left out."""
    wiped = Secret(fingerprint=encryption.seal("4711").fingerprint)
    after = {"external_pin": encryption.seal("4712")}
    taken = to_undo(SETTINGS, [operation(0, {"external_pin": wiped}, after, OperationState.VERIFIED)])
    assert (dict(taken.rows), dict(taken.lost)) == ({}, {"external_pin": 1})


@pytest.mark.parametrize("state", OperationState)
def test_a_retry_takes_up_what_has_not_what_was_wanted(state: OperationState) -> None:
    """What failed, differs, was not verified or not attempted is taken, with its own values; the rest is left alone."""
    after = {"tags": ("a",), "customer_reference": "b"}
    taken = to_retry(SETTINGS, [operation(0, {"tags": ()}, after, state)], {"customer_reference": "b"})
    unfinished = {*MISSED, OperationState.DIFFERS, OperationState.UNVERIFIED}
    assert taken.rows == ({"0": {"tags": ("a",)}} if state in unfinished else {})


edits = st.builds(ListEdit, st.sampled_from(EditMode), st.just(("x",)))


@given(
    values=st.lists(todays, min_size=1, max_size=4),
    wanted=st.one_of(st.just({}), wishes, st.builds(lambda edit: {"tags": edit}, edits)),
    own=st.lists(st.one_of(st.just({}), wishes), min_size=4, max_size=4),
    corrected=st.sampled_from(["", "c"]),
)
def test_a_retry_of_numbers_as_they_were_plans_what_was_approved(
    values: list[dict[str, Value]], wanted: dict[str, WantedValue], own: list[dict[str, Value]], corrected: str
) -> None:
    """Also where a number had some of it already; a value of the form may be corrected for those that had it."""
    fleet = [Snapshot(id=str(at), e164=f"+1303555{at:04}", values=each) for at, each in enumerate(values)]
    rows = {snapshot.id: row for snapshot, row in zip(fleet, own, strict=False) if row}
    plan = build(SETTINGS, wanted, fleet, rows)
    failed = [operation(int(each.id), each.before, each.after, OperationState.FAILED) for each in plan.numbers]
    taken = to_retry(SETTINGS, failed, wanted)
    assert changed_since(SETTINGS, taken, fleet) == ()

    now = {**wanted, "connection_id": corrected} if corrected and "connection_id" in wanted else wanted
    again = build(SETTINGS, now, fleet, taken.rows)
    for then, retried, row in zip(plan.numbers, again.numbers, own, strict=False):
        meant = {**then.before, **then.after}
        if now is not wanted and row.get("connection_id", wanted["connection_id"]) == wanted["connection_id"]:
            meant["connection_id"] = corrected
        assert difference(SETTINGS, {**fleet[int(then.id)].values, **retried.after}, meant) == {}


@pytest.mark.parametrize("state", OperationState)
def test_an_undo_takes_up_what_was_changed(state: OperationState) -> None:
    """Only numbers that the provider says it changed have anything to be undone."""
    taken = to_undo(SETTINGS, [operation(0, {"tags": ("b",)}, {"tags": ("a",)}, state)])
    assert taken.rows == ({"0": {"tags": ("b",)}} if state in CHANGED else {})


def test_numbers_that_had_the_values_already_are_not_retried() -> None:
    """They were not attempted because there was nothing to do."""
    assert to_retry(SETTINGS, [operation(0, {}, {}, OperationState.NOT_ATTEMPTED, UNCHANGED)], {}).rows == {}


@given(values=st.lists(todays, min_size=1, max_size=6), wanted=wishes)
def test_what_can_be_temporary_is_restored_whole(values: list[dict[str, Value]], wanted: dict[str, Value]) -> None:
    """Where nothing is named as not restorable, an undo loses nothing and the numbers have what they had."""
    fleet = [Snapshot(id=str(at), e164=f"+1303555{at:04}", values=each) for at, each in enumerate(values)]
    plan = build(SETTINGS, wanted, fleet)
    operations, after = applied(SETTINGS, fleet, wanted)
    taken = to_undo(SETTINGS, operations)

    assert {name: len(numbers) for name, numbers in not_restorable(SETTINGS, plan.numbers).items()} == taken.lost
    back = build(SETTINGS, {}, after, taken.rows)
    assert beyond(SETTINGS, back, taken.rows) == []


def test_a_restore_that_gives_anything_else_is_found() -> None:
    """A value that is not the one from before, and a number that was not in the change, are both named."""
    fleet = [Snapshot(id=str(at), e164=f"+1303555{at:04}", values={"customer_reference": "a"}) for at in range(2)]
    operations, after = applied(SETTINGS, fleet, {"customer_reference": "b"})
    restored = to_undo(SETTINGS, operations).rows
    wrong = build(SETTINGS, {"customer_reference": "c"}, after)
    stranger = build(SETTINGS, {}, after, {"1": {"customer_reference": "a"}})
    right = build(SETTINGS, {}, after, restored)
    tampered = replace(right, batches=(PlannedBatch(position=1, values={"customer_reference": "x"}, size=2),))

    assert beyond(SETTINGS, right, restored) == []
    assert beyond(SETTINGS, wrong, restored) == ["+13035550000", "+13035550001"]
    assert beyond(SETTINGS, stranger, {"0": restored["0"]}) == ["+13035550001"]
    assert beyond(SETTINGS, tampered, restored) == ["+13035550000", "+13035550001"]


def test_a_secret_cannot_be_temporary(encryption: Encryption) -> None:
    """What was there before is compared and not kept, wherever the new one comes from."""
    fleet = [Snapshot(id="1", e164="+13035550100", values={"external_pin": encryption.seal("0000")})]
    plan = build(SETTINGS, {"external_pin": encryption.seal("4711")}, fleet)

    assert list(not_restorable(SETTINGS, plan.numbers)) == ["external_pin"]


def test_a_number_that_has_all_that_it_is_to_get_back_is_known() -> None:
    """Not one that has a part of it, nor one that has other values."""
    before, after = {"customer_reference": "a", "tags": ("x",)}, {"customer_reference": "b", "tags": ("y",)}
    taken = to_undo(SETTINGS, [operation(number, before, after, OperationState.VERIFIED) for number in range(3)])
    found = [before, {**before, "tags": ("y",)}, after]
    snapshots = [Snapshot(id=str(at), e164=f"+1303555{at:04}", values=values) for at, values in enumerate(found)]

    assert given_back(SETTINGS, taken, snapshots) == {"+13035550000"}
