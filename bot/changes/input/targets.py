"""From given numbers and filters to the numbers that are meant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from bot.changes.model.draft import Draft
from bot.changes.model.filter_fields import PREFIX, Condition, read_filter
from bot.changes.model.kinds import Kind
from bot.changes.model.snapshots import Target
from bot.changes.numbers.parser import BadEntry, ParsedNumbers, read_numbers
from bot.changes.text.counts import first_lines
from bot.errors import InputError, in_one

#: Fields of the form. Problems are keyed by field, those of one number box by ``numbers:<box>``.
NUMBERS: Final = "numbers"
EXCLUDED: Final = "excluded"

#: How many bad entries are named; the rest are only counted, so that an error line in a modal stays readable.
NAMED: Final = 8


def read_target(kind: Kind, draft: Draft, *, is_id: Callable[[str], bool], max_numbers: int) -> Target:
    """Return the numbers that ``draft`` points at in the form, whatever is to happen to them.

    Raises :class:`bot.errors.InputError` with every problem at once, each under its field.
    """
    problems: dict[str, str] = {}
    reading, conditions, excluded = target_parts(kind, draft, problems, is_id=is_id, max_numbers=max_numbers)
    if problems:
        raise InputError(problems)
    unwanted = frozenset(excluded)
    identifiers = tuple(identifier for identifier in reading.identifiers if identifier not in unwanted)
    return Target(identifiers=identifiers, conditions=conditions, excluded=excluded, limit=max_numbers)


def target_parts(
    kind: Kind, draft: Draft, problems: dict[str, str], *, is_id: Callable[[str], bool], max_numbers: int
) -> tuple[ParsedNumbers, tuple[Condition, ...], tuple[str, ...]]:
    """Return the numbers, the conditions and the exclusions; their problems go into ``problems``."""
    reading = read_numbers(draft.pasted, is_id=is_id)
    conditions = _read_conditions(kind, draft, problems)
    if reading.identifiers or reading.bad or not (draft.filters or draft.sheet or draft.base):
        problems |= _numbers_problems(reading, max_numbers)
    excluded = read_numbers([draft.excluded], is_id=is_id)
    if excluded.bad:
        problems[EXCLUDED] = _unreadable(excluded.bad)
    return reading, conditions, tuple(excluded.identifiers)


def _read_conditions(kind: Kind, draft: Draft, problems: dict[str, str]) -> tuple[Condition, ...]:
    """Return the filter's conditions. A chosen filter without a value is a problem: without it, more would match."""
    for key, typed in draft.filters.items():
        if not typed.strip():
            problems[f"{PREFIX}{key}"] = "Give a value, or remove this filter from “Filter by”."
    try:
        return read_filter(kind, draft.filters)
    except InputError as error:
        problems |= error.problems
        return ()


def _numbers_problems(reading: ParsedNumbers, max_numbers: int) -> dict[str, str]:
    """Return the problems of the numbers; each bad entry is named at its box."""
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
    named = [f"“{entry.text}” {entry.why}" for entry in bad]
    if len(bad) == 1:
        return f"1 entry cannot be read: {named[0]}."
    return f"{len(bad):,} entries cannot be read:\n{in_one(first_lines(named, NAMED))}"
