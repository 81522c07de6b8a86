"""The texts shared by the cells of a workbook, and their notation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, Final
from xml.etree.ElementTree import Element

from bot.changes.sheets.cell_values import decoded
from bot.changes.sheets.xml_lists import XmlList, local_name

#: Text that needs no decoding.
PLAIN: Final = r"[^<>&\x00-\x08\x0b-\x1f\ufffe\uffff]*"
#: A text in the notation of nearly all programs; other notations are parsed.
_TEXT: Final = re.compile(rf'\s*<si><t(?: xml:space="preserve")?>({PLAIN})</t></si>')


def shared_texts(part: IO[bytes]) -> list[str]:
    """Return the texts in ``part``, in order; raises ValueError where they make no sense."""
    return [decoded(text) for text in _written(XmlList(part, "sst", "si"))]


def _written(texts: XmlList) -> Iterator[str]:
    for item in texts.items():
        if not texts.prefix and (plain := _TEXT.fullmatch(item)):
            yield plain[1]
        else:
            yield from map(text_of, texts.parsed(item))


def text_of(element: Element) -> str:
    """Return the text in ``element``, joining differently formatted pieces, without its pronunciation."""
    pieces = []
    for part in element:
        match local_name(part):
            case "t":
                pieces.append(part.text)
            case "r":
                pieces.extend(piece.text for piece in part if local_name(piece) == "t")
    return "".join(filter(None, pieces))
