"""From snapshots and wanted values to the exact plan that people approve."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from types import MappingProxyType
from typing import Final

from bot.changes.edits import all_applied, keys
from bot.changes.filters import Condition, conditions_to_json
from bot.changes.kinds import Kind
from bot.changes.settings import Setting
from bot.changes.snapshots import Snapshot
from bot.changes.starts import Start
from bot.changes.values import Edit, Value, Values, Wish, Wishes, canonical


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedNumber:
    """One number of a plan."""

    id: str
    e164: str
    #: Today's values of everything that is sent: the wanted settings and their groups' siblings. A setting that the
    #: provider does not tell about the number is not in it, which is not the same as None.
    before: Values
    #: The values that will differ afterwards; empty when the number already has them.
    after: Values
    #: Position of its batch, from 1; None when it is left alone.
    batch: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedBatch:
    """Numbers that get the same values in one call."""

    position: int
    values: Values
    size: int
    #: A filter that is handed to the provider because nobody can resolve it beforehand; empty for every other batch.
    handed: tuple[Condition, ...] = ()
    #: Whether it is part of the first try: sent and verified before any other batch is.
    canary: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What will happen to every number, exactly."""

    kind: str
    numbers: tuple[PlannedNumber, ...]
    batches: tuple[PlannedBatch, ...]
    digest: str
    #: When it is to happen; None for as soon as it may.
    start: Start | None = None

    @property
    def unchanged(self) -> int:
        """How many numbers already have the wanted values."""
        return sum(1 for number in self.numbers if number.batch is None)


def same(setting: Setting, one: Value, other: Value) -> bool:
    """Tell whether two values of ``setting`` mean the same to the provider.

    Empty text and "not set" are the same. The order of a list means nothing: tags are a set without regard to case
    (telnyx.md 4), and people and numbers that ring are documented as lists to be among (close.md 4).
    """
    if setting.listed:
        return keys(setting, one) == keys(setting, other)
    if isinstance(one, bool) or isinstance(other, bool):
        return one == other
    return (one or None) == (other or None)


def difference(kind: Kind, before: Values, wanted: Values) -> dict[str, Value]:
    """Return the part of ``wanted`` that ``before`` does not already have; what it does not tell, it may not have."""
    return {
        name: value
        for name, value in wanted.items()
        if name not in before or not same(kind.setting(name), before[name], value)
    }


def payload(kind: Kind, before: Values, wanted: Values) -> dict[str, Value]:
    """Return what is sent for a number: the wanted values, and today's values of their groups' siblings.

    A partly filled nested object may reset its other fields to their defaults (telnyx.md 1.1 leaves it open), so an
    object is always sent whole. A sibling that is not set today has nothing to lose and is left out.
    """
    sent: dict[str, Value] = {}
    for setting in kind.touched(wanted):
        if setting in kind.observed:
            continue
        value = wanted[setting.name] if setting.name in wanted else before.get(setting.name)
        if setting.name in wanted or (value is not None and value != ""):
            sent[setting.name] = value
    return sent


@dataclass(slots=True)
class _Shared:
    """Numbers with the same row: what of it is sent."""

    row: Values
    #: Names of the row's values that some number of them does not have yet.
    differing: set[str]
    #: The names of all values to send; None until they are asked for.
    names: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class _Draft:
    """One number before its batch is known."""

    snapshot: Snapshot
    before: Values
    values: Values
    after: Values
    #: None when the number is left alone.
    shared: _Shared | None


class _Sharing:
    """Finds out which values of equal rows have to be sent."""

    def __init__(self, kind: Kind, wanted: Wishes) -> None:
        self._kind = kind
        self._wanted = frozenset(wanted)
        self._by_row: dict[str, _Shared] = {}
        #: Equal rows are mostly one and the same object, which spares writing them down to compare them.
        self._by_identity: dict[int, _Shared] = {}

    def add(self, row: Values, after: Values) -> _Shared:
        """Take in a number that changes by ``after`` and return what it shares with those of the same row."""
        shared = self._by_identity.get(id(row)) if row else None
        if shared is None:
            shared = self._by_row.setdefault(canonical(plain(row)), _Shared(row, set()))
            if row:
                self._by_identity[id(row)] = shared
        shared.differing.update(name for name in after if name in shared.row)
        return shared

    def of(self, shared: _Shared, values: Values) -> Values:
        """Return those of ``values`` that are sent: what all numbers are to get, and what of the row is needed.

        Where the rule of the kind wants some values together, the whole row is sent.
        """
        if not shared.row:
            return values
        if shared.names is None:
            some = self._wanted | shared.differing
            broken = self._kind.rule({name: value for name, value in values.items() if name in some})
            shared.names = some | frozenset(shared.row) if broken else some
        return {name: value for name, value in values.items() if name in shared.names}


_NO_ROWS: Final[Mapping[str, Values]] = MappingProxyType({})


def build(
    kind: Kind,
    wanted: Wishes,
    snapshots: Iterable[Snapshot],
    rows: Mapping[str, Values] = _NO_ROWS,
    *,
    start: Start | None = None,
    canary: int = 0,
) -> Plan:
    """Return the plan that fulfils ``wanted`` for every number of ``snapshots``, in their order, in the fewest calls.

    ``rows`` has, by id, numbers with values of their own, which go before those of ``wanted``. Of a row's values those
    are sent that no number with the same row has yet: a sheet of today's values, uploaded again with one column
    edited, takes no more calls than that column alone. The first ``canary`` numbers that change get batches of their
    own; when these would be all, there is no first try.
    """
    changing = 0
    batches: list[PlannedBatch] = []
    room: dict[str, int] = {}
    numbers: list[PlannedNumber] = []
    drafts: list[_Draft] = []
    touched: dict[tuple[str, ...], list[str]] = {}
    sharing = _Sharing(kind, wanted)
    for snapshot in snapshots:
        row = rows.get(snapshot.id, {})
        wishes = {**wanted, **row}
        names = touched.setdefault(tuple(wishes), [])
        if not names:
            names += [setting.name for setting in kind.touched(wishes)]
        before = {name: snapshot.values[name] for name in names if name in snapshot.values}
        values = all_applied(kind.by_name, wishes, before)
        after = difference(kind, before, values)
        drafts.append(
            _Draft(snapshot, before, values, after, sharing.add(row, after) if after or kind.removes else None)
        )
    for draft in drafts:
        position = None
        if draft.shared is not None:
            if changing == canary:
                room.clear()  # the first try is complete, and nothing more goes into its batches
            changing += 1
            sent = payload(kind, draft.before, sharing.of(draft.shared, draft.values))
            position = _place(kind, sent, batches, room, canary=changing <= canary)
        numbers.append(
            PlannedNumber(
                id=draft.snapshot.id, e164=draft.snapshot.e164, before=draft.before, after=draft.after, batch=position
            )
        )
    if changing <= canary:
        batches = [replace(batch, canary=False) for batch in batches]
    return Plan(
        kind=kind.name,
        numbers=tuple(numbers),
        batches=tuple(batches),
        digest=digest(kind.name, numbers, batches, start),
        start=start,
    )


def handed_over(kind: Kind, wanted: Values, conditions: tuple[Condition, ...], start: Start | None = None) -> Plan:
    """Return the plan of one call whose numbers only the provider can tell: their values, and what they are like."""
    batches = (PlannedBatch(position=1, values=wanted, size=0, handed=conditions),)
    sealed = digest(kind.name, (), batches, start)
    return Plan(kind=kind.name, numbers=(), batches=batches, digest=sealed, start=start)


def _place(kind: Kind, sent: Values, batches: list[PlannedBatch], room: dict[str, int], *, canary: bool) -> int:
    """Put one more number into the open batch for ``sent``, opening one when there is none, and return its position."""
    key = canonical(dict(sent))
    index = room.get(key)
    if index is None or batches[index].size >= kind.batch_size:
        index = room[key] = len(batches)
        batches.append(PlannedBatch(position=index + 1, values=sent, size=0, canary=canary))
    batch = batches[index]
    batches[index] = replace(batch, size=batch.size + 1)
    return batch.position


def digest(
    kind: str, numbers: Sequence[PlannedNumber], batches: Sequence[PlannedBatch], start: Start | None = None
) -> str:
    """Return the SHA-256 (hex) over the canonical form of a plan: its kind, its start, every number and every value.

    Secrets count by their keyed fingerprint. The order of the numbers counts, because it decides the batches. The
    start counts, because whoever approves a change for tonight has not approved it for noon; the zone in which it is
    written does not. Without a start the digest is what it was before there were any, so old approvals stay good.
    """
    running = hashlib.sha256()
    begins = {"start": start.at.astimezone(UTC).isoformat()} if start else {}
    running.update(canonical({"version": 1, "kind": kind, **begins}).encode())
    for batch in batches:
        handed = [conditions_to_json(batch.handed)] if batch.handed else []
        first = ["canary"] if batch.canary else []
        running.update(canonical([batch.position, batch.size, plain(batch.values), *handed, *first]).encode())
    for number in numbers:
        line = [number.id, number.e164, number.batch, plain(number.before), plain(number.after)]
        running.update(canonical(line).encode())
    return running.hexdigest()


def plain(values: Values) -> dict[str, object]:
    """Return values ready for :func:`bot.changes.values.canonical`, which knows secrets by their fingerprint."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """One value that is not as the plan found it."""

    e164: str
    #: The setting; None when the number itself is gone or cannot be changed any more.
    name: str | None
    then: Value = None
    now: Value = None


def moved(kind: Kind, planned: Iterable[PlannedNumber], found: Mapping[str, Snapshot]) -> list[Moved]:
    """Return every relevant value that differs between the plan and ``found`` (by number id), in the plan's order."""
    differences: list[Moved] = []
    for number in planned:
        snapshot = found.get(number.id)
        if snapshot is None or not snapshot.editable:
            differences.append(Moved(e164=number.e164, name=None))
            continue
        differences += [
            Moved(e164=number.e164, name=name, then=then, now=snapshot.values.get(name))
            for name, then in number.before.items()
            if not same(kind.setting(name), then, snapshot.values.get(name))
        ]
    return differences


def ids_to_name(kind: Kind, wanted: Wishes, plan: Plan) -> dict[str, set[str]]:
    """Return, per setting whose values are ids, every id that a person will read in this plan.

    Only settings that the change means to touch are in it, not the siblings that are sent along.
    """
    meant = set(wanted).union({each.name for each in kind.observed}, *(number.after for number in plan.numbers))
    names = [name for name, setting in kind.by_name.items() if setting.lookup and name in meant]
    ids: dict[str, set[str]] = {name: set() for name in names}
    for name in names:
        for number in plan.numbers:
            ids[name].update(ids_in(number.before.get(name)))
            ids[name].update(ids_in(number.after.get(name)))
        ids[name].update(ids_in(wanted.get(name)))
    return ids


def ids_in(wish: Wish) -> tuple[str, ...]:
    """Return the ids that a value, or an edit, of a setting whose values are ids consists of."""
    match wish:
        case Edit(entries=entries):
            return entries
        case tuple():
            return wish
        case str() if wish:
            return (wish,)
        case _:
            return ()


def unfit(kind: Kind, plan: Plan) -> dict[str, list[PlannedNumber]]:
    """Return, per reason, the numbers that must be left out: barred, or with values afterwards that do not agree.

    What did not agree before and is not touched is not held against a number.
    """
    found: dict[str, list[PlannedNumber]] = {}
    for number in plan.numbers:
        if number.batch is None:
            continue
        reasons = [kind.barred(number.before)]
        broken = kind.result_rule({**number.before, **number.after})
        if broken:
            known = kind.result_rule(number.before)
            reasons += [why for name, why in broken.items() if name in number.after or name not in known]
        for reason in filter(None, reasons):
            found.setdefault(reason, []).append(number)
    return found


def emptied(kind: Kind, plan: Plan) -> dict[str, list[PlannedNumber]]:
    """Return, per setting, the numbers whose list an edit would leave empty where the provider documents no way to."""
    found: dict[str, list[PlannedNumber]] = {}
    for number in plan.numbers:
        for name, value in number.after.items():
            if value == () and not kind.setting(name).clearable:
                found.setdefault(name, []).append(number)
    return found
