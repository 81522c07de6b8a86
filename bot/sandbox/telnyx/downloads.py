"""CSV downloads: files of numbers, made in the background and kept on a host of their own.

The columns are not documented (providers/telnyx/API.md, "CSV downloads"); here the old format writes numbers without
the plus sign, and both have another column with numbers in it, those that calls are forwarded to.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from aiohttp import web

from bot.sandbox.provider.errors import JsonObject
from bot.sandbox.telnyx.account import Account
from bot.sandbox.telnyx.answers import data, listing
from bot.sandbox.telnyx.errors import not_found
from bot.sandbox.telnyx.file_host import FileHost
from bot.sandbox.telnyx.filters import JOB_FILTERS, read_number_filters, select
from bot.sandbox.telnyx.query import Query
from bot.sandbox.telnyx.records import Number

_FORMATS = ("V1", "V2")


@dataclass(kw_only=True)
class DownloadBehaviour:
    """How downloads go from now on; change it to have them go wrong."""

    #: What one takes from being asked for to its end.
    seconds: float = 0.0
    #: How it ends.
    end: Literal["complete", "failed", "expired"] = "complete"
    #: Filters that are overlooked, such as ``filter[has_bundle]``, as the real service is known to do elsewhere.
    ignored: set[str] = field(default_factory=set)
    #: Numbers that are in every file, whatever was asked for.
    intruders: list[str] = field(default_factory=list)
    #: Numbers that are in no file.
    missing: set[str] = field(default_factory=set)
    #: The heading of the column of numbers in the new format.
    heading: str = "phone_number"


@dataclass(kw_only=True)
class _Download:
    """One download that was asked for."""

    id: str
    created_at: datetime
    seconds: float
    end: str
    url: str


class DownloadRoutes:
    """The endpoints; ``behaviour`` is how downloads go."""

    def __init__(self, account: Account, files: FileHost) -> None:
        self.behaviour = DownloadBehaviour()
        self._account = account
        self._files = files
        self._all: dict[str, _Download] = {}

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, without the version in front."""
        return [
            web.post("/phone_numbers/csv_downloads", self.create),
            web.get("/phone_numbers/csv_downloads", self.list_all),
            web.get("/phone_numbers/csv_downloads/{id}", self.one),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """Begin a download of the numbers that match now. It answers a list of one, as its schema says."""
        how = self.behaviour
        query = Query((name, value) for name, value in request.query.items() if name not in how.ignored)
        new = (query.one("csv_format", _FORMATS) or "V1") == "V2"
        wanted = read_number_filters(query, self._account, JOB_FILTERS)
        query.end()
        numbers = [each for each in select(self._account.ordered(None), wanted) if each.phone_number not in how.missing]
        content = _file(numbers, how, new=new)
        download = _Download(
            id=self._account.new_uuid(),
            created_at=self._account.clock.now(),
            seconds=how.seconds,
            end=how.end,
            url=self._files.keep(content),
        )
        self._all[download.id] = download
        return data([self._shown(download)])

    async def list_all(self, request: web.Request) -> web.Response:
        """Answer a page of downloads, newest first."""
        query = Query(request.query.items())
        page = query.page(self._account.paging)
        query.end()
        found, meta = page.cut(list(reversed(self._all.values())))
        return listing(map(self._shown, found), meta)

    async def one(self, request: web.Request) -> web.Response:
        """Answer one download."""
        Query(request.query.items()).end()
        download = self._all.get(request.match_info["id"])
        if download is None:
            raise not_found()
        return data([self._shown(download)])

    def _shown(self, download: _Download) -> JsonObject:
        over = (self._account.clock.now() - download.created_at).total_seconds() >= download.seconds
        status = download.end if over else "pending"
        shown: JsonObject = {"id": download.id, "record_type": "csv_download", "status": status}
        # "Only complete CSV download requests will be able to be retrieved."
        return shown | ({"url": download.url} if status == "complete" else {})


def _file(numbers: Iterable[Number], how: DownloadBehaviour, *, new: bool) -> bytes:
    rows = [
        (number.phone_number, number.status, ", ".join(number.tags), number.voice.call_forwarding["forwards_to"])
        for number in numbers
    ]
    rows += [(each, "active", "", "") for each in how.intruders]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([how.heading if new else "Number", "status", "tags", "forwards_to"])
    writer.writerows((name if new else name.removeprefix("+"), *rest) for name, *rest in rows)
    return text.getvalue().encode()
