"""Finding numbers by a filter that no list accepts: from a CSV download, of which only the numbers are read.

The columns of the file are not documented (API.md, "CSV downloads"), so nothing else in it is read. The numbers are a
hint: the caller reads them at Telnyx as always, and checks them against the other conditions.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Set as AbstractSet
from typing import Final, cast

from bot.changes.model.values import JSON
from bot.changes.sheets.columns import heading_of, key
from bot.changes.sheets.number_names import USUAL
from bot.changes.sheets.tables import is_blank, open_table
from bot.errors import BadRequest, FilterRefused, Forbidden, InputError, ProviderNotFound, Unavailable
from bot.providers.answers import clean, unasked
from bot.providers.http import PacedClient, Params
from bot.providers.telnyx.files import LinkedFiles
from bot.providers.telnyx.search import Query, Search
from bot.providers.telnyx.wire import Download, data, parse

#: Seconds that a download may take; its usual time is not documented (API.md, "CSV downloads").
PATIENCE: Final = 300.0
#: Seconds of the first and the longest pause between two checks; each pause is twice the previous one.
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 15.0

_PATH: Final = "/phone_numbers/csv_downloads"
#: The file name given to the code that reads sheets.
_NAME: Final = "Telnyx's list of numbers"
#: A number as a file may have it: other programs lose the plus sign first.
_NUMBER: Final = re.compile(r"\+?([1-9][0-9]{6,14})")
_AGAIN: Final = "nothing was planned. Try again in a minute."


class Downloads:
    """Finds numbers by CSV downloads of one account."""

    def __init__(self, http: PacedClient, files: LinkedFiles) -> None:
        self._http = http
        self._files = files

    async def numbers(self, search: Search) -> frozenset[str]:
        """Return the numbers, in E.164, of Telnyx's file for those conditions that downloads accept.

        Raises :class:`bot.errors.FilterRefused` when Telnyx does not make such a file, and besides the errors of any
        call :class:`bot.errors.Unavailable` when there is none in time, or none that can be read.
        """
        content = await self._files.fetch(await self._address(search.download()[0]))
        return await asyncio.to_thread(read_file, content)

    async def _address(self, query: Query) -> str:
        """Return the address of the complete file."""
        until = self._http.now() + PATIENCE
        download, pause = await self._create(query), FIRST_PAUSE
        # An undocumented status, and a complete file without an address, may mean that it is not there yet.
        while not (download.status == "complete" and download.url):
            if download.status in {"failed", "expired"}:
                raise Unavailable(f"Telnyx could not finish its list of the numbers that match the filter; {_AGAIN}")
            if self._http.now() + pause > until:
                waited = f"within {PATIENCE / 60:.0f} minutes"
                raise Unavailable(
                    f"Telnyx did not finish its list of the numbers that match the filter {waited}; {_AGAIN}"
                )
            await self._http.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            download = await self._look(download)
        return download.url

    async def _create(self, query: Query) -> Download:
        # A POST that changes no number, so it may be repeated: a second file at Telnyx does no harm. The requested
        # format is the one in Telnyx's own example; neither is described (API.md, "CSV downloads").
        params = cast("Params", {"csv_format": "V2", **query})
        try:
            answer = await self._http.read("POST", _PATH, params=params)
        except (BadRequest, Forbidden, ProviderNotFound) as error:
            raise FilterRefused(
                f"Telnyx does not list the numbers that match this filter. {error.message}",
                code=error.code,
                pointer=error.pointer,
                status=error.status,
            ) from error
        download = _only(data(answer))
        if not download.id:
            raise Unavailable("Telnyx began to list the numbers that match the filter and did not say where.")
        return download

    async def _look(self, download: Download) -> Download:
        """Return the download as it is now; one that is not visible yet is returned unchanged."""
        try:
            answer = await self._http.read("GET", f"{_PATH}/{{id}}", parts={"id": download.id})
        except ProviderNotFound:
            return download
        now = _only(data(answer))
        if now.id != download.id:
            raise unasked("Telnyx", now.id)
        return now


def confirmed(search: Search, named: frozenset[str], listed: AbstractSet[str]) -> AbstractSet[str]:
    """Return those of the ``named`` numbers of a file that are ``listed`` by the visible conditions.

    Raises :class:`bot.errors.Unavailable` when others should be listed as well, and :class:`bot.errors.BadRequest` when
    nothing shows that Telnyx applied the invisible condition: if ignored, the file would name all numbers.
    """
    both, (_, whole) = named & listed, search.download()
    if whole and both != named:
        raise Unavailable(
            f"Telnyx's file of the numbers with “{search.unlisted}” names {len(named - both):,} that its list does not "
            "have: they have changed since, or the file is wrong. Nothing was planned; try again in a minute."
        )
    if both and both == listed:
        raise BadRequest(
            f"Telnyx's file of the numbers with “{search.unlisted}” names every number that would match without this "
            "filter, so nothing shows that Telnyx applied it; nothing was planned. If you mean all of them, remove the "
            "filter."
        )
    return both


def _only(found: JSON) -> Download:
    """Return the one download in an answer: a list of one by the schema, but a single object is accepted too."""
    several = found if isinstance(found, list) else [found]
    if len(several) != 1:
        raise Unavailable("Telnyx was asked for one list of numbers and answered with something else.")
    return parse(Download, several[0])


def read_file(content: bytes) -> frozenset[str]:
    """Return the numbers of a file, in E.164; raises :class:`bot.errors.Unavailable` when there may be others.

    They are in the one column with that name, in every row. A file in which they would have to be guessed is not used:
    another column may also hold numbers, such as those that calls are forwarded to.
    """
    try:
        with open_table(_NAME, content) as table:
            for layout in table.layouts:
                rows = (cells for _, cells in table.rows(layout) if not all(map(is_blank, cells)))
                headings = [key(heading_of(cell)) for cell in next(rows, ())]
                if sum(heading in USUAL for heading in headings) == 1:
                    column = next(at for at, heading in enumerate(headings) if heading in USUAL)
                    return frozenset(_number(cells, column, len(headings)) for cells in rows)
    except InputError as error:
        raise Unavailable(f"Telnyx's list of the numbers that match the filter cannot be read; {_AGAIN}") from error
    raise Unavailable(
        "Telnyx's list of the numbers that match the filter has no column, or several, that Linesman knows as the "
        "numbers; nothing was planned. Tell whoever runs Linesman."
    )


def _number(cells: object, column: int, width: int) -> str:
    row = cells if isinstance(cells, list | tuple) else ()
    text = str(row[column]).strip() if len(row) == width else ""
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise Unavailable(
            f"Telnyx's list of the numbers that match the filter has a row with “{clean(text, 40)}” in the place of a "
            f"number; {_AGAIN}"
        )
    return f"+{found[1]}"
