"""Headings: finding what each column holds, in any spelling."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Final

from bot.changes.model.kinds import Kind
from bot.changes.model.settings import Setting
from bot.changes.sheets.cells import plain
from bot.changes.sheets.number_names import SELDOM, USUAL
from bot.changes.sheets.refusals import named, shown
from bot.changes.sheets.stages import FOR_READING_ONLY, OUTCOMES, Stage, stage_read, staged
from bot.errors import InvalidValue

#: Heading of the column that :func:`bot.changes.sheets.marking.marked` writes.
ERRORS: Final = "Errors"
#: Heading of the number column in sheets that Linesman makes.
NUMBER: Final = "number"

_ID: Final = frozenset({"id", "ids", "numberid", "phonenumberid", "telephonenumberid"})
_OURS: Final = frozenset({"errors", "error", "status"} | {name.replace("_", "") for name in FOR_READING_ONLY})
#: Endings of the provider's field names that people leave out.
_TAILS: Final = ("_enabled", "_id")


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """The meaning of one sheet's columns; positions count from 0."""

    #: As typed, on one line, shortened if long.
    headings: tuple[str, ...]
    #: Positions of the number column and the id column; one of them is enough.
    number: int | None
    id: int | None
    settings: tuple[tuple[int, Setting], ...]
    #: Columns of Linesman's own sheets that are not read.
    ours: frozenset[int]
    #: Unknown columns that nobody has left out yet.
    foreign: tuple[int, ...]
    #: Unknown columns that the requester left out.
    left_out: frozenset[int]
    #: Other problems with the headings, one sentence each.
    problems: tuple[str, ...]
    #: Which columns of a sheet made by Linesman give the values; None for other sheets.
    stage: Stage | None = None
    #: Position of the column with each number's outcome.
    outcome: int | None = None

    @property
    def identifies(self) -> bool:
        """Whether there is a column in which numbers can be found."""
        return self.number is not None or self.id is not None

    def passes_over(self, cells: Sequence[object]) -> bool:
        """Tell whether the row of ``cells`` gives no values, because this change is not meant to touch its number."""
        at = self.outcome
        return self.stage is not None and at is not None and at < len(cells) and self.stage.passes_over(cells[at])

    @property
    def known(self) -> int:
        """How many columns are understood."""
        return len(self.settings) + len(self.ours) + (self.number is not None) + (self.id is not None)

    @property
    def read(self) -> frozenset[int]:
        """Positions of the columns that give numbers, ids or values."""
        return frozenset(at for at in (self.number, self.id, *(at for at, _ in self.settings)) if at is not None)

    def title(self, position: int) -> str:
        """Return the name of the column at ``position``: its heading, or its letters."""
        heading = self.headings[position] if position < len(self.headings) else ""
        return heading or letters(position)


def key(heading: str) -> str:
    """Return ``heading`` without case, blanks, dashes and signs, which people write in different ways."""
    return "".join(c for c in unicodedata.normalize("NFKC", heading).casefold() if c.isalnum())


def letters(position: int) -> str:
    """Return a spreadsheet's name for the column at ``position``: A, B, ..., Z, AA."""
    name = ""
    position += 1
    while position:
        position, letter = divmod(position - 1, 26)
        name = chr(ord("A") + letter) + name
    return name


def heading_of(cell: object) -> str:
    """Return the heading in ``cell``, of any type; empty when it is blank."""
    try:
        return plain(cell)
    except InvalidValue:
        return str(cell)


def understand(kind: Kind, cells: Sequence[object], left_out: Collection[str] = ()) -> Columns:
    """Return the meaning of the columns headed by ``cells`` for a change of ``kind``.

    ``left_out`` has headings, as in :attr:`Columns.headings`, that are not read if unknown.
    """
    typed = [heading_of(cell) for cell in cells]
    headings = tuple(shown(heading) for heading in typed)
    withheld = _spellings(replace(kind, settings=kind.withheld))
    names = {**dict.fromkeys(withheld, "#withheld"), **_spellings(kind)}
    places: dict[str, list[int]] = defaultdict(list)
    unknown: list[int] = []
    ours: set[int] = set()
    known = (*kind.by_name.values(), *kind.withheld)
    spelt = {key(spelling): each for each in known for spelling in (each.label, each.name)}
    told: dict[int, tuple[Setting, Stage]] = {}
    for position, heading in enumerate(typed):
        word = key(heading)
        if not heading:
            continue
        if word in names:
            places[names[word]].append(position)
        elif word in _OURS:
            ours.add(position)
        elif (at_stage := staged(word, spelt)) is not None:
            told[position] = at_stage
        else:
            unknown.append(position)
    settable = {position: each for position, each in told.items() if each[0] in kind.settings}
    stage = stage_read(list(settable.values()), plain=any(name in kind.by_name for name in places))
    for position, (setting, when) in told.items():
        if when is stage and position in settable and not setting.secret:
            places[setting.name].append(position)
        else:
            ours.add(position)
    for position in sorted(places.pop("#seldom", ()), key=lambda at: SELDOM.index(key(typed[at]))):
        if "#number" in places:
            unknown.append(position)
        else:
            places["#number"].append(position)
    withheld_at = places.pop("#withheld", [])
    found = {name: positions[0] for name, positions in places.items()}
    return Columns(
        headings=headings,
        number=found.get("#number"),
        id=found.get("#id"),
        settings=tuple(sorted((at, kind.setting(name)) for name, at in found.items() if name in kind.by_name)),
        ours=frozenset((*ours, *withheld_at)),
        foreign=tuple(at for at in sorted(unknown) if headings[at] not in left_out),
        left_out=frozenset(at for at in unknown if headings[at] in left_out),
        problems=(*_twice(headings, places), *_secrets(kind, found), *_withheld(headings, withheld_at)),
        stage=stage,
        outcome=next((at for at in sorted(ours) if key(typed[at]) in OUTCOMES), None),
    )


def _spellings(kind: Kind) -> Mapping[str, str]:
    """Return key of a heading -> setting name, ``#number``, ``#seldom`` (the number if no other column is) or ``#id``.

    Names and labels come first; shorter spellings count if they can mean only one setting.
    """
    exact = {key(s.label): s.name for s in kind.settings} | {key(s.name): s.name for s in kind.settings}
    exact = dict.fromkeys(SELDOM, "#seldom") | dict.fromkeys(_ID, "#id") | dict.fromkeys(USUAL, "#number") | exact
    shorter: dict[str, set[str]] = defaultdict(set)
    for setting in kind.settings:
        for spelling in _shorter(setting.name):
            shorter[key(spelling)].add(setting.name)
    return {word: next(iter(names)) for word, names in shorter.items() if len(names) == 1} | exact


def _shorter(name: str) -> Iterator[str]:
    path = name.split(".")
    for start in range(len(path)):
        short = ".".join(path[start:])
        yield short
        for tail in _TAILS:
            yield short.removesuffix(tail)


def nearest(kind: Kind, columns: Columns) -> dict[int, str]:
    """Return position -> the probably intended heading, for unknown columns."""
    readable = [setting for setting in kind.settings if not setting.secret]
    words = {key(spelling): s.label for s in readable for spelling in (s.name, *_shorter(s.name), s.label)}
    words |= dict.fromkeys(USUAL, NUMBER)
    near = {at: get_close_matches(key(columns.headings[at]), words, n=1, cutoff=0.7) for at in columns.foreign}
    return {at: words[found[0]] for at, found in near.items() if found}


def _twice(headings: Sequence[str], places: Mapping[str, Sequence[int]]) -> Iterator[str]:
    for positions in places.values():
        if len(positions) > 1:
            *names, last = [f"“{headings[at]}” (column {letters(at)})" for at in positions]
            yield f"{named(names)} and {last} mean the same; keep one of them."


def _withheld(headings: Sequence[str], positions: Sequence[int]) -> Iterator[str]:
    """Yield the problems of secret columns without a key: renaming them would not help."""
    for at in positions:
        yield (
            f"“{headings[at]}” ({letters(at)}) is a secret, which cannot be given in a sheet: the file stays in Slack "
            "with every one in it. It cannot be typed into the form either, because LINESMAN_SECRET_KEY is not set: "
            "ask whoever runs Linesman. Remove the column."
        )


def _secrets(kind: Kind, found: Mapping[str, int]) -> Iterator[str]:
    for setting in kind.settings:
        if setting.secret and setting.name in found:
            label = setting.label[0].lower() + setting.label[1:]
            word = setting.label.split()[-1]
            # Sealing it here would not help: an app cannot delete files that people upload.
            yield (
                f"The {label} cannot be given in a sheet: the file stays in Slack and would show every {word} in it. "
                f"Remove the column, type one {word} into the form, and ask for a separate change for each other "
                f"{word}."
            )
