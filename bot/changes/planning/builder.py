"""Building plans: the fewest calls that give every number what is wanted of it."""

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
    beside: Values
    values: Values
    after: Values
    #: None when the number is left alone.
    shared: _Shared | None


@dataclass(frozen=True, slots=True)
class _Placement:
    """Which batches there are, and the position of each number's, None where it is left alone."""

    batches: Sequence[PlannedBatch]
    positions: Sequence[int | None]
    #: How many numbers are not left alone.
    changing: int


class _Sharing:
    """Finds out which values of equal rows have to be sent."""

    def __init__(self, kind: Kind, wanted: WantedValues) -> None:
        self._kind = kind
        self._wanted = frozenset(wanted)
        self._by_row: dict[str, _Shared] = {}
        #: Equal rows are mostly one and the same object, which spares writing them down to compare them.
        self._by_identity: dict[int, _Shared] = {}

    def add(self, row: Values, after: Values) -> _Shared:
        """Take in a number that changes by ``after`` and return what it shares with those of the same row."""
        shared = self._by_identity.get(id(row)) if row else None
        if shared is None:
            shared = self._by_row.setdefault(meaning(self._kind, row), _Shared(row, set()))
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

    ``rows`` has, by id, numbers with values of their own, which go before those of ``wanted``. Of a row's values those
    are sent that no number with the same row has yet: a sheet of current values, uploaded again with one column
    edited, takes no more calls than that column alone. The numbers that change are parted into ``waves``, in their
    order, and the rest; each wave has batches of its own. ``rollout`` says what happens between two of them.
    """
    sharing = _Sharing(kind, wanted)
    drafts = _drafted(kind, wanted, snapshots, rows, sharing)
    sizes = wave_sizes(waves, sum(1 for draft in drafts if draft.shared is not None))
    placement = _placed(kind, drafts, sharing.of, sizes)
    if rows and len(placement.batches) > -(-placement.changing // kind.batch_size):
        # A value that one row needs and another has already can part two rows that are one when sent whole.
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
    """Return what each number has and gets; most are like the one before, and that is not worked out again."""
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
        if not after and kind.stands(values, snapshot.values) in {EffectState.FAILED, EffectState.CONTRARY}:
            after = values  # it has the values and they are not in effect, so they are asked for once more
        beside = {name: value for name, value in snapshot.values.items() if name not in before}
        shared = sharing.add(row, after) if after or kind.removes else None
        latest = row, _Draft(snapshot, before, beside, values, after, shared)
        drafts.append(latest[1])
    return drafts


def handed_over(kind: Kind, wanted: Values, conditions: tuple[Condition, ...], start: Start | None = None) -> Plan:
    """Return the plan of one call whose numbers only the provider can tell: their values, and what they are like."""
    batches = (PlannedBatch(position=1, values=wanted, size=0, handed=conditions),)
    sealed = digest(kind.name, (), batches, start)
    return Plan(kind=kind.name, numbers=(), batches=batches, digest=sealed, start=start)


def _whole(shared: _Shared, values: Values) -> Values:  # noqa: ARG001 - stands in for _Sharing.of
    return values


def _placed(
    kind: Kind, drafts: Sequence[_Draft], of: Callable[[_Shared, Values], Values], sizes: Sequence[int]
) -> _Placement:
    """Put every number that changes into a batch of those of its wave that are sent the same.

    ``of`` says what that is, ``sizes`` how many numbers each wave has.
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
                filling.next_wave()  # this one is complete, and nothing more goes into its batches
            changing += 1
            if latest is None or draft.before is not latest.before or draft.values is not latest.values:
                latest, sent = draft, payload(kind, draft.before, of(draft.shared, draft.values))
            position = filling.place(sent)
        positions.append(position)
    return _Placement(filling.batches, positions, changing)


class _Filling:
    """Batches while numbers are put into them."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._wave = 1
        #: What each batch sends, and its wave.
        self._opened: list[tuple[Values, int]] = []
        self._sizes: list[int] = []
        #: The meaning of what is sent -> the index of its open batch.
        self._open: dict[str, int] = {}
        #: What the latest number is sent, and what that means: most neighbours are sent the same.
        self._latest: tuple[Values | None, str] = (None, "")

    def place(self, sent: Values) -> int:
        """Put one more number into the open batch for ``sent``, opening one when there is none; return its position."""
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
        """Put nothing more into the batches that there are."""
        self._open.clear()
        self._wave += 1

    @property
    def batches(self) -> list[PlannedBatch]:
        """The batches in their order."""
        return [
            PlannedBatch(position=position, values=values, size=size, wave=wave)
            for position, ((values, wave), size) in enumerate(zip(self._opened, self._sizes, strict=True), start=1)
        ]
