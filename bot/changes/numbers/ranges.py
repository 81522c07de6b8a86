"""Signs that may mean "from … to" between two numbers: nobody guesses the numbers in between."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bot.changes.numbers.phone_numbers import RANGE
from bot.changes.text.characters import is_unseen

#: Every such sign is replaced by this one, so that later code must know only one. Dashes stay: numbers have them.
RANGE_SIGN: Final = "~"

_RANGE_MARK: Final = re.compile(
    # Drawn with the keyboard: -> --> => ~> <-> |-> and the like, with any dash.
    r"(?<![-=~\u2010-\u2015\u2212])[|<]?[-=~\u2010-\u2015\u2212]++>+"
    # Standing alone: brackets and quotes that point, unless more is quoted behind, and a spreadsheet's colon.
    r"|(?<!\S)(?:[>\u00bb\u203a]+(?=\s)(?!\s*[\u00ab\u2039])|:(?=\s))"
    # Dots that leave something out, also as bullets and stars in a row.
    r"|[.\u2024\u3002\uff0e\uff61]{2,}|(?<!\S)\.(?:[ \t]\.)+(?!\S)"
    r"|[\u2025\u2026\u22ee-\u22f1\ufe19]+|[\u2022\u2023\u2043\u00b7\u2027\u2219\u30fb]{2,}|(?<!\S)\*{2,}(?!\S)"
    # The same, one below the other.
    r"|(?<=\n)[ \t]*\.(?=[ \t]*\n)|(?<=\n)(?:[ \t]*[\u2022\u00b7\u2219\u25cf*][ \t]*\n){2,}"
    # A dash at the end of a line, or alone in one; more of them are a ruler. A hyphen drawn as a bullet, within a line.
    r"|(?:(?<=\d)[ \t]+|(?<=\n)[ \t]*)[-\u2010-\u2015\u2212](?=[ \t]*\n)|(?<=\S)[ \t]*\u2043"
    # Tildes and their kin.
    r"|[~\u02dc\u223c\u223d\u2248\u2053\u301c\u3030\uff5e]+"
    # Arrows, triangles that point, and the names that Slack gives to pictures of them.
    r"|[\u2190-\u21ff\u25b6-\u25bb\u2794\u2798-\u27af\u27b1-\u27be\u27f0-\u27ff\u2900-\u297f\u2b00-\u2b11\u2b30-\u2b4f"
    r"\u23e9\U0001f852\U0001f800-\U0001f8ff]+\ufe0f?"
    r"|[\u261a-\u261f\U0001f446-\U0001f449\U0001faf1\U0001faf2][\ufe0f\U0001f3fb-\U0001f3ff]*"
    r"|:(?:arrow|fast_forward|left_right|point)[a-z_]*:"
)
#: Words for "to", and words that may stand beside one, without punctuation around them.
_WORDS: Final = frozenset(
    {"to", "upto", "up-to", "thru", "thro", "through", "till", "til", "until", "inclusive", "bis", "hasta", "a", "al"}
    | {"à", "au", "jusqu'à", "jusqu'au", "até", "ate", "ao", "fino", "tot", "t/m", "t.e.m", "t.o.m", "do", "aż"}
    | {"až", "po", "până", "la", "ig", "asti", "saakka", "kuni", "iki", "līdz", "ile", "kadar", "do", "до", "по", "έως"}
    | {"ως", "μέχρι", "עד", "إلى", "الى", "حتى", "تا", "से", "तक", "ถึง", "đến", "tới", "sampai", "hingga", "s/d"}
    | {"至", "到", "から", "まで", "부터", "까지"}
)
_BESIDE: Final = frozenset(
    {"up", "and", "including", "incl", "inkl", "inclusive", "the", "number", "zu", "zum", "zur", "einschließlich"}
    | {"en", "met", "og", "och", "med", "el", "le", "il", "y", "e", "o", "et", "i", "и"}
)
#: Commas and bars around a dash make it a list or a table.
_DIVIDED: Final = frozenset(",;|")
#: Signs that no list has between two numbers on one line: anything but separators, brackets, quotes and full stops.
_UNLISTED: Final = re.compile(r"[:=\\^%$#@*_]|[^\x00-\x7f]")
#: Signs and pictures that begin or separate the entries of a list; several in a row are dots.
_BULLETS: Final = frozenset("●○◦■□▪▫◆◇★☆✓✔✅☎☏✆❖📞📱📲📟🟠🟡🟢🟣🟤🔴🔵")
#: Most words, or pieces of one, checked between two numbers: "jusqu'à" is two.
_WORDS_BETWEEN: Final = 3


def marked(typed: str) -> str:
    """Return ``typed`` with each sign that may mean "to" as blanks and one :data:`RANGE_SIGN`, keeping positions.

    A sign that begins a line is a bullet if the line before also begins with one, or there is no line before.
    """
    text = _RANGE_MARK.sub(lambda found: RANGE_SIGN.rjust(len(found[0])), typed)
    return "".join(_without_bullets(text))


def _without_bullets(text: str) -> Iterator[str]:
    listed = True
    for line in text.splitlines(keepends=True):
        start = len(line) - len(line.lstrip(" \t"))
        bare = line[start:].strip()
        if bare.startswith(RANGE_SIGN) and bare != RANGE_SIGN and listed:
            yield f"{line[:start]} {line[start + 1 :]}"
            continue
        listed = listed and not bare
        yield line


def _is_range_word(text: str) -> bool:
    """Tell whether ``text`` is a word for "to", alone or with words that add no meaning."""
    words = _bare_words(text)
    return not _WORDS.isdisjoint(words) and _WORDS.union(_BESIDE).issuperset(words)


def _is_range_end(text: str) -> bool:
    """Tell whether ``text`` is a word for "to" and the last figures of a number: ``to 0109``."""
    words = _bare_words(text)
    return len(words) > 1 and words[-1].isdecimal() and _is_range_word(" ".join(words[:-1]))


def _bare_words(text: str) -> list[str]:
    words = (word.strip(".,:;()[]<>\"'/-") for word in text.casefold().replace("\u2019", "'").split())
    return [word for word in words if word]


def is_range(between: str) -> bool:
    """Tell whether the marked text ``between`` two numbers may mean "from … to"."""
    if RANGE_SIGN in between or "-" not in between or not _DIVIDED.isdisjoint(between):
        return RANGE_SIGN in between
    line, broken, _ = between.partition("\n")
    return not broken or line.rstrip().endswith("-")


def _joins(typed: str, plain: str, left: tuple[int, int], right: tuple[int, int]) -> bool:
    """Tell whether the text between the numbers at ``left`` and ``right`` may mean "from … to".

    On one line, that is any text that no list has there.
    """
    # Include one character of either side: a dash may be attached to a number.
    between = slice(left[1] - 1, right[0] + 1)
    signs = plain[between]
    if is_range(signs) or "\n" in signs:
        return is_range(signs)
    if any(map(_points, typed[left[1] : right[0]])) and not (left[0] and _opens(typed[left[0] - 1])):
        return True
    shown = typed[between]
    ends = [at for at, sign in enumerate(signs) if sign in ",;|&\t" and not _is_picture(shown[at])]
    # A sign beside one number belongs to it even if there is a separator too.
    inner = slice(ends[0], ends[-1]) if ends else slice(None)
    pictures = [character for character in shown[inner] if _is_picture(character)]
    unlisted = _UNLISTED.search(signs[inner]) is not None
    return unlisted or len(pictures) > 1 or not _BULLETS.issuperset(pictures)


@dataclass(frozen=True, slots=True)
class Piece:
    """A block at its place in the paste: one identifier, or a bad piece."""

    start: int
    end: int
    #: The same, including the brackets of a surrounding link.
    outer: tuple[int, int]
    identifier: str = ""
    why: str = ""


def without_ranges(typed: str, plain: str, pieces: Sequence[Piece]) -> Sequence[Piece]:
    """Return the pieces of ``typed``, joining two numbers around "to", in signs or words, into one bad piece.

    ``plain`` is ``typed``, marked and converted to ASCII, keeping positions.
    """
    kept: list[Piece] = []
    for piece in pieces:
        at = _number_before(kept)
        left = kept[at] if at >= 0 else None
        if left and _is_end(typed, plain, left, piece, beside=at == len(kept) - 1):
            kept[at:] = [Piece(left.start, piece.end, (left.outer[0], piece.outer[1]), why=RANGE)]
        else:
            kept.append(piece)
    return kept


def _number_before(kept: Sequence[Piece]) -> int:
    """Return the index of the last number within a few words before; -1 without one."""
    for at in range(len(kept) - 1, max(len(kept) - 2 - _WORDS_BETWEEN, -1), -1):
        if kept[at].identifier or kept[at].why == RANGE:
            return at
    return -1


def _is_end(typed: str, plain: str, left: Piece, piece: Piece, *, beside: bool) -> bool:
    """Tell whether ``piece`` may end a range that begins with ``left``; ``beside`` means no words are between."""
    if not piece.identifier:
        return beside and _is_range_end(typed[piece.start : piece.end])
    if beside:
        return _joins(typed, plain, left.outer, piece.outer)
    return _is_range_word(typed[left.outer[1] : piece.outer[0]])


def _points(character: str) -> bool:
    """Tell whether a bracket or quote would point to the text after it, if nothing had opened it."""
    foreign = character > "\x7f" and unicodedata.category(character) in {"Pf", "Pe"}
    return foreign or character in {">", "\uff1e", "\ufe65"}


def _opens(character: str) -> bool:
    return character in "<>" or unicodedata.category(character) in {"Ps", "Pi", "Pe", "Pf"}


def _is_picture(character: str) -> bool:
    return unicodedata.category(character) == "So" and not is_unseen(character)
