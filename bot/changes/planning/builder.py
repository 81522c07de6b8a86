"""Building plans: the fewest calls that give every number its wanted values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from types import MappingProxyType
from typing import Final

from bot.changes.model.filter_fields import Condition
from bot.changes.model.kinds import EffectState, Kind
from bot.changes.model.list_edits import all_applied
from bot.changes.model.rollout import Rollout, WaveSize, wave_sizes
from bot.changes.model.snapshots import Snapshot
from bot.changes.model.start import End, Start
from bot.changes.model.values import Values, WantedValues
from bot.changes.planning.plan import Plan, PlannedBatch, PlannedNumber, difference, digest, meaning, payload


@dataclass(slots=True)
class _Shared:
    """The part of a row's values that is sent, for numbers with the same row."""

    row: Values
    #: Names of the row's values that some of its numbers do not have yet.
    differing: set[str]
    #: The names of all values to send; None until first needed.
    names: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class _Draft:
    """One number before its batch is known."""

    snapshot: Snapshot
    before: Values
    beside: Values
    values: Values
    after: Values
    #: None when the number is left alone.
    shared: _Shared | None


@dataclass(frozen=True, slots=True)
class _Placement:
    """All batches, and the position of each number's batch, None where it is left alone."""

    batches: Sequence[PlannedBatch]
    positions: Sequence[int | None]
    #: How many numbers change.
    changing: int


class _Sharing:
    """Finds out which values of equal rows must be sent."""

    def __init__(self, kind: Kind, wanted: WantedValues) -> None:
        self._kind = kind
        self._wanted = frozenset(wanted)
        self._by_row: dict[str, _Shared] = {}
        #: Equal rows are mostly the same object, which saves serialising them for the comparison.
        self._by_identity: dict[int, _Shared] = {}

    def add(self, row: Values, after: Values) -> _Shared:
        """Take in a number that changes by ``after``, and return what it shares with the others of its row."""
        shared = self._by_identity.get(id(row)) if row else None
        if shared is None:
            shared = self._by_row.setdefault(meaning(self._kind, row), _Shared(row, set()))
            if row:
                self._by_identity[id(row)] = shared
        shared.differing.update(name for name in after if name in shared.row)
        return shared

    def of(self, shared: _Shared, values: Values) -> Values:
        """Return those of ``values`` that are sent: the values for all numbers, and the needed ones of the row.

        If the kind requires some values together, the whole row is sent.
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
    wanted: WantedValues,
    snapshots: Iterable[Snapshot],
    rows: Mapping[str, Values] = _NO_ROWS,
    *,
    start: Start | None = None,
    until: End | None = None,
    waves: Sequence[WaveSize] = (),
    rollout: Rollout | None = None,
) -> Plan:
    """Return the plan that fulfils ``wanted`` for every number of ``snapshots``, in their order, in the fewest calls.

    ``rows`` has, by id, numbers with values of their own, which override those of ``wanted``. A row's value is left out
    if all numbers with the same row have it already: a sheet of current values, uploaded again with one edited column,
    takes no more calls than that column alone. The changing numbers are divided into ``waves``, in their order, and the
    rest; each wave has its own batches. ``rollout`` says what happens between two waves.
    """
    sharing = _Sharing(kind, wanted)
    drafts = _drafted(kind, wanted, snapshots, rows, sharing)
    sizes = wave_sizes(waves, sum(1 for draft in drafts if draft.shared is not None))
    placement = _placed(kind, drafts, sharing.of, sizes)
    if rows and len(placement.batches) > -(-placement.changing // kind.batch_size):
        # A value that one row needs and another has already can separate two rows that are equal when sent whole.
        placement = min(placement, _placed(kind, drafts, _whole, sizes), key=lambda it: len(it.batches))
    numbers = [
        PlannedNumber(
            id=draft.snapshot.id,
            e164=draft.snapshot.e164,
            before=draft.before,
            after=draft.after,
            batch=position,
            beside=draft.beside,
            doubt=draft.snapshot.doubt,
        )
        for draft, position in zip(drafts, placement.positions, strict=True)
    ]
    between = rollout if rollout and len(sizes) > 1 else Rollout()
    return Plan(
        kind=kind.name,
        numbers=tuple(numbers),
        batches=tuple(placement.batches),
        digest=digest(kind.name, numbers, placement.batches, start, until, rollout=between),
        start=start,
        until=until,
        rollout=between,
    )


def _drafted(
    kind: Kind, wanted: WantedValues, snapshots: Iterable[Snapshot], rows: Mapping[str, Values], sharing: _Sharing
) -> list[_Draft]:
    """Return what each number has and gets; most are like the previous one, so that is not computed again."""
    drafts: list[_Draft] = []
    touched: dict[tuple[str, ...], list[str]] = {}
    latest: tuple[Values, _Draft] | None = None
    for snapshot in snapshots:
        row = rows.get(snapshot.id, {})
        if latest is not None and row == latest[0] and snapshot.values == latest[1].snapshot.values:
            like = latest[1]
            drafts.append(_Draft(snapshot, like.before, like.beside, like.values, like.after, like.shared))
            continue
        every = {**wanted, **row}
        names = touched.setdefault(tuple(every), [])
        if not names:
            names += [setting.name for setting in kind.touched(every)]
        before = {name: snapshot.values[name] for name in names if name in snapshot.values}
        values = all_applied(kind.by_name, every, before)
        after = difference(kind, before, values)
        if not after and _in_doubt(kind, values, snapshot.values):
            after = values  # it has the values, but nobody knows them to be in effect, so they are sent and watched
        elif after:
            after = {name: values[name] for name in kind.always if name in values} | after
        beside = {name: value for name, value in snapshot.values.items() if name not in before}
        shared = sharing.add(row, after) if after or kind.removes else None
        latest = row, _Draft(snapshot, before, beside, values, after, shared)
        drafts.append(latest[1])
    return drafts


def _in_doubt(kind: Kind, values: Values, found: Values) -> bool:
    """Tell whether the provider says anything but that ``values``, which a number has, are in effect.

    Where it says nothing at all, sending them again would tell no more.
    """
    stands = kind.stands(values, found)
    told = stands is not EffectState.UNTOLD or any(found.get(each.name) for each in kind.statuses)
    return told and stands is not EffectState.DONE


def handed_over(kind: Kind, wanted: Values, conditions: tuple[Condition, ...], start: Start | None = None) -> Plan:
    """Return the plan of one call whose numbers only the provider can tell: the values, and the filter."""
    batches = (PlannedBatch(position=1, values=wanted, size=0, handed=conditions),)
    sealed = digest(kind.name, (), batches, start)
    return Plan(kind=kind.name, numbers=(), batches=batches, digest=sealed, start=start)


def _whole(shared: _Shared, values: Values) -> Values:  # noqa: ARG001 - stands in for _Sharing.of
    return values


def _placed(
    kind: Kind, drafts: Sequence[_Draft], of: Callable[[_Shared, Values], Values], sizes: Sequence[int]
) -> _Placement:
    """Put every changing number into a batch with numbers of its wave that are sent the same.

    ``of`` says what is sent, ``sizes`` how many numbers each wave has.
    """
    changing = 0
    ends = frozenset(accumulate(sizes))
    filling = _Filling(kind)
    positions: list[int | None] = []
    latest: _Draft | None = None
    sent: Values = {}
    for draft in drafts:
        position = None
        if draft.shared is not None:
            if changing in ends:
                filling.next_wave()  # this wave is complete, and its batches are closed
            changing += 1
            if latest is None or draft.before is not latest.before or draft.values is not latest.values:
                latest, sent = draft, payload(kind, draft.before, of(draft.shared, draft.values))
            position = filling.place(sent)
        positions.append(position)
    return _Placement(filling.batches, positions, changing)


class _Filling:
    """Batches while they are being filled."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._wave = 1
        #: The values that each batch sends, and its wave.
        self._opened: list[tuple[Values, int]] = []
        self._sizes: list[int] = []
        #: The meaning of the sent values -> the index of its open batch.
        self._open: dict[str, int] = {}
        #: The values sent for the latest number, and their meaning: most neighbours are sent the same.
        self._latest: tuple[Values | None, str] = (None, "")

    def place(self, sent: Values) -> int:
        """Put one more number into the open batch for ``sent``, or into a new one; return its position."""
        if sent != self._latest[0]:
            self._latest = (sent, meaning(self._kind, sent))
        key = self._latest[1]
        index = self._open.get(key)
        if index is None or self._sizes[index] >= self._kind.batch_size:
            index = self._open[key] = len(self._opened)
            self._opened.append((sent, self._wave))
            self._sizes.append(0)
        self._sizes[index] += 1
        return index + 1

    def next_wave(self) -> None:
        """Close the current batches."""
        self._open.clear()
        self._wave += 1

    @property
    def batches(self) -> list[PlannedBatch]:
        """The batches in their order."""
        return [
            PlannedBatch(position=position, values=values, size=size, wave=wave)
            for position, ((values, wave), size) in enumerate(zip(self._opened, self._sizes, strict=True), start=1)
        ]
