"""The one way in which a whole file is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.errors import InputError

#: The field of the form that the sentence belongs to.
SHEET: Final = "sheet"
#: Longest text out of a file that a sentence shows, in characters.
SHOWN: Final = 40
#: Longest list of names in one sentence, in characters: it has to fit into a message of Slack's with what is around it.
_ROOM: Final = 2000


def shown(text: str) -> str:
    """Return ``text`` on one line, without what cannot be seen, and cut when it is long."""
    plain = "".join(character if character.isprintable() else " " for character in text[: SHOWN * 4])
    plain = " ".join(plain.split())
    return plain if len(plain) <= SHOWN else f"{plain[: SHOWN - 1]}…"


def refusal(name: str, why: str) -> InputError:
    """Return the error for the file called ``name``; ``why`` goes on after the name and says what to do."""
    return InputError({SHEET: f"“{shown(name)}” {why}"})


def named(names: Sequence[str]) -> str:
    """Return all ``names``; only where they would not fit into a message, the first ones and how many more."""
    room, shown = _ROOM, 0
    while shown < len(names) and (room := room - len(names[shown]) - 2) > 0:
        shown += 1
    more = f" and {len(names) - shown:,} more" if shown < len(names) else ""
    return ", ".join(names[:shown]) + more
