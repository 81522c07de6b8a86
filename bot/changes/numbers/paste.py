"""Pasted text, divided into entries and words, without bullets, wrappers, quotes and invisible characters.

This module does not know what a number is. Nothing that it drops contains a digit of a number, except list numbering,
which is dropped only when its neighbours prove that it is numbering.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bot.changes.numbers.ranges import RANGE_SIGN, is_range, marked
from bot.changes.text.characters import is_unseen

#: Characters that certainly end an entry, besides the semicolon, which may also begin a parameter such as ``;ext=12``.
_SEPARATORS: Final = r",|\t\n\"'`\[\]{}<>&"
#: An entry: Slack's ``<target|label>``, or a run of characters without separators.
_ENTRY: Final = re.compile(
    rf"<\t*([^<>|\t\n]*)\|([^<>\n]*)>|(?:[^{_SEPARATORS};]|;(?=(?:ext|isub|phone-context)=))+", re.IGNORECASE
)
#: A line's bullet and numbering, each followed by a blank: ``- ``, ``[x] ``, ``a) ``, ``1. ``, ``12) ``, and the
#: letters that Word's bullets become without their font.
_LINE_START: Final = re.compile(
    r"^[ \t]*(?:(?:[-*oqv§Øü]|\[[xX ]?\]|[a-z][.)])[ \t]+)*(?:([1-9]\d{0,3})[.)]+[ \t]+(?=\S))?", re.MULTILINE
)
#: Marks for bold, italic or both around a word; the closing ones mirror the opening ones.
_BOLD: Final = re.compile(r"(?<![\w*])([*_]{1,4})(?=[^\s*_])([^*_\n]*[^\s*_])([*_]{1,4})(?![\w*])")
#: Figures on keys or in circles that number a line, and Slack's names of such pictures. A number may be written in such
#: figures, so they stay elsewhere, and are refused: a blank or the number's plus must follow.
_FIGURE: Final = "zero|one|two|three|four|five|six|seven|eight|nine|keycap_ten"
_PICTURE: Final = re.compile(
    rf"^[ \t]*(?:(?:[\d#*]\ufe0f?\u20e3|:(?:{_FIGURE}):){{1,2}}|[\u2460-\u2473\u24f5-\u24fe\u2776-\u2793])[.):]?"
    rf"(?=\s|\(?\+)|:(?!(?:{_FIGURE}):)[a-z0-9_+\-]*[a-z][a-z0-9_+\-]*:",
    re.MULTILINE,
)
#: The comma of a number rounded by a spreadsheet, which would otherwise divide it.
_ROUNDED: Final = re.compile(r"(?<=\d),(?=\d+E\+?\d)", re.IGNORECASE)
#: Names of pictures that begin or separate the entries of a list.
_BULLET_NAME: Final = re.compile("phone|call|pager|check|circle|square|diamond|star")
#: Stands for a picture that is not a bullet.
_SOME_PICTURE: Final = "\u00a4"
#: Slack's marks for struck text.
_STRUCK: Final = re.compile(r"(?<![\w~])~(?=[^\s~])[^~\n]*(?<=\S)~(?![\w~])")
_TEL: Final = re.compile(r"(?<![a-z])tel:", re.IGNORECASE)
#: ``x``, ``ext.``, ``extension:`` with or without digits, after a number.
_EXTENSION: Final = re.compile(r"(?:x|ext|extn|extension)[.:]?\d*", re.IGNORECASE)
#: Words that keep their inner plus signs: addresses, links, and numbers rounded by a spreadsheet.
_UNSPLIT: Final = re.compile(r".*(?:@|://).*|\+?[\d.]+e\+?\d+", re.IGNORECASE)
_WORD: Final = re.compile(rf"[^\s{RANGE_SIGN}]+")
_BEFORE_PLUS: Final = re.compile(r"\(?\+[^+]*|[^+]+")

_FOLDED: Final = {
    "\r": "\n", "\v": "\n", "\f": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n",
    "•": ",", "‣": ",", "⁃": ",", "、": ",", "،": ",", "؛": ",", "。": ",",  # noqa: RUF001 - the characters meant
    "\u2800": " ", "٫": ".", "·": ".", "‧": ".", "∙": ".", "−": "-",  # noqa: RUF001 - the characters meant
}  # fmt: skip
#: By Unicode category: blanks, dashes, quotes, and the pictograms and dingbats that decorate lists.
_BY_CATEGORY: Final = {"Zs": " ", "Pd": "-", "Pi": '"', "Pf": '"', "So": ","}


@dataclass(frozen=True, slots=True)
class Word:
    """Characters without a blank between them, at ``start`` to ``end`` of the paste."""

    start: int
    end: int
    text: str
    #: The number of its digits.
    digits: int


@dataclass(frozen=True, slots=True)
class Entry:
    """The text between two separators."""

    words: tuple[Word, ...]
    #: Its beginning and end in the paste, including the brackets of a link.
    start: int
    end: int
    #: The label that Slack showed instead, if it was a link with one.
    label: str = ""


@dataclass(frozen=True, slots=True)
class Paste:
    """One pasted text in two forms: as typed, and for reading. Position n of one is position n of the other."""

    #: As typed, without invisible characters and with HTML escapes undone.
    typed: str
    #: The same with every digit, dash, quote and blank in its ASCII form, bullets replaced by separators, and every
    #: sign that may mean "from … to" by :data:`RANGE_SIGN`.
    plain: str

    @classmethod
    def of(cls, text: str) -> Paste:
        """Return ``text`` prepared for reading."""
        text = html.unescape(text)
        folds = {ord(character): _fold(character) for character in set(text)}
        typed = text.translate({point: None for point, folded in folds.items() if not folded})
        # Half of a surrogate pair is not a character, and could not be written to Slack or the database.
        typed = typed.encode("utf-8", "replace").decode()
        plain = _BOLD.sub(_without_marks, _ROUNDED.sub(".", marked(_PICTURE.sub(_picture, typed)).translate(folds)))
        return cls(typed=typed, plain=_without_list_marks(plain))

    def struck(self) -> bytearray:
        """Return for each position whether it is between Slack's marks for struck text."""
        found = bytearray(len(self.typed))
        for each in _STRUCK.finditer(self.typed):
            found[each.start() : each.end()] = b"\1" * len(each[0])
        return found

    def entries(self) -> Iterator[Entry]:
        """Yield the entries between separators, in order, without those that have no word."""
        for found in _ENTRY.finditer(self.plain):
            if found[2] is None:
                if words := _words(self.plain, *found.span()):
                    yield Entry(words=words, start=words[0].start, end=words[-1].end)
                continue
            if words := _words(self.plain, *found.span(1)):
                label = found[2].strip()
            else:
                words, label = _words(self.plain, *found.span(2)), ""
            if words:
                yield Entry(words=words, start=found.start(), end=found.end(), label=label)


def _without_marks(found: re.Match[str]) -> str:
    if found[3] != found[1][::-1]:
        return found[0]
    blank = "\t" * len(found[1])
    return f"{blank}{found[2]}{blank}"


def _picture(found: re.Match[str]) -> str:
    """Return a separator for a bullet picture, a sign for any other; pointing ones stay."""
    if is_range(marked(found[0])):
        return found[0]
    bullet = found.start() == 0 or found.string[found.start() - 1] == "\n" or _BULLET_NAME.search(found[0])
    return ("," if bullet else _SOME_PICTURE).ljust(len(found[0]))


def _fold(character: str) -> str:
    """Return the ASCII form of ``character``: one character, or none if it is invisible."""
    if folded := _FOLDED.get(character):
        return folded
    if character in "\t\n" or " " <= character <= "~":
        return character
    if is_unseen(character):
        return ""
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if (folded := _BY_CATEGORY.get(category)) is not None:
        return folded
    if category == "No":
        return character  # a superscript or a circled figure is a note, not a digit of the number
    narrow = unicodedata.normalize("NFKC", character)
    if len(narrow) == 1 and narrow.isascii():
        return narrow
    return '"' if category in {"Ps", "Pe"} else character


def _without_list_marks(plain: str) -> str:
    """Return ``plain`` with bullets, list numbering and ``tel:`` replaced by the same number of separators.

    A figure before a line is numbering if it is 1 or the list has its neighbour; a single figure might be a country
    code, and stays.
    """
    figures = {0} | {int(found[1]) for found in _LINE_START.finditer(plain) if found[1]}

    def blank(found: re.Match[str]) -> str:
        alone = found[1] and figures.isdisjoint((int(found[1]) - 1, int(found[1]) + 1))
        kept = plain[found.start(1) : found.end()] if alone else ""
        return "\t" * (len(found[0]) - len(kept)) + kept

    return _TEL.sub("\t\t\t\t", _LINE_START.sub(blank, plain))


def _words(plain: str, first: int, last: int) -> tuple[Word, ...]:
    """Return the words of ``plain`` between ``first`` and ``last``; an extension belongs to the previous word."""
    words: list[Word] = []
    extended = extending = False
    for found in _WORD.finditer(plain, first, last):
        chunk = found[0]
        if "+" not in chunk and not any(character.isalnum() for character in chunk):
            continue
        if (extending and chunk.isdecimal()) or (words and not extended and _EXTENSION.fullmatch(chunk)):
            words[-1] = _word(plain, words[-1].start, found.end())
            extended, extending = True, not chunk[-1].isdecimal()
            continue
        extended = extending = False
        words.extend(_word(plain, found.start() + start, found.start() + end) for start, end in _spans(chunk))
    return tuple(words)


def _spans(chunk: str) -> list[tuple[int, int]]:
    """Return the positions of the words in ``chunk``: a plus sign begins a new one."""
    if "+" not in chunk[1:] or _UNSPLIT.fullmatch(chunk):
        return [(0, len(chunk))]
    return [part.span() for part in _BEFORE_PLUS.finditer(chunk)]


def _word(plain: str, start: int, end: int) -> Word:
    text = plain[start:end]
    return Word(start=start, end=end, text=text, digits=sum(map(text.count, "0123456789")))
