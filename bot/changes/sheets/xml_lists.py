"""A long list in a part of a workbook, divided into items while it is read: the rows of a sheet, or all texts.

Parsing every tag of a sheet takes several times as long as all its other processing. Nearly all items are in one of a
few notations, which a pattern matches at once. So items are only divided here, and those in other notations are parsed
one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO
from xml.etree.ElementTree import Element

from openpyxl.xml.functions import fromstring

from bot.changes.sheets.plain_xml import PlainXml


class XmlList:
    """The elements called ``item`` inside the one called ``container``; raises ValueError if they make no sense."""

    def __init__(self, part: IO[bytes], container: str, item: str) -> None:
        self._xml = PlainXml(part)
        opening = re.compile(rf"<([\w.-]+:)?{container}(\s[^<>]*?)?(/?)>")
        text = self._xml.read()
        while (found := opening.search(text)) is None and (more := self._xml.read()):
            text += more
        root = re.match(r"\s*<([^\s<>/]+)[^<>]*>", text)
        if root is None:
            raise ValueError(text[:40])
        self._wrapping = root[0].replace("/>", ">"), f"</{root[1]}>"
        #: The root with everything before the list.
        self.head = self._wrapped(text[root.end() : found.start()] if found else text[root.end() :])
        #: The same with everything after it, known once the last item was read.
        self.tail = self.head
        #: The prefix of the elements' names, including its colon.
        self.prefix = (found and found[1]) or ""
        self._text = text[found.end() :] if found else ""
        self._over = found is None or bool(found[3])
        self._end_of_item = f"</{self.prefix}{item}>"
        self._end = re.compile(rf"</{self.prefix}{container}\s*>")

    def items(self) -> Iterator[str]:
        """Yield each item as written, with blanks and empty items before it."""
        while not self._over:
            *items, self._text = self._text.split(self._end_of_item)
            yield from (f"{item}{self._end_of_item}" for item in items)
            if end := self._end.search(self._text):
                if rest := self._text[: end.start()].strip():
                    yield rest
                self._text = self._text[end.end() :]
                self._over = True
            elif more := self._xml.read():
                self._text += more
            else:
                raise ValueError(self._text[:40])
        while more := self._xml.read():
            self._text += more
        self.tail = self._wrapped(self._text)

    def parsed(self, text: str) -> list[Element]:
        """Return the items in ``text``, which came from :meth:`items`."""
        return list(self._wrapped(text))

    def _wrapped(self, text: str) -> Element:
        start, end = self._wrapping
        return fromstring(f"{start}{text.rstrip().removesuffix(end)}{end}")


def local_name(element: Element) -> str:
    """Return the name of ``element`` without its namespace."""
    return element.tag.rpartition("}")[2]


def child(element: Element, name: str) -> Element | None:
    """Return the first element called ``name`` in ``element``."""
    return next((each for each in element if local_name(each) == name), None)
