"""Reading the sheets that people upload, and returning them with their errors marked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from bot.changes.input.requests import Request, with_sheet
from bot.changes.input.wanted_values import without_edits
from bot.changes.model.change import Change
from bot.changes.model.draft import Upload
from bot.changes.sheets import MOST_ROWS, Sheet, marked, read_sheet
from bot.changes.text.counts import first_lines
from bot.errors import BadUpload, DeliveryRefused, InputError, NotFound, in_one
from bot.workflow.context import Context
from bot.workflow.planning.requests import Requests

#: How many problems one sentence names; the others are in the returned sheet.
NAMED = 5


class SheetUploads:
    """Fetches uploaded sheets and reads them without blocking the loop."""

    def __init__(self, context: Context, requests: Requests) -> None:
        self._context = context
        self._requests = requests

    async def add(self, request: Request, change: Change, progress: Callable[[int], None]) -> Request:
        """Return ``request`` with the rows of the sheet of ``change``; ``progress`` receives the number of rows read.

        Raises :class:`BadUpload` when rows have problems, InputError when the file is not a sheet, and
        :class:`bot.errors.DeliveryError` when Slack does not deliver it.
        """
        _, sheet = await self._read(request, change, progress)
        if sheet.problems:
            raise BadUpload({"sheet": _said(sheet)})
        return await asyncio.to_thread(with_sheet, request, sheet)

    async def marked(self, change: Change) -> bytes:
        """Return the sheet of ``change`` with the errors written beside each row.

        Raises :class:`bot.errors.DeliveryRefused` when it can no longer be read, for example because it was deleted.
        """
        try:
            request = await self._requests.read(change.draft)
            content, sheet = await self._read(request, change)
            return await asyncio.to_thread(marked, _upload(change).name, content, sheet)
        except InputError as error:
            raise DeliveryRefused(error.message, code="sheet_gone") from error

    async def _read(
        self, request: Request, change: Change, progress: Callable[[int], None] | None = None
    ) -> tuple[bytes, Sheet]:
        upload = _upload(change)
        provider = self._context.catalogue.provider(request.kind)
        content = await self._context.files.fetch(upload)
        reading = partial(
            read_sheet,
            upload.name,
            content,
            request.kind,
            is_id=provider.is_id,
            form=without_edits(request.wanted),
            left_out=change.draft.columns_left_out,
            max_rows=min(MOST_ROWS, self._context.policies.largest(request.kind.name)),
            progress=progress,
        )
        return content, await asyncio.to_thread(reading)


def _upload(change: Change) -> Upload:
    if change.draft.sheet is None:
        raise NotFound(f"{change.public_id} has no sheet.")
    return change.draft.sheet


def _said(sheet: Sheet) -> str:
    problems, count = sheet.problems, len(sheet.problems) + sheet.more_problems
    first = [f"row {problem.row}, {problem.column}: {problem.text}" for problem in problems[:NAMED]]
    back = "You get it back in a direct message with an “Errors” column; fix it and upload it again."
    if sheet.more_problems:
        back += f" Only the first {len(problems):,} are in it."
    if count == 1:
        return f"The sheet has 1 problem: {first[0]} {back}"
    return f"The sheet has {count:,} problems:\n{in_one(first_lines(first, NAMED, more=count - len(first)))}\n{back}"
