"""Current values of a list or a filter as a sheet, ready to be edited and uploaded again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

import structlog

from bot.changes.input.targets import read_target
from bot.changes.model.draft import Draft
from bot.changes.model.kinds import Kind
from bot.changes.model.snapshots import Snapshot, Target
from bot.changes.model.value_exports import ValueExport
from bot.changes.planning.plan import ids_in
from bot.changes.sheets import LARGEST, export
from bot.changes.text.counts import counted
from bot.errors import (
    ChannelLost,
    ClaimLost,
    DeliveryError,
    DeliveryPostponed,
    DeliveryRefused,
    DeliveryUnknown,
    InputError,
    NotFound,
    PlanRefused,
    ProviderError,
    TokenLost,
)
from bot.store.engine.driver_errors import repeatable
from bot.store.queue.tasks import Claim, Task, handles
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.planning.exclusions import excluded_by_other_name
from bot.workflow.planning.validation import named
from bot.workflow.ports import CUT_OFF_WAIT, LOOKUP_AFTER, DirectMessages

log = structlog.get_logger(__name__)

#: How often sending an answer is tried.
ATTEMPTS: Final = 5
#: Pause before an answer that may not have arrived is looked for and sent again.
RETRY: Final = LOOKUP_AFTER


class ValueExports:
    """Takes in value exports, and answers them in a direct message."""

    def __init__(self, context: Context, authorization: Authorization, direct_messages: DirectMessages) -> None:
        self._context = context
        self._authorization = authorization
        self._direct_messages = direct_messages

    @repeatable
    async def ask(self, draft: Draft, *, by: str, submission: str) -> None:
        """Write down that ``by`` wants the current values of the numbers in ``draft``, and make the reading due.

        People who may start a change of the kind may ask. Raises NotAuthorized, and InputError with every problem at
        once.
        """
        await self._authorization.start(by, draft.kind)
        await self._target(draft)
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            if await tx.value_exports.submitted_as(submission) is None:
                floor = self._context.slack_time
                value_export = await tx.value_exports.add(
                    draft, requester=by, submission=submission, now=now, floor=floor
                )
                await tx.tasks.add(Task.EXPORT_VALUES, value_export, now)
                await tx.events.add(None, "values_asked", at=now, actor=by, value_export=value_export, kind=draft.kind)
        self._context.ring()

    @handles(Task.EXPORT_VALUES)
    async def answer(self, claim: Claim) -> None:
        """Carry out the task: read the values and send the sheet, or say why there is none."""
        async with self._context.database.reading() as tx:
            value_export = await tx.value_exports.get(claim.subject)
        try:
            numbers = await self._answer(value_export, claim)
        except DeliveryRefused as error:
            if not isinstance(error, ChannelLost):  # they cannot be told anything: the fault is Slack's or ours
                await self._later(claim, error)
                return
            log.warning(
                "slack refused a sheet of values", value_export=value_export.id, code=error.code, why=error.message
            )
            numbers = 0
        except (DeliveryPostponed, DeliveryUnknown) as error:
            await self._later(claim, error)
            return
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            with suppress(ClaimLost):  # they have the sheet, whichever worker has the task now
                await tx.tasks.done(claim)
            await tx.value_exports.finish(value_export.id, now)
            await tx.events.add(None, "values_answered", at=now, value_export=value_export.id, numbers=numbers)

    async def _answer(self, value_export: ValueExport, claim: Claim) -> int:
        """Send the sheet and return how many numbers it has; 0 when the answer is why there is none."""
        name = sheet_name(self._context.catalogue.kind(value_export.draft.kind), value_export)
        key = f"inquiry:{value_export.id}"
        if claim.attempts > 1:
            if await self._direct_messages.arrived(value_export.requester, (name,), key, value_export.floor):
                return 0  # an earlier attempt was cut off after Slack had taken the answer, and was not counted
            if claim.tries > 1:  # and nobody has waited since the latest attempt
                wait = CUT_OFF_WAIT.total_seconds()
                raise DeliveryPostponed("The answer may yet arrive.", code="cut_off", wait=wait)
        if claim.attempts > ATTEMPTS:
            text = "The values could not be sent because of an internal error; see the log."
            await self._direct_messages.write(value_export.requester, text, key)
            return 0
        try:
            content, text, numbers = await self._read(value_export.draft)
        except (InputError, NotFound, ProviderError, PlanRefused) as error:
            await self._direct_messages.write(
                value_export.requester, f"The sheet of current values could not be created: {error.message}", key
            )
            return 0
        try:
            await self._direct_messages.send(value_export.requester, name, content, text)
        except (TokenLost, ChannelLost):
            raise
        except DeliveryRefused as error:
            await self._direct_messages.write(
                value_export.requester, f"The sheet could not be sent: {error.message}", key
            )
            return 0
        return numbers

    async def _target(self, draft: Draft) -> Target:
        kind = self._context.catalogue.kind(draft.kind)
        provider = self._context.catalogue.provider(kind)
        most = self._context.policies.largest(kind.name)
        return await asyncio.to_thread(read_target, kind, draft, is_id=provider.is_id, max_numbers=most)

    async def _read(self, draft: Draft) -> tuple[bytes, str, int]:
        """Return the sheet, the text beside it, and how many numbers it has."""
        kind = self._context.catalogue.kind(draft.kind)
        provider = self._context.catalogue.provider(kind)
        target = await self._target(draft)
        names = [setting.name for setting in kind.settings if not setting.secret]
        # Nothing is used before the stream ends: only then has the provider shown that it applied the filter.
        found = [snapshot async for snapshot in provider.find(target, names, kind)]
        if target.limit is not None and len(found) > target.limit:
            raise PlanRefused(f"That is more than {target.limit:,} numbers, the limit for one change.")
        excluded = await excluded_by_other_name(provider, kind, target, found)
        usable, missing = await asyncio.to_thread(_sorted_out, target, found, excluded)
        if not usable:
            raise PlanRefused(_missing(provider.title, missing) or f"No numbers at {provider.title} match.")
        labels = {
            setting.name: await provider.labels(kind, setting.name, _ids(setting.name, usable))
            for setting in kind.settings
            if setting.lookup and not setting.secret
        }
        content = await asyncio.to_thread(export, kind, usable, labels)
        return content, _said(kind, provider.title, usable, missing, content), len(usable)

    async def _later(self, claim: Claim, error: DeliveryError) -> None:
        pause = timedelta(seconds=error.wait) if isinstance(error, DeliveryPostponed) else RETRY
        async with self._context.database.transaction() as tx:
            await tx.tasks.again(claim, self._context.clock() + pause, waited=True)


def sheet_name(kind: Kind, value_export: ValueExport) -> str:
    """Return the name of the file: ``update-values-7.csv``. No other file of ours has that name."""
    return f"{kind.command}-values-{value_export.id}.csv"


def _sorted_out(
    target: Target, found: Sequence[Snapshot], excluded: frozenset[str]
) -> tuple[list[Snapshot], list[str]]:
    """Return the numbers that can be changed, sorted, and the given or found numbers that cannot."""
    usable = sorted((snapshot for snapshot in found if snapshot.editable), key=lambda snapshot: snapshot.e164)
    known = {name for snapshot in found for name in (snapshot.id, snapshot.e164)} | excluded
    missing = [identifier for identifier in target.identifiers if identifier not in known]
    return usable, missing + [snapshot.e164 for snapshot in found if not snapshot.editable]


def _ids(name: str, snapshots: Sequence[Snapshot]) -> Mapping[str, None]:
    return dict.fromkeys(each for snapshot in snapshots for each in ids_in(snapshot.values.get(name)))


def _missing(provider: str, missing: Sequence[str]) -> str:
    if not missing:
        return ""
    numbers = counted(len(missing), "number is", "numbers are")
    return f"{numbers} not in the {provider} account, or cannot be changed there now: {named(missing)}."


def _said(kind: Kind, provider: str, usable: Sequence[Snapshot], missing: Sequence[str], content: bytes) -> str:
    numbers = counted(len(usable), "number")
    said = (
        f"Current values of {numbers} at {provider} ({kind.title}). Edit the cells that you want to change and "
        f"upload the sheet with /numbers {kind.command}; other cells change nothing. An empty cell keeps the "
        "current value, “(empty)” clears it."
    )
    large = "The sheet is larger than the 10 MB that can be uploaded again: remove columns, or split it."
    return " ".join(filter(None, (said, _missing(provider, missing), large if len(content) > LARGEST else "")))
