"""Reading phone numbers and provider ids from pasted text, without ever inventing one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bot.changes.numbers.paste import Entry, Paste
from bot.changes.numbers.phone_numbers import EDGES, LONGEST, RANGE, SHORTEST, explain, readings
from bot.changes.numbers.ranges import Piece, without_ranges

#: Longest text of a bad entry that is shown, in characters.
SHOWN: Final = 40

_AMBIGUOUS: Final = "can be split into numbers in more than one way; put a comma or a new line between numbers"
_UNSPLIT: Final = "cannot be split into whole numbers; put a comma or a new line between numbers"
_STRUCK_OUT: Final = "is struck through; remove it, or the marks around it"
_MISLABELLED: Final = "links to a different number than it shows; paste the number as plain text"


@dataclass(frozen=True, slots=True)
class BadEntry:
    """An entry among the numbers that cannot be read."""

    #: As typed, on one line without control characters, at most :data:`SHOWN` characters.
    text: str
    #: What is wrong and what to do, as the predicate of a sentence that begins with the text.
    why: str
    #: The index of the text that it is in, from 0.
    box: int = 0


@dataclass(frozen=True, slots=True)
class ParsedNumbers:
    """The content of the pasted texts."""

    #: E.164 numbers and provider ids, in order of first appearance, without repeats.
    identifiers: tuple[str, ...]
    #: How many further mentions of those were dropped, in whatever notation.
    repeats: int
    #: Every piece that is neither a number nor an id, in order.
    bad: tuple[BadEntry, ...]


@dataclass(frozen=True, slots=True)
class _Block:
    """The words from ``start`` to before ``end``: one identifier, or a bad piece."""

    start: int
    end: int
    identifier: str = ""
    why: str = ""


def read_numbers(texts: Sequence[str], *, is_id: Callable[[str], bool], region: str = "US") -> ParsedNumbers:
    """Return the numbers and ids in ``texts``; nothing is joined across two of them.

    ``is_id`` tells whether a text has the form of the provider's ids. Numbers without a country code are read in
    ``region`` (ISO 3166, two letters). Between separators a number may contain spaces; where spaces both separate and
    group, the words must form whole numbers in exactly one way. Never raises: pieces that cannot be read with certainty
    are in :attr:`ParsedNumbers.bad`.
    """
    seen: dict[str, None] = {}
    mentions = 0
    bad: list[BadEntry] = []
    for box, text in enumerate(texts):
        paste = Paste.of(text)
        for piece in without_ranges(paste.typed, paste.plain, list(_pieces(paste, is_id, region))):
            if piece.identifier:
                seen[piece.identifier] = None
                mentions += 1
            else:
                bad.append(BadEntry(text=_shown(paste.typed[piece.start : piece.end]), why=piece.why, box=box))
    return ParsedNumbers(identifiers=tuple(seen), repeats=mentions - len(seen), bad=tuple(bad))


def _shown(typed: str) -> str:
    """Return ``typed`` on one line: a range may have a tab or a new line beside its sign."""
    text = re.sub(r"\s", " ", typed)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _pieces(paste: Paste, is_id: Callable[[str], bool], region: str) -> Iterator[Piece]:
    struck = paste.struck()
    for entry in paste.entries():
        words = entry.words
        for block in _EntryReader(paste.plain, entry, is_id, region).blocks():
            start, end = words[block.start].start, words[block.end - 1].end
            outer = entry.start if block.start == 0 else start, entry.end if block.end == len(words) else end
            if block.identifier and struck[start]:
                yield Piece(start, end, outer, why=_STRUCK_OUT)
            else:
                yield Piece(start, end, outer, block.identifier, block.why)


def _shows(label: str, linked: str, region: str) -> bool:
    """Tell whether ``label`` suits a link to ``linked``: it is the number, the end of it, or only words."""
    if shown := readings(label, region):
        return linked in shown
    digits = "".join(character for character in label if character.isdecimal())
    return len(digits) < SHORTEST or linked.endswith(digits)


class _EntryReader:
    """Reads one entry so that the fewest words are left over; a second way to do so makes it ambiguous."""

    def __init__(self, plain: str, entry: Entry, is_id: Callable[[str], bool], region: str) -> None:
        self._plain = plain
        self._words = entry.words
        self._label = entry.label
        self._is_id = is_id
        self._region = region

    def blocks(self) -> list[_Block]:
        """Return the entry's numbers and bad pieces, in order; together they are all of its words."""
        whole = 0, len(self._words)
        if self._label:
            linked = self._identifier(*whole)
            if linked and not _shows(self._label, linked, self._region):
                return [_Block(*whole, why=_MISLABELLED)]
        # Two numbers have at least twice the digits of the shortest one; with fewer digits, nothing needs splitting.
        single = len(self._words) == 1 or sum(word.digits for word in self._words) < 2 * SHORTEST
        if single and (identifier := self._identifier(*whole)):
            return [_Block(*whole, identifier=identifier)]
        if len(self._words) == 1:
            return [_Block(*whole, why=self._why(*whole))]
        return list(self._doubted(self._joined(self._partition())))

    def _text(self, start: int, end: int) -> str:
        """Return the words with everything between them."""
        return self._plain[self._words[start].start : self._words[end - 1].end]

    def _why(self, start: int, end: int) -> str:
        return explain(self._text(start, end), self._region)

    def _identifier(self, start: int, end: int) -> str:
        """Return the number or id that the words from ``start`` to before ``end`` form together; empty for neither."""
        text = self._text(start, end)
        found = readings(text, self._region)
        if len(found) == 1:
            return found[0]
        if found or end - start > 1:
            return ""
        bare = text.strip(f"{EDGES}()")
        # Ids are int64 as text or a prefixed name: neither begins with 0, and fewer than 7 digits are a typing error.
        digital = bare.isdecimal()
        if "+" in text or (digital and (len(bare) < SHORTEST or bare[0] == "0")):
            return ""
        return bare if bare and self._is_id(bare) else ""

    def _pieces(self, start: int) -> Iterator[tuple[int, str]]:
        """Yield every (end, identifier) that may begin at word ``start``."""
        digits = 0
        for end in range(start + 1, len(self._words) + 1):
            word = self._words[end - 1]
            digits += word.digits
            if end > start + 1 and ("+" in word.text or not word.digits or digits > LONGEST + 3):
                return
            if identifier := self._identifier(start, end):
                yield end, identifier
            if not word.digits and "+" not in word.text:
                return

    def _partition(self) -> list[_Block]:
        """Divide the words into identifiers with the fewest words left over; each of those becomes a bad block.

        Finds shortest paths over the positions between words: an identifier costs nothing, a word left over costs one.
        Positions on every shortest path are certain; between two of them there is a single step, or ambiguity.
        """
        size = len(self._words)
        steps = [[*((end, 0, found) for end, found in self._pieces(at)), (at + 1, 1, "")] for at in range(size)]
        onward = [0] * (size + 1)
        for at in reversed(range(size)):
            onward[at] = min(cost + onward[end] for end, cost, _ in steps[at])
        reached = {0}
        blocks: list[_Block] = []
        begin = reach = taken = 0
        identifier = ""
        for at in range(size):
            if at in reached:
                if at == reach and at > begin:
                    blocks.append(self._block(begin, at, identifier, taken))
                    begin, taken = at, 0
                for end, cost, found in steps[at]:
                    if cost + onward[end] == onward[at]:
                        reached.add(end)
                        taken, identifier, reach = taken + 1, found, max(reach, end)
        blocks.append(self._block(begin, size, identifier, taken))
        return blocks

    def _block(self, start: int, end: int, identifier: str, steps: int) -> _Block:
        return _Block(start, end, why=_AMBIGUOUS) if steps > 1 else _Block(start, end, identifier=identifier)

    def _joined(self, blocks: Sequence[_Block]) -> Iterator[_Block]:
        """Yield the blocks, with neighbouring left-over words joined if they look like one typing error."""
        start = digits = 0
        for index, block in enumerate(blocks):
            after = blocks[index + 1] if index + 1 < len(blocks) else None
            if block.identifier or block.why:
                yield block
                start, digits = block.end, 0
                continue
            digits += self._words[block.start].digits
            if after is None or after.identifier or after.why or not self._belongs(after.start, digits):
                yield _Block(start, block.end, why=self._why(start, block.end))
                start, digits = block.end, 0

    def _belongs(self, at: int, digits: int) -> bool:
        """Tell whether word ``at`` seems to belong to the same error as the words before it, which have ``digits``."""
        word = self._words[at]
        if "+" in word.text or digits + word.digits > LONGEST:
            return False
        return bool(digits and word.digits) or max(digits, word.digits) < SHORTEST

    def _doubted(self, blocks: Iterator[_Block]) -> Iterator[_Block]:
        """Yield the blocks; a number beside loose figures becomes part of the bad block.

        In "0044 20 7946 0958" the last words look like another country's number: they must not become one.
        """
        held: _Block | None = None
        for block in blocks:
            if held and self._doubtful(held, block):
                many = sum(word.digits for word in self._words[held.start : block.end]) > LONGEST
                held = _Block(held.start, block.end, why=_UNSPLIT if many else self._why(held.start, block.end))
                continue
            if held:
                yield held
            held = block
        if held:
            yield held

    def _doubtful(self, left: _Block, right: _Block) -> bool:
        """Tell whether one of two neighbours is a number and the adjoining end of the other may belong to it."""
        if bool(left.identifier) == bool(right.identifier) or {left.why, right.why} & {_AMBIGUOUS, RANGE, _UNSPLIT}:
            return False
        number, loose = (left, self._words[right.start]) if left.identifier else (right, self._words[left.end - 1])
        is_whole = not number.identifier.startswith("+") or (number is right and "+" in self._words[right.start].text)
        if is_whole:  # an id, or a number whose beginning is certain
            return False
        if not loose.digits or any(character.isalpha() for character in loose.text) or "+" in loose.text[1:]:
            return False
        return loose.digits < SHORTEST or number.end - number.start > 1
