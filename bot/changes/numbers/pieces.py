"""Numbers and what is none, at their places in a paste, with the two ends of a range made one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.changes.numbers.paste import Paste
from bot.changes.numbers.phone_numbers import RANGE
from bot.changes.numbers.ranges import is_range_end, is_range_word, joins

#: Words, or pieces of one, that are looked at between two numbers: "jusqu'à" is two.
_WORDS_BETWEEN: Final = 3


@dataclass(frozen=True, slots=True)
class Piece:
    """A block at its place in the paste: one identifier, or something bad."""

    start: int
    end: int
    #: The same with the brackets of the link that it stands in.
    outer: tuple[int, int]
    identifier: str = ""
    why: str = ""


def without_ranges(paste: Paste, pieces: Sequence[Piece]) -> Sequence[Piece]:
    """Return the pieces with two numbers around "to", in signs or words, made one bad piece."""
    kept: list[Piece] = []
    for piece in pieces:
        at = _number_before(kept)
        left = kept[at] if at >= 0 else None
        if left and _is_end(paste, left, piece, beside=at == len(kept) - 1):
            kept[at:] = [Piece(left.start, piece.end, (left.outer[0], piece.outer[1]), why=RANGE)]
        else:
            kept.append(piece)
    return kept


def _number_before(kept: Sequence[Piece]) -> int:
    """Return where the last number is, few words back; -1 when there is none."""
    for at in range(len(kept) - 1, max(len(kept) - 2 - _WORDS_BETWEEN, -1), -1):
        if kept[at].identifier or kept[at].why == RANGE:
            return at
    return -1


def _is_end(paste: Paste, left: Piece, piece: Piece, *, beside: bool) -> bool:
    """Tell whether ``piece`` may end a range that begins with ``left``; ``beside`` says that no words are between."""
    if not piece.identifier:
        return beside and is_range_end(paste.typed[piece.start : piece.end])
    if beside:
        return joins(paste.typed, paste.plain, left.outer, piece.outer)
    return is_range_word(paste.typed[left.outer[1] : piece.outer[0]])
