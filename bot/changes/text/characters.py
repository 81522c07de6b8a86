"""Characters that nobody sees and that change what is read, and those that cannot be written down.

The former are dropped from numbers and shown in everything else. The latter are halves of surrogate pairs, which UTF-8
cannot hold, and NUL: JSON may hold both, and PostgreSQL takes no text with NUL in it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

#: Letters, blanks and marks that show nothing although their category says otherwise (Unicode, Default_Ignorable), with
#: Braille without a dot and music without a note.
_BLANK: Final = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U00016fe4\U0001d159"
    r"\U000e0000-\U000e0fff]"
)
#: Controls and formats, and what divides lines or paragraphs in few programs only.
_CATEGORIES: Final = frozenset({"Cf", "Cc", "Zl", "Zp"})
#: Whatever may be one of them: everything else need not be looked at.
_CANDIDATE: Final = re.compile(r"[^\x20-\x7e\t\n]")
#: Joins pictures into one, as in a family; between letters it can be meant to deceive.
_JOINER: Final = "\u200d"
#: Makes a picture of the sign before it; behind a letter it does nothing.
_AS_PICTURE: Final = "\ufe0f"


def is_unseen(character: str) -> bool:
    """Tell whether ``character`` shows nothing: an override of direction, a joiner, a filler or another mark."""
    return unicodedata.category(character) in _CATEGORIES or _BLANK.match(character) is not None


def is_blank(text: str) -> bool:
    """Tell whether nobody sees anything of ``text``."""
    if "!" <= text[:1] <= "~":
        return False  # as nearly every cell of a sheet begins, and there may be a million
    return all(character.isspace() or is_unseen(character) for character in text)


def visible(text: str) -> str:
    """Return ``text`` with the code point of every character that nobody would see: ``[U+202E]``."""

    def shown(found: re.Match[str]) -> str:
        character = found[0]
        at = found.start()
        if not is_unseen(character) or (character == _JOINER and _joins_pictures(text, at)):
            return character
        if character == _AS_PICTURE and unicodedata.category(text[at - 1 : at] or " ")[0] in "NPS":
            return character
        return f"[U+{ord(character):04X}]"

    return _CANDIDATE.sub(shown, text)


#: Blanks that nobody would see, or would take for fewer or for others.
_ODD_BLANK: Final = re.compile(r"^\s|\s$|(?<=\s)\s|[^\S ]")


def blanks_marked(text: str) -> str:
    """Return ``text`` with a sign for every blank that would not be seen as it is: ``old ␣vip`` has two."""
    return _ODD_BLANK.sub("␣", text)


def _joins_pictures(text: str, at: int) -> bool:
    left = text[max(at - 2, 0) : at].rstrip("\ufe0f")[-1:]
    right = text[at + 1 : at + 2]
    return all(side and unicodedata.category(side) in {"So", "Sk"} for side in (left, right))


#: What is shown in the place of a character of which only a half arrived (Unicode, replacement character).
LOST: Final = "\ufffd"
_HALF: Final = re.compile("[\x00\ud800-\udfff]")
#: How a half, or NUL, may stand in the bytes of a JSON document. Whole pairs match as well, and are left alone. A
#: single byte is looked for thirty times as fast as an expression, and most documents have neither of those.
_ESCAPED: Final = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")
_ENCODED: Final = re.compile(rb"\xed[\xa0-\xbf]")


def may_be_unsound(content: bytes | bytearray) -> bool:
    """Tell whether the JSON document may hold half a pair; when not, nobody needs to look at its texts."""
    return (b"\\" in content and _ESCAPED.search(content) is not None) or (
        b"\xed" in content and _ENCODED.search(content) is not None
    )


def sound(value: Any) -> Any:  # noqa: ANN401 - any JSON document
    """Return the document with :data:`LOST` for every half of a surrogate pair."""
    if isinstance(value, str):
        return _HALF.sub(LOST, value)
    if isinstance(value, dict):
        return {sound(key): sound(item) for key, item in value.items()}
    if isinstance(value, list):
        return [sound(item) for item in value]
    return value
