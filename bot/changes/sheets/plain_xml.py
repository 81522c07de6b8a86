"""The text of a part of a workbook, reduced to tags and the text between them."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from typing import IO, Final

from bot.errors import PartTooLarge

#: Bytes read at once.
_CHUNK: Final = 64 * 1024
#: Longest comment, in characters.
_LONGEST: Final = 1024 * 1024
#: A comment, an instruction, or text in which signs have no meaning.
_ASIDE: Final = re.compile(r"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
#: The beginning of one whose end is still to come, or of an entity definition, which workbooks do not have.
_UNENDED: Final = re.compile(r"<(?:[!?]|\Z)")


class PlainXml:
    """A part read from beginning to end."""

    def __init__(self, part: IO[bytes]) -> None:
        self._part = part
        start = part.read(_CHUNK)
        # In UTF-8 or, with a mark, in UTF-16: workbooks know nothing else (ECMA-376 part 2, 8.1.4).
        marked = start.startswith((b"\xff\xfe", b"\xfe\xff"))
        self._decode = getincrementaldecoder("utf-16" if marked else "utf-8-sig")().decode
        self._next = start
        self._held = ""

    def read(self) -> str:
        """Return the next portion, empty at the end; raises ValueError for anything but a workbook's XML."""
        while chunk := self._next:
            text = self._held + self._decode(chunk)
            self._next, self._held = self._part.read(_CHUNK), ""
            if "<!" in text or "<?" in text or text.endswith("<"):
                text = _ASIDE.sub(lambda found: _escaped(found[1] or ""), text)
                if unended := _UNENDED.search(text):
                    text, self._held = text[: unended.start()], text[unended.start() :]
                    if len(self._held) > _LONGEST:
                        raise PartTooLarge
            if text:
                return text
        if self._held:
            raise ValueError(self._held[:40])
        return ""


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
