"""From snapshots and wanted values to the exact plan that people approve."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.changes.kinds import Kind
from bot.changes.records import Held, Summary
from bot.changes.settings import Setting, Shape
from bot.changes.snapshots import Snapshot
from bot.changes.values import Value, Values, canonical

#: How many numbers the before/after sample shows.
SAMPLE_SIZE = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedNumber:
    """One number of a plan."""

    id: str
    e164: str
    #: Today's values of everything that is sent: the wanted settings and their groups' siblings.
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What will happen to every number, exactly."""

    kind: str
    numbers: tuple[PlannedNumber, ...]
    batches: tuple[PlannedBatch, ...]
    digest: str

    @property
    def unchanged(self) -> int:
        """How many numbers already have the wanted values."""
        return sum(1 for number in self.numbers if number.batch is None)


def same(setting: Setting, one: Value, other: Value) -> bool:
    """Tell whether two values of ``setting`` mean the same to the provider.

    Empty text and "not set" are the same, and tags are a set without regard to case (telnyx.md 4).
    """
    if setting.shape is Shape.TAGS:
        return _tags(one) == _tags(other)
    if isinstance(one, bool) or isinstance(other, bool):
        return one == other
    return (one or None) == (other or None)


def _tags(value: Value) -> frozenset[str]:
    return frozenset(tag.casefold() for tag in value) if isinstance(value, tuple) else frozenset()


def difference(kind: Kind, before: Values, wanted: Values) -> dict[str, Value]:
    """Return the part of ``wanted`` that ``before`` does not already have."""
    return {name: value for name, value in wanted.items() if not same(kind.setting(name), before.get(name), value)}


def payload(kind: Kind, before: Values, wanted: Values) -> dict[str, Value]:
    """Return what is sent for a number: the wanted values, and today's values of their groups' siblings.

    A partly filled nested object may reset its other fields to their defaults (telnyx.md 1.1 leaves it open), so an
    object is always sent whole. A sibling that is not set today has nothing to lose and is left out.
    """
    sent: dict[str, Value] = {}
    for setting in kind.touched(wanted):
        value = wanted[setting.name] if setting.name in wanted else before.get(setting.name)
        if setting.name in wanted or (value is not None and value != ""):
            sent[setting.name] = value
    return sent


def build(kind: Kind, wanted: Values, snapshots: Iterable[Snapshot]) -> Plan:
    """Return the plan that gives ``wanted`` to every number of ``snapshots``, in their order, in the fewest calls."""
    names = [setting.name for setting in kind.touched(wanted)]
    batches: list[PlannedBatch] = []
    room: dict[str, int] = {}
    numbers: list[PlannedNumber] = []
    for snapshot in snapshots:
        before = {name: snapshot.values.get(name) for name in names}
        after = difference(kind, before, wanted)
        position = None
        if after:
            sent = payload(kind, before, wanted)
            position = _place(kind, sent, batches, room)
        numbers.append(PlannedNumber(id=snapshot.id, e164=snapshot.e164, before=before, after=after, batch=position))
    return Plan(
        kind=kind.name,
        numbers=tuple(numbers),
        batches=tuple(batches),
        digest=digest(kind.name, numbers, batches),
    )


def _place(kind: Kind, sent: Values, batches: list[PlannedBatch], room: dict[str, int]) -> int:
    """Put one more number into the open batch for ``sent``, opening one when there is none, and return its position."""
    key = canonical(dict(sent))
    index = room.get(key)
    if index is None or batches[index].size >= kind.batch_size:
        index = room[key] = len(batches)
        batches.append(PlannedBatch(position=index + 1, values=sent, size=0))
    batch = batches[index]
    batches[index] = PlannedBatch(position=batch.position, values=batch.values, size=batch.size + 1)
    return batch.position


def digest(kind: str, numbers: Sequence[PlannedNumber], batches: Sequence[PlannedBatch]) -> str:
    """Return the SHA-256 (hex) over the canonical form of a plan: its kind, every number and every value.

    Secrets count by their keyed fingerprint. The order of the numbers counts, because it decides the batches.
    """
    running = hashlib.sha256()
    running.update(canonical({"version": 1, "kind": kind}).encode())
    for batch in batches:
        running.update(canonical([batch.position, batch.size, _plain(batch.values)]).encode())
    for number in numbers:
        line = [number.id, number.e164, number.batch, _plain(number.before), _plain(number.after)]
        running.update(canonical(line).encode())
    return running.hexdigest()


def _plain(values: Values) -> dict[str, object]:
    """Return values ready for :func:`canonical`, which knows secrets by their fingerprint."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def summarise(
    kind: Kind,
    plan: Plan,
    wanted: Values,
    labels: Mapping[str, Mapping[str, str]],
    *,
    repeats: int,
    left_out: int = 0,
    locked: Sequence[Held] = (),
    conditions: Sequence[str] = (),
) -> Summary:
    """Return the figures of ``plan`` for cards and previews."""
    changed = [number for number in plan.numbers if number.batch is not None]
    paid = {
        name: count
        for name, count in (
            (name, sum(1 for number in changed if _switches_on(kind.setting(name), number))) for name in wanted
        )
        if count
    }
    return Summary(
        numbers=len(plan.numbers),
        unchanged=plan.unchanged,
        batches=len(plan.batches),
        wanted=wanted,
        labels=labels,
        repeats=repeats,
        left_out=left_out,
        locked=tuple(locked),
        conditions=tuple(conditions),
        sample=tuple(
            (number.e164, {name: number.before.get(name) for name in number.after}, number.after)
            for number in _telling(changed)
        ),
        paid=paid,
        losing={name: count for name in wanted if (count := _losing(kind.setting(name), changed))},
    )


def _telling(changed: Sequence[PlannedNumber]) -> list[PlannedNumber]:
    """Return a few numbers that say most: those that differ in what they have now come before those that repeat it."""
    unlike: dict[str, PlannedNumber] = {}
    for number in changed:
        if len(unlike) >= SAMPLE_SIZE:
            break
        unlike.setdefault(canonical(_plain({name: number.before.get(name) for name in number.after})), number)
    chosen = list(unlike.values())
    rest = (number for number in changed[: 2 * SAMPLE_SIZE] if number not in chosen)
    return [*chosen, *rest][:SAMPLE_SIZE]


def _losing(setting: Setting, changed: Sequence[PlannedNumber]) -> int:
    """Return how many numbers lose an entry of a list that is replaced whole."""
    if setting.shape is not Shape.TAGS:
        return 0
    return sum(
        1
        for n in changed
        if setting.name in n.after and _tags(n.before.get(setting.name)) - _tags(n.after[setting.name])
    )


def _switches_on(setting: Setting, number: PlannedNumber) -> bool:
    """Tell whether a paid setting goes from off, unset or ``disabled`` to anything else."""
    off = (None, False, "", "disabled")
    return (
        setting.paid
        and setting.name in number.after
        and number.after[setting.name] not in off
        and (number.before.get(setting.name) in off)
    )


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


def ids_to_name(kind: Kind, wanted: Values, plan: Plan) -> dict[str, set[str]]:
    """Return, per LOOKUP setting of the change, every id that a person will read in this plan."""
    names = [name for name in wanted if kind.setting(name).lookup]
    ids: dict[str, set[str]] = {name: set() for name in names}
    for number in plan.numbers:
        for name in names:
            for value in (number.before.get(name), number.after.get(name)):
                if isinstance(value, str) and value:
                    ids[name].add(value)
    for name in names:
        value = wanted[name]
        if isinstance(value, str) and value:
            ids[name].add(value)
    return ids
