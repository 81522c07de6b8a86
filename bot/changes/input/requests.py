"""A valid request, ready to be planned, and the sheet that is added to it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from bot.changes.model.filter_fields import Condition
from bot.changes.model.kinds import Kind
from bot.changes.model.rollout import Rollout, WaveSize, wave_sizes
from bot.changes.model.start import End, Start
from bot.changes.model.values import Values, WantedValues
from bot.changes.sheets.refusals import SHEET, named
from bot.changes.sheets.sheet import Sheet
from bot.changes.text.counts import counted
from bot.errors import InputError

#: Stands for an unknown number of numbers, large enough that no wave is empty.
_MANY: Final = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A valid draft, ready to be planned."""

    kind: Kind
    #: E.164 numbers and provider ids, without repeats.
    identifiers: tuple[str, ...]
    #: The values for every number that has none of its own.
    wanted: WantedValues
    reason: str
    #: Repeated entries that were dropped.
    repeats: int
    #: Given or found numbers that the requester chose to leave out, each by one name.
    dropped: frozenset[str]
    #: Conditions that numbers must all meet to be included as well; empty when only ``identifiers`` are meant.
    conditions: tuple[Condition, ...] = ()
    #: E.164 numbers and ids to leave out, whatever else includes them.
    excluded: tuple[str, ...] = ()
    #: Those of ``excluded`` that were typed as exclusions.
    exclusions: tuple[str, ...] = ()
    #: E.164 number or id -> its own values, which override those of ``wanted``.
    rows: Mapping[str, Values] = field(default_factory=dict)
    #: When it is to happen; None for as soon as possible.
    start: Start | None = None
    #: When each number is to get its current values back; None when the change lasts.
    until: End | None = None
    #: The waves before the rest; empty when all numbers are sent together.
    waves: tuple[WaveSize, ...] = ()
    #: What happens between the waves.
    rollout: Rollout = field(default_factory=Rollout)
    #: Id -> the E.164 number beside it in the sheet.
    beside: Mapping[str, str] = field(default_factory=dict)
    #: How many rows of the sheet count by their number because the provider does not know the id.
    strange_ids: int = 0
    #: Other notes for people about how the sheet was read.
    sheet_cautions: tuple[str, ...] = ()

    @property
    def pauses(self) -> timedelta:
        """The longest time that the last wave waits for the earlier ones; a plan may have fewer waves."""
        numbers = len(self.identifiers) if self.identifiers and not self.conditions else _MANY
        return self.rollout.pause.length * max(len(wave_sizes(self.waves, numbers)) - 1, 0)

    @property
    def cautions(self) -> tuple[str, ...]:
        """Notes for people about how the sheet was read."""
        if not self.strange_ids:
            return self.sheet_cautions
        rows = counted(self.strange_ids, "row")
        strange = f"in {rows} of the sheet the id is not one of this provider's, so the number next to it is used"
        return (*self.sheet_cautions, strange)

    @property
    def given(self) -> tuple[str, ...]:
        """All numbers given one by one, without repeats."""
        return tuple(dict.fromkeys((*self.identifiers, *self.rows)))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all settings that the request is about."""
        return tuple(dict.fromkeys((*self.wanted, *(name for row in self.rows.values() for name in row))))


def with_sheet(request: Request, sheet: Sheet) -> Request:
    """Return ``request`` with the rows of a sheet that has no problems.

    Raises :class:`bot.errors.InputError` when it has no row, or nothing in it says what to change.
    """
    if not sheet.rows:
        raise InputError({SHEET: "The sheet has no numbers: there is nothing below its headings."})
    unwanted = frozenset(request.excluded)
    wanted = [row for row in sheet.rows if unwanted.isdisjoint((row.identifier, row.beside))]
    rows = {row.identifier: row.values for row in wanted}
    if not request.kind.removes and not request.wanted and not any(row.values for row in sheet.rows):
        raise InputError(
            {SHEET: "The sheet has numbers but no values: fill in a column, or choose settings in the form."}
        )
    return replace(
        request,
        rows=rows,
        repeats=request.repeats + sheet.repeats + len(set(request.identifiers) & set(rows)),
        dropped=request.dropped.union(
            row.beside if row.beside in unwanted else row.identifier for row in sheet.rows if row.identifier not in rows
        ),
        beside={row.identifier: row.beside for row in wanted if row.beside},
        strange_ids=sheet.strange_ids,
        sheet_cautions=tuple(_cautions(sheet)),
    )


def with_carried(request: Request, rows: Mapping[str, Values], numbers: Mapping[str, str]) -> Request:
    """Return ``request`` with numbers of an earlier change, without those excluded by either name.

    ``rows`` has id -> its own values, and ``numbers`` id -> E.164. If the sheet has a row for such a number, under
    either name, that row's values replace those of the earlier change; the others stay.
    """
    unwanted = frozenset(request.excluded)
    kept = {id_: row for id_, row in rows.items() if unwanted.isdisjoint((id_, numbers.get(id_, id_)))}
    ids = {name: id_ for id_ in kept for name in (id_, numbers.get(id_, id_))} if request.rows else {}
    known = {key: ids.get(key) or ids.get(request.beside.get(key, ""), "") for key in request.rows}
    corrected = {key: {**kept.get(known[key], {}), **row} for key, row in request.rows.items()}
    seen = frozenset(known.values())
    alone = {id_: row for id_, row in kept.items() if id_ not in seen}
    return replace(request, rows={**alone, **corrected}, dropped=request.dropped | (rows.keys() - kept.keys()))


def without(request: Request, names: frozenset[str]) -> Request:
    """Return ``request`` without the numbers called by ``names``, which count as left out."""
    return replace(
        request,
        identifiers=tuple(each for each in request.identifiers if each not in names),
        rows={key: row for key, row in request.rows.items() if key not in names},
        dropped=request.dropped | names,
    )


def by_number(request: Request, ids: Collection[str]) -> Request:
    """Return ``request`` with ``ids`` replaced by the numbers beside them in its sheet."""
    numbers = {each: request.beside[each] for each in ids}
    return replace(
        request,
        rows={numbers.get(key, key): values for key, values in request.rows.items()},
        identifiers=tuple(numbers.get(each, each) for each in request.identifiers),
        beside={key: number for key, number in request.beside.items() if key not in numbers},
        strange_ids=request.strange_ids + len(numbers),
    )


def _cautions(sheet: Sheet) -> Iterator[str]:
    """Yield notes for people about how ``sheet`` was read."""
    if sheet.stage:
        yield sheet.stage.caution
    if sheet.left_out:
        columns = "column" if len(sheet.left_out) == 1 else f"{len(sheet.left_out):,} columns"
        names = named([f"“{heading}”" for heading in sheet.left_out])
        yield f"the sheet was read without its {columns} {names}"
