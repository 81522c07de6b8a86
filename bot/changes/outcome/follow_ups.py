"""Changes based on an earlier one: its failed numbers once more, or its changed numbers back to their old values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.changes.model.batches import Operation
from bot.changes.model.kinds import Kind
from bot.changes.model.lifecycle import CHANGED, MISSED, OperationState
from bot.changes.model.list_edits import all_applied
from bot.changes.model.settings import Setting, restorable
from bot.changes.model.snapshots import Snapshot
from bot.changes.model.values import ListEdit, Secret, Value, Values, WantedValues
from bot.changes.outcome.outcomes import NOT_SHOWN, STALE, UNCHANGED
from bot.changes.planning.builder import build
from bot.changes.planning.plan import Plan, PlannedNumber, difference, same

#: States of numbers that a retry takes up: they lack the wanted values, or nobody knows. A retry is planned from their
#: current values, so a number that has the wanted values after all drops out.
UNFINISHED = frozenset({*MISSED, OperationState.DIFFERS, OperationState.UNVERIFIED})


@dataclass(frozen=True, kw_only=True, slots=True)
class CarriedOver:
    """What a follow-up takes over from the earlier change."""

    #: Id -> the number's own values.
    rows: Mapping[str, Values]
    #: Id -> the number as people know it.
    numbers: Mapping[str, str] = field(default_factory=dict)
    #: Id -> the number's values when the earlier change was finished, or several where nobody knows which it had. A
    #: number that now has none of them has been changed since, and is left alone.
    left: Mapping[str, Sequence[Values]] = field(default_factory=dict)
    #: Setting -> how many numbers cannot get its old value back, because the provider documents no way to set it.
    lost: Mapping[str, int] = field(default_factory=dict)


def to_retry(kind: Kind, operations: Iterable[Operation], wanted: WantedValues) -> CarriedOver:
    """Return the numbers that failed, differ, were not verified or not attempted, with values of their own.

    Numbers that had the values beforehand are left out, and so are numbers whose value nobody can read, as sending it
    again tells no more. ``wanted`` is what all numbers without a value of their own were to get. It is left to the
    form of the retry, where somebody may correct it.
    """
    again = [each for each in operations if each.state in UNFINISHED and each.code not in {UNCHANGED, NOT_SHOWN}]
    return CarriedOver(
        rows={each.number_id: _own(kind, each, wanted) for each in again},
        numbers={each.number_id: each.e164 for each in again},
        # A stale number had changed before, and the person who retries it was told how.
        left={each.number_id: _seen(each, wanted) for each in again if each.code != STALE},
    )


def _seen(operation: Operation, wanted: WantedValues) -> tuple[Values, ...]:
    """Return the values that an unfinished number may have without a change by anybody else.

    They are the values from before, the wanted ones, and those found. A list that is only edited is not included: the
    edit keeps other people's entries.
    """
    names = [
        name for name in operation.after if name in operation.before and not isinstance(wanted.get(name), ListEdit)
    ]
    seen = (operation.before, operation.after, {**operation.before, **(operation.found or {})})
    return tuple({name: values[name] for name in names} for values in seen)


def _own(kind: Kind, operation: Operation, wanted: WantedValues) -> dict[str, Value]:
    """Return the values for this number only: those that differ from ``wanted``, or are not in it.

    They include values that it already had and was therefore not sent.
    """
    asked = {*wanted, *(setting.name for setting in kind.settings if setting.always)}
    meant = {**{name: value for name, value in operation.before.items() if name in asked}, **operation.after}
    common = all_applied(kind.by_name, wanted, operation.before)
    away = kind.left_out(meant)
    return {
        name: value
        for name, value in meant.items()
        if name not in away and not (name in common and same(kind.setting(name), value, common[name]))
    }


def to_undo(kind: Kind, operations: Iterable[Operation]) -> CarriedOver:
    """Return the changed numbers with their earlier values, as far as those can be set."""
    rows: dict[str, Values] = {}
    numbers: dict[str, str] = {}
    left: dict[str, tuple[Values, ...]] = {}
    lost: dict[str, int] = {}
    for operation in operations:
        if operation.state not in CHANGED:
            continue
        back, never = _back(kind, operation)
        for name in never:
            lost[name] = lost.get(name, 0) + 1
        if back:
            rows[operation.number_id] = back
            numbers[operation.number_id] = operation.e164
            seen = {**operation.before, **operation.after, **(operation.found or {})}
            names = dict.fromkeys((*operation.after, *(name for name in kind.always if name in back)))
            away = kind.taken_away(operation.before, operation.after)
            kept = {name: seen[name] for name in names if name in seen and name not in away}
            left[operation.number_id] = (kept,)
    return CarriedOver(rows=rows, numbers=numbers, left=left, lost=lost)


class _Changed(Protocol):
    """A number that gets new values, or got them."""

    @property
    def before(self) -> Values: ...
    @property
    def after(self) -> Values: ...


def _back(kind: Kind, number: _Changed) -> tuple[dict[str, Value], list[str]]:
    """Return the values that restore a number, and the names of settings that cannot be restored.

    Fields that went with a switch are restored with it. Settings that are always sent are restored together or not at
    all.
    """
    gone = kind.taken_away(number.before, number.after)
    names = [s.name for s in kind.settings if s.name in number.after or s.always or s.name in gone]
    wanted = {name: number.before[name] for name in names if name in number.before}
    # Fields that the provider clears with their switch are neither sent nor lost.
    away = kind.left_out(wanted)
    back: dict[str, Value] = {}
    lost = []
    for name in names:
        if name in away:
            continue
        if name in wanted and _can_be_set(kind.setting(name), wanted[name]):
            back[name] = _as_set(kind.setting(name), wanted[name])
        else:
            lost.append(name)
    if any(kind.setting(name).always for name in lost):
        return {}, [*back, *lost]
    return back, lost


def not_restorable(kind: Kind, numbers: Iterable[PlannedNumber]) -> dict[str, list[PlannedNumber]]:
    """Return setting -> the numbers of a plan whose current value of it cannot be restored.

    Secrets are included: their earlier value is compared, and not kept.
    """
    found: dict[str, list[PlannedNumber]] = {}
    for number in numbers:
        if number.batch is not None:
            secret = [name for name in number.after if kind.setting(name).secret]
            for name in dict.fromkeys((*_back(kind, number)[1], *secret)):
                found.setdefault(name, []).append(number)
    return found


def way_back(kind: Kind, plan: Plan) -> Plan:
    """Return the plan that restores the current values of a temporary change, if nobody changes them meanwhile.

    It is made like the later restore, so any obstacle to that one also stops this one.
    """
    numbers = [number for number in plan.numbers if number.batch is not None]
    rows = {number.id: _back(kind, number)[0] for number in numbers}
    then = [
        Snapshot(id=number.id, e164=number.e164, values={**number.beside, **number.before, **number.after})
        for number in numbers
    ]
    return build(kind, {}, then, rows)


def beyond(kind: Kind, plan: Plan, restored: Mapping[str, Values]) -> list[str]:
    """Return the E.164 numbers for which ``plan`` exceeds what the approval of a temporary change covers.

    The approval covers ``restored``: id -> the values from before that change, as they are sent. Siblings sent in the
    same call keep the number's current values.
    """
    batches = {batch.position: batch.values for batch in plan.batches}
    return [
        number.e164
        for number in plan.numbers
        if number.batch is not None
        and not all(
            _among(kind, name, value, restored.get(number.id, {}), number)
            for values in (number.after, batches[number.batch])
            for name, value in values.items()
        )
    ]


def _among(kind: Kind, name: str, value: Value, restored: Values, number: PlannedNumber) -> bool:
    """Tell whether ``value`` is the one to restore or, where there is none, the number's current one."""
    known = restored if name in restored else number.before
    return name not in number.after if name not in known else same(kind.setting(name), value, known[name])


def _can_be_set(setting: Setting, value: Value) -> bool:
    """Tell whether ``value`` can be sent to the provider; a wiped secret cannot."""
    return bool(value.sealed) if isinstance(value, Secret) else restorable(setting, value)


def _as_set(setting: Setting, value: Value) -> Value:
    """Return ``value`` as it is sent: a value that was not set is emptied."""
    if value is not None:
        return value
    return () if setting.listed else ""


def changed_since(kind: Kind, taken: CarriedOver, snapshots: Iterable[Snapshot]) -> tuple[str, ...]:
    """Return the E.164 numbers that somebody has changed since, and that are therefore left alone."""
    return tuple(snapshot.e164 for snapshot in snapshots if _changed(kind, taken.left.get(snapshot.id, ()), snapshot))


def given_back(kind: Kind, taken: CarriedOver, snapshots: Iterable[Snapshot]) -> frozenset[str]:
    """Return the E.164 numbers that already have all their earlier values again."""
    return frozenset(
        snapshot.e164
        for snapshot in snapshots
        if snapshot.id in taken.rows and not difference(kind, snapshot.values, taken.rows[snapshot.id])
    )


def changed_by(
    kind: Kind, taken: CarriedOver, snapshots: Iterable[Snapshot], later: Mapping[str, Operation]
) -> dict[str, int]:
    """Return E.164 -> the change that left the number as it is now, for the numbers of :func:`changed_since`.

    ``later`` has, by id, the last operation of a later change on a number. Numbers with other values than that are left
    out: somebody has changed them outside Linesman.
    """
    found: dict[str, int] = {}
    for snapshot in snapshots:
        changed = _changed(kind, taken.left.get(snapshot.id, ()), snapshot)
        operation = later.get(snapshot.id)
        if not changed or operation is None:
            continue
        left = {**operation.after, **(operation.found or {})}
        if operation.after.keys() >= changed and not _changed(
            kind, ({name: left[name] for name in changed},), snapshot
        ):
            found[snapshot.e164] = operation.change
    return found


def _changed(kind: Kind, left: Sequence[Values], snapshot: Snapshot) -> set[str]:
    """Return the settings of which the number has none of the values in ``left``; secrets cannot be compared."""
    return {
        name
        for name in (left[0] if left else ())
        if not any(
            isinstance(values[name], Secret) or same(kind.setting(name), values[name], snapshot.values.get(name))
            for values in left
        )
    }
