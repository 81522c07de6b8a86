"""Reading the text after ``/numbers`` as it was meant, whatever keyboards and web pages made of it."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from bot.changes.text.characters import is_unseen

#: Signs that people and word processors put around a word.
_AROUND: Final = "`*_\"'\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u2039\u203a\u00ab\u00bb.,:;!()[]"
#: Quotation marks around a name, which may itself end in a full stop.
_QUOTES: Final = "`\"'\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u2039\u203a\u00ab\u00bb"
#: Dashes of any length, in place of the keyboard's hyphen.
_DASHES: Final = re.compile("[\u2010-\u2015\u2212]")
#: Zero-width characters that stand for a blank.
_NO_WIDTH: Final = re.compile("[\u200b\ufeff]")
#: A word of a command with a mark instead of the blank after it, or right before a plus sign or a bracket.
_MARKED: Final = re.compile(
    rf"([{re.escape(_QUOTES)}*_]*[^\W\d_]+[{re.escape(_QUOTES)}*_]*)(?:[:;,=]+|(?=[+(]))(.+)", re.DOTALL
)
#: A day as people type it.
_DAY: Final = re.compile(r"\b\d{4}-\d{1,2}-\d{1,2}\b")


def first_word(text: str) -> tuple[str, str]:
    """Return the first word in lower case, and the rest as it was typed.

    Words are separated by blanks of any kind, line breaks and zero-width characters; quotation marks and the like
    around them are dropped. So is a mark between the first word and the rest: ``update:+13035550100``.
    """
    words = _NO_WIDTH.sub(" ", text).strip()
    word, rest = (*words.split(maxsplit=1), "", "")[:2]
    if marked := _MARKED.match(words):
        word, rest = marked[1], marked[2]
    return tidied(word).casefold(), rest.strip()


def tidied(text: str) -> str:
    """Return words without invisible characters and surrounding marks, with plain dashes and single blanks."""
    seen = _DASHES.sub("-", _NO_WIDTH.sub(" ", unicodedata.normalize("NFKC", text)))
    words = "".join(each for each in seen if each.isspace() or not is_unseen(each)).split()
    return " ".join(bare for word in words if (bare := word.strip(_AROUND)))


def unquoted(text: str) -> str:
    """Return a name without the quotation marks around it."""
    return text.strip().strip(_QUOTES).strip()


def without_days(text: str) -> str:
    """Return ``text`` without its dates, whose digits are not a number."""
    return _DAY.sub(" ", _DASHES.sub("-", text))
