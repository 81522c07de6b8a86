"""The one way in which a whole file is refused."""

from __future__ import annotations

from typing import Final

from bot.errors import InputError

#: The field of the form that the sentence belongs to.
SHEET: Final = "sheet"
#: Longest text out of a file that a sentence shows, in characters.
SHOWN: Final = 40


def shown(text: str) -> str:
    """Return ``text`` on one line, without what cannot be seen, and cut when it is long."""
    plain = "".join(character if character.isprintable() else " " for character in text[: SHOWN * 4])
    plain = " ".join(plain.split())
    return plain if len(plain) <= SHOWN else f"{plain[: SHOWN - 1]}…"


def refusal(name: str, why: str) -> InputError:
    """Return the error for the file called ``name``; ``why`` goes on after the name and says what to do."""
    return InputError({SHEET: f"“{shown(name)}” {why}"})
