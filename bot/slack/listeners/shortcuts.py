"""The shortcuts "New number change" and "Change these numbers"."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from bot.changes.model.draft import Draft
from bot.changes.numbers.parser import BadEntry, ParsedNumbers
from bot.changes.text.counts import first_few
from bot.slack.interactions import Shortcut
from bot.slack.listeners.opening import boxes_of, fill_form, open_form
from bot.slack.manifest import CHANGE_THESE, NEW_CHANGE
from bot.slack.message_text import files_of, texts_of
from bot.slack.registry import Registry
from bot.slack.services import Services
from bot.slack.views.elements import code, escape
from bot.slack.views.form import MOST_BOXES
from bot.slack.views.preview import notice
from bot.slack.views.sheet_field import first_sheet

#: From this many digits on, an unreadable entry may be a number with a typing error, and not just prose.
LIKE_A_NUMBER: Final = 7
#: From this many digits on, a word without a letter may be the end of a number: "303-555-0100, 01 and 02".
ABBREVIATED: Final = 2
#: Most such entries that are named; the rest are only counted.
NAMED: Final = 5


def register(registry: Registry) -> None:
    """Listen to the shortcuts."""
    registry.on_shortcut(NEW_CHANGE, open_form, "global shortcut")
    registry.on_shortcut(CHANGE_THESE, _change_these, "message shortcut")


async def _change_these(services: Services, shortcut: Shortcut) -> None:
    """Open the form with the numbers of the message, or say why there are none."""
    view = await services.open(shortcut)
    message = shortcut.message
    # A long message takes a while to read; the loop has clicks to answer meanwhile.
    reading = await asyncio.to_thread(services.number_lookup.read, texts_of(message))
    doubtful = _doubtful(reading)
    boxes = boxes_of("\n".join(reading.identifiers))
    problem = ""
    sheet, passed_over = first_sheet(files_of(message))
    notes = [*([_doubt(doubtful)] if doubtful else []), *map(escape, passed_over)]
    if not reading.identifiers and sheet is None:
        problem = " ".join(["There are no phone numbers in this message.", *notes])
    elif len(boxes) > MOST_BOXES:
        room = "".join(boxes[:MOST_BOXES]).count("\n")
        problem = (
            f"This message has {len(reading.identifiers):,} numbers, but the form holds only {room:,}. The "
            "form was not opened, so that no number is lost: split the list into several messages."
        )
    if problem:
        await services.show(view, notice(problem))
        return
    await fill_form(
        services,
        shortcut,
        view,
        kind=None,
        draft=Draft(kind="", pasted=boxes, sheet=sheet),
        notes=notes,
    )


def _doubtful(reading: ParsedNumbers) -> list[BadEntry]:
    """Return what may be a number or, beside numbers, the end of one; what looks most like a number comes first."""
    found = {bad.text: bad for bad in reading.bad if _digits(bad.text) >= LIKE_A_NUMBER}
    if reading.identifiers:
        found |= {bad.text: bad for bad in reading.bad if any(map(_is_an_end, bad.text.split()))}
    return list(found.values())


def _is_an_end(word: str) -> bool:
    return _digits(word) >= ABBREVIATED and not any(map(str.isalpha, word))


def _digits(text: str) -> int:
    return sum(map(str.isdecimal, text))


def _doubt(doubtful: Sequence[BadEntry]) -> str:
    """Return entries that look like numbers but are not used; nothing may be left out silently."""
    named = [f"{code(bad.text)} {escape(bad.why)}" for bad in doubtful]
    return f"Not taken from the message, because it cannot be read: {first_few(named, NAMED, between='; ')}."
