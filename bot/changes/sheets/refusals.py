"""Refusing a file as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.changes.text.counts import first_few
from bot.errors import InputError

#: The form's field for the sentence.
SHEET: Final = "sheet"
#: Longest text from a file that a sentence shows, in characters.
SHOWN: Final = 40
#: Longest list of names in one sentence, in characters: it must fit into a Slack message with its surroundings.
_ROOM: Final = 2000


def shown(text: str) -> str:
    """Return ``text`` on one line, without invisible characters, and shortened if long."""
    plain = "".join(character if character.isprintable() else " " for character in text[: SHOWN * 4])
    plain = " ".join(plain.split())
    return plain if len(plain) <= SHOWN else f"{plain[: SHOWN - 1]}…"


def refusal(name: str, why: str) -> InputError:
    """Return the error for the file called ``name``; ``why`` continues after the name and says what to do."""
    return InputError({SHEET: f"“{shown(name)}” {why}"})


def named(names: Sequence[str]) -> str:
    """Return all ``names``; if they do not fit into a message, the first ones and how many more."""
    room, shown = _ROOM, 0
    while shown < len(names) and (room := room - len(names[shown]) - 2) > 0:
        shown += 1
    return first_few(names, shown)
