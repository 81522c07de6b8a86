"""Invisible characters that change what is read, and characters that cannot be encoded.

The former are dropped from numbers and made visible in all other texts. The latter are halves of surrogate pairs, which
UTF-8 cannot hold, and NUL: JSON may contain both, and PostgreSQL accepts no text with NUL.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

#: Letters, blanks and marks that show nothing despite their category (Unicode, Default_Ignorable), the Braille pattern
#: without a dot, and the null note head.
_BLANK: Final = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U00016fe4\U0001d159"
    r"\U000e0000-\U000e0fff]"
)
#: Controls and formats, and separators of lines or paragraphs that few programs know.
_CATEGORIES: Final = frozenset({"Cf", "Cc", "Zl", "Zp"})
#: Any character that may be one of them; others need no check.
_CANDIDATE: Final = re.compile(r"[^\x20-\x7e\t\n]")
#: Joins pictures into one, as in a family; between letters it can be used to deceive.
_JOINER: Final = "\u200d"
#: Makes a picture of the sign before it; after a letter it does nothing.
_AS_PICTURE: Final = "\ufe0f"


def is_unseen(character: str) -> bool:
    """Tell whether ``character`` shows nothing: an override of direction, a joiner, a filler or another mark."""
    return unicodedata.category(character) in _CATEGORIES or _BLANK.match(character) is not None


def is_blank(text: str) -> bool:
    """Tell whether nothing of ``text`` is visible."""
    if "!" <= text[:1] <= "~":
        return False  # nearly every cell of a sheet begins like this, and there may be a million
    return all(character.isspace() or is_unseen(character) for character in text)


def visible(text: str) -> str:
    """Return ``text`` with the code point of every invisible character: ``[U+202E]``."""

    def shown(found: re.Match[str]) -> str:
        character = found[0]
        at = found.start()
        if not is_unseen(character) or (character == _JOINER and _joins_pictures(text, at)):
            return character
        if character == _AS_PICTURE and unicodedata.category(text[at - 1 : at] or " ")[0] in "NPS":
            return character
        return f"[U+{ord(character):04X}]"

    return _CANDIDATE.sub(shown, text)


#: Blanks that are invisible, or look like fewer or other blanks.
_ODD_BLANK: Final = re.compile(r"^\s|\s$|(?<=\s)\s|[^\S ]")


#: Signs for blanks; any other one is shown by its code point.
_SIGNS: Final = {" ": "␣", "\n": "↵", "\t": "⇥"}


def blanks_marked(text: str) -> str:
    """Return ``text`` with a sign for every blank that does not look like itself: ``old ␣vip`` has two blanks.

    Different blanks have different signs, as ``␣ → ␣`` would tell nobody what changes.
    """
    return _ODD_BLANK.sub(lambda found: _SIGNS.get(found[0]) or f"[U+{ord(found[0]):04X}]", text)


def _joins_pictures(text: str, at: int) -> bool:
    left = text[max(at - 2, 0) : at].rstrip("\ufe0f")[-1:]
    right = text[at + 1 : at + 2]
    return all(side and unicodedata.category(side) in {"So", "Sk"} for side in (left, right))


#: Shown in place of a character of which only half arrived (Unicode, replacement character).
LOST: Final = "\ufffd"
_HALF: Final = re.compile("[\x00\ud800-\udfff]")
#: How a half, or NUL, may stand in the bytes of a JSON document. Whole pairs match as well, and are left alone.
#: Searching for a single byte is thirty times as fast as an expression, and most documents have neither.
_ESCAPED: Final = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")
_ENCODED: Final = re.compile(rb"\xed[\xa0-\xbf]")


def may_be_unsound(content: bytes | bytearray) -> bool:
    """Tell whether the JSON document may contain half a pair; if not, its texts need no check."""
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
