"""From what a person typed to a request that can be planned, or to every reason why it cannot."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final, TypeVar

from bot.changes.input.times import UNTIL
from bot.changes.input.waves import CANARY, PAUSE, THRESHOLD, read_pause, read_threshold, read_waves
from bot.changes.model.draft import Draft
from bot.changes.model.filter_fields import PREFIX, Condition, read_filter
from bot.changes.model.foreign_lists import is_odd, unlisted
from bot.changes.model.kinds import Kind
from bot.changes.model.rollout import Pause, Rollout, Threshold, WaveSize, wave_sizes
from bot.changes.model.settings import Setting, read_value
from bot.changes.model.snapshots import Target
from bot.changes.model.start import End, Start
from bot.changes.model.values import EditMode, ListEdit, Secret, Values, Wish, Wishes
from bot.changes.numbers.parser import BadEntry, ParsedNumbers, read_numbers
from bot.changes.sheets.refusals import SHEET, named
from bot.changes.sheets.sheet import Sheet
from bot.changes.text.cells import is_bracketed, is_nothing
from bot.errors import InputError, InvalidValue, in_one

#: Field names of the form that are not settings. Problems are keyed by field name, those of one number box by
#: ``numbers:<box>``.
NUMBERS: Final = "numbers"
SETTINGS: Final = "settings"
REASON: Final = "reason"
EXCLUDED: Final = "excluded"

_Read = TypeVar("_Read")

#: Longest reason, in characters: it has to fit beside everything else on a card.
REASON_LENGTH: Final = 500
#: Stands for how many numbers there are where that is not known yet: no wave is empty for want of them.
_MANY: Final = 1_000_000
#: How many bad entries are named before the rest is only counted: an error line in a modal has to stay readable.
NAMED: Final = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A draft that makes sense: ready to be planned."""

    kind: Kind
    #: E.164 numbers and provider ids, without repeats.
    identifiers: tuple[str, ...]
    #: What every number is to get that has no value of its own.
    wanted: Wishes
    reason: str
    #: Repeated entries that were dropped.
    repeats: int
    #: Numbers that were given and that the requester chose to leave out, by the names that were given.
    dropped: frozenset[str]
    #: What numbers must be like, all of it, to be meant as well; none when only ``identifiers`` are meant.
    conditions: tuple[Condition, ...] = ()
    #: E.164 numbers and ids that are not meant, whatever else says so.
    excluded: tuple[str, ...] = ()
    #: E.164 number or id -> values of its own, which go before those of ``wanted``.
    rows: Mapping[str, Values] = field(default_factory=dict)
    #: When it is to happen; None for as soon as it may.
    start: Start | None = None
    #: When each number is to get back what it has now; None when the change lasts.
    until: End | None = None
    #: The waves before the rest; none when all numbers are sent together.
    waves: tuple[WaveSize, ...] = ()
    #: What happens between the waves.
    rollout: Rollout = field(default_factory=Rollout)
    #: Id -> the E.164 number that stands beside it in the sheet.
    beside: Mapping[str, str] = field(default_factory=dict)
    #: How many rows of the sheet count by their number because the id is none of the provider's.
    strange_ids: int = 0
    #: Names among those of ``rows`` whose values come from the change before; a sheet's row corrects them.
    carried: frozenset[str] = frozenset()
    #: What else people have to know of how the sheet was read.
    sheet_cautions: tuple[str, ...] = ()

    @property
    def pauses(self) -> timedelta:
        """How long the last wave waits for those before it at most; a plan may come to fewer waves."""
        numbers = len(self.identifiers) if self.identifiers and not self.conditions else _MANY
        return self.rollout.pause.length * max(len(wave_sizes(self.waves, numbers)) - 1, 0)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What people have to know of how the sheet was read."""
        if not self.strange_ids:
            return self.sheet_cautions
        rows = "1 row" if self.strange_ids == 1 else f"{self.strange_ids:,} rows"
        strange = f"in {rows} of the sheet the id is not one of this provider's, so the number next to it is used"
        return (*self.sheet_cautions, strange)

    @property
    def given(self) -> tuple[str, ...]:
        """All numbers that were given one by one, without repeats."""
        return tuple(dict.fromkeys((*self.identifiers, *self.rows)))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all settings that the request is about."""
        return tuple(dict.fromkeys((*self.wanted, *(name for row in self.rows.values() for name in row))))


def read_draft(kind: Kind, draft: Draft, *, is_id: Callable[[str], bool], max_numbers: int) -> Request:
    """Return the request that ``draft`` means.

    Raises :class:`bot.errors.InputError` with every problem at once, each under the field that has it. A sheet is
    not looked into here: its rows come in by :func:`with_sheet`.
    """
    problems: dict[str, str] = {}
    reading, conditions, excluded = _read_target(kind, draft, problems, is_id=is_id, max_numbers=max_numbers)
    _read_until(kind, draft, problems)
    # Rows of a sheet, or of the change before, may say what the form does not; the rule is then asked row by row.
    rows_only = bool(draft.sheet or draft.base) and not reading.identifiers and not draft.filters
    wanted = _read_values(kind, draft, problems, optional=rows_only)
    if not rows_only and not problems.keys() & kind.by_name.keys():
        problems |= kind.rule(without_edits(wanted))
    waves, rollout = _read_waves(draft, problems)
    reason = " ".join(draft.reason.split())
    if any(unicodedata.category(character) == "Cc" for character in reason):
        problems[REASON] = "The reason holds a control character, which nobody sees; type it again."
    elif not reason:
        problems[REASON] = "Give a reason, in a few words: the approver relies on it."
    elif len(reason) > REASON_LENGTH:
        problems[REASON] = f"Keep the reason under {REASON_LENGTH} characters; this has {len(reason)}."
    if problems:
        raise InputError(problems)
    unwanted = frozenset((*draft.left_out, *excluded))
    identifiers = tuple(identifier for identifier in reading.identifiers if identifier not in unwanted)
    return Request(
        kind=kind,
        identifiers=identifiers,
        wanted=wanted,
        reason=reason,
        repeats=reading.repeats,
        dropped=unwanted.intersection(reading.identifiers),
        conditions=conditions,
        excluded=tuple(unwanted),
        waves=waves,
        rollout=rollout,
    )


def read_target(kind: Kind, draft: Draft, *, is_id: Callable[[str], bool], max_numbers: int) -> Target:
    """Return the numbers that ``draft`` points at in the form, whatever is to become of them.

    Raises :class:`bot.errors.InputError` with every problem at once, each under the field that has it.
    """
    problems: dict[str, str] = {}
    reading, conditions, excluded = _read_target(kind, draft, problems, is_id=is_id, max_numbers=max_numbers)
    if problems:
        raise InputError(problems)
    unwanted = frozenset(excluded)
    identifiers = tuple(identifier for identifier in reading.identifiers if identifier not in unwanted)
    return Target(identifiers=identifiers, conditions=conditions, excluded=excluded, limit=max_numbers)


def _read_target(
    kind: Kind, draft: Draft, problems: dict[str, str], *, is_id: Callable[[str], bool], max_numbers: int
) -> tuple[ParsedNumbers, tuple[Condition, ...], tuple[str, ...]]:
    """Return the numbers, the conditions and the exclusions; what is wrong with them goes into ``problems``."""
    reading = read_numbers(draft.pasted, is_id=is_id)
    conditions = _read_conditions(kind, draft, problems)
    if reading.identifiers or reading.bad or not (draft.filters or draft.sheet or draft.base):
        problems |= _numbers_problems(reading, max_numbers)
    excluded = read_numbers([draft.excluded], is_id=is_id)
    if excluded.bad:
        problems[EXCLUDED] = _unreadable(excluded.bad)
    return reading, conditions, tuple(excluded.identifiers)


def without_edits(wanted: Wishes) -> Values:
    """Return the wishes that are values, without the edits of lists."""
    return {name: wish for name, wish in wanted.items() if not isinstance(wish, ListEdit)}


def with_sheet(request: Request, sheet: Sheet) -> Request:
    """Return ``request`` with the rows of a sheet that has no problems.

    Raises :class:`bot.errors.InputError` when it has no row, or nothing in it says what is to change.
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
        dropped=request.dropped.union(row.identifier for row in sheet.rows if row.identifier not in rows),
        beside={row.identifier: row.beside for row in wanted if row.beside},
        strange_ids=sheet.strange_ids,
        sheet_cautions=tuple(_cautions(sheet)),
    )


def by_number(request: Request, ids: Collection[str]) -> Request:
    """Return ``request`` with the numbers that stand beside ``ids`` in its sheet in place of those ids."""
    numbers = {each: request.beside[each] for each in ids}
    return replace(
        request,
        rows={numbers.get(key, key): values for key, values in request.rows.items()},
        identifiers=tuple(numbers.get(each, each) for each in request.identifiers),
        beside={key: number for key, number in request.beside.items() if key not in numbers},
        strange_ids=request.strange_ids + len(numbers),
    )


def _cautions(sheet: Sheet) -> Iterator[str]:
    """Yield what people have to know of how ``sheet`` was read."""
    if sheet.stage:
        yield sheet.stage.caution
    if sheet.left_out:
        columns = "column" if len(sheet.left_out) == 1 else f"{len(sheet.left_out):,} columns"
        names = named([f"“{heading}”" for heading in sheet.left_out])
        yield f"the sheet was read without its {columns} {names}"


def _read_conditions(kind: Kind, draft: Draft, problems: dict[str, str]) -> tuple[Condition, ...]:
    """Return what the filter asks for. A chosen filter without a value is a problem: dropped, it would mean more."""
    for key, typed in draft.filters.items():
        if not typed.strip():
            problems[f"{PREFIX}{key}"] = "Give a value, or remove this filter from “Filter by”."
    try:
        return read_filter(kind, draft.filters)
    except InputError as error:
        problems |= error.problems
        return ()


def _read_until(kind: Kind, draft: Draft, problems: dict[str, str]) -> None:
    """Note what cannot be taken back by itself: what is gone, and secrets, which are not kept in clear."""
    if not draft.until.strip():
        return
    chosen = [kind.by_name[name] for name in draft.chosen if name in kind.by_name]
    if kind.removes:
        problems[UNTIL] = "Deleted numbers cannot be restored, so this cannot be temporary. Leave this empty."
    elif secret := [setting.label for setting in chosen if setting.secret]:
        problems[UNTIL] = f"{', '.join(secret)} cannot be restored: Linesman does not keep secrets. Leave this empty."


def _read_waves(draft: Draft, problems: dict[str, str]) -> tuple[tuple[WaveSize, ...], Rollout]:
    waves = _read(CANARY, read_waves, draft.canary, problems)
    pause = _read(PAUSE, read_pause, draft.pause, problems)
    threshold = _read(THRESHOLD, read_threshold, draft.threshold, problems)
    if waves == ():
        for name, typed in ((PAUSE, draft.pause), (THRESHOLD, draft.threshold)):
            if typed.strip():  # ignored, it would send everything at once
                problems.setdefault(name, "This is for a change in waves: say which waves, or leave this empty.")
    return waves or (), Rollout(pause=pause or Pause(), threshold=threshold or Threshold())


def _read(name: str, read: Callable[[str], _Read], typed: str, problems: dict[str, str]) -> _Read | None:
    """Return what was typed into the field ``name``; None, with its problem noted, when that makes no sense."""
    try:
        return read(typed)
    except InvalidValue as error:
        problems.setdefault(name, str(error))
        return None


def _read_values(kind: Kind, draft: Draft, problems: dict[str, str], *, optional: bool) -> dict[str, Wish]:
    names = [s.name for s in kind.settings if s.always or s.name in draft.chosen]
    if not names and not optional and not kind.removes:
        problems[SETTINGS] = "Choose at least one setting to change."
    wanted: dict[str, Wish] = {}
    for name in names:
        setting = kind.setting(name)
        typed = draft.typed.get(name)
        if typed is None and setting.always:
            continue  # an optional part of the form: the kind's rule says when it is needed
        if isinstance(typed, Secret):
            if typed.sealed:
                wanted[name] = typed
            else:
                problems[name] = f"{setting.label} was not kept from before: type it again."
            continue
        try:
            wanted[name] = _read_wish(setting, "" if typed is None else str(typed), draft.ways.get(name))
        except InvalidValue as error:
            problems[name] = str(error)
    return wanted


def _read_wish(setting: Setting, typed: str, way: EditMode | None) -> Wish:
    value = read_value(setting, _meant(setting, typed) if setting.listed else typed)
    if way is None or not isinstance(value, tuple):
        return value
    if not value:
        raise InvalidValue(f"{setting.label}: say what to {way.value}, or choose to replace the list.")
    return ListEdit(way, value)


def _meant(setting: Setting, typed: str) -> str:
    """Return the list that was typed; raises for what other programs write for nothing, as sheets do.

    An apostrophe in front says that the characters are meant.
    """
    text = typed.strip()
    bare = text.removeprefix("'")
    odd = is_nothing(bare) or is_odd(setting, bare)
    if text != bare and (odd or is_bracketed(bare)):
        return bare
    if not odd:
        return unlisted(setting, typed)
    way = "clear the field to empty the list" if setting.clearable else "leave the setting out to keep what is set"
    raise InvalidValue(
        f"{setting.label}: “{text[:30]}” is what other programs write for nothing or for a list: {way}, write entries "
        "with commas between them, or put an apostrophe in front to mean these characters."
    )


def _numbers_problems(reading: ParsedNumbers, max_numbers: int) -> dict[str, str]:
    """Return the problems of the numbers; each bad entry is named at the box that it stands in."""
    if reading.bad:
        boxes = sorted({entry.box for entry in reading.bad})
        return {f"{NUMBERS}:{box}": _unreadable([e for e in reading.bad if e.box == box]) for box in boxes}
    if not reading.identifiers:
        return {NUMBERS: "Paste at least one number, such as +13035550100."}
    if len(reading.identifiers) > max_numbers:
        return {
            NUMBERS: f"That is {len(reading.identifiers):,} numbers; one change may have at most {max_numbers:,}. "
            "Split it into several changes."
        }
    return {}


def _unreadable(bad: Sequence[BadEntry]) -> str:
    named = [f"“{entry.text}” {entry.why}" for entry in bad[:NAMED]]
    if len(bad) == 1:
        return f"1 entry cannot be read: {named[0]}."
    if len(bad) > NAMED:
        named.append(f"and {len(bad) - NAMED} more")
    return f"{len(bad)} entries cannot be read:\n{in_one(named)}"
