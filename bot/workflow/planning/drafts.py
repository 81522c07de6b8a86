"""Reading what a person typed: its secrets, its time zone, and what it means."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from bot.changes.input.drafts import read_draft
from bot.changes.input.requests import Request
from bot.changes.input.times import START, UNTIL, read_end, read_start
from bot.changes.model.draft import Draft
from bot.changes.model.settings import read_value
from bot.changes.model.start import End, Start
from bot.changes.model.values import Value
from bot.errors import DeliveryError, InputError, InvalidValue, SecretError
from bot.workflow.context import Context


class Drafts:
    """Reads drafts."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def seal(self, draft: Draft) -> Draft:
        """Return ``draft`` with its secrets sealed; raises InputError when one cannot be used."""
        kind = self._context.catalogue.kind(draft.kind)
        typed: dict[str, Value] = dict(draft.typed)
        problems: dict[str, str] = {}
        for name, value in draft.typed.items():
            setting = kind.by_name.get(name)
            if setting is None or not setting.secret or not isinstance(value, str):
                continue
            try:
                clear = read_value(setting, value)
            except InvalidValue as error:
                problems[name] = str(error)
                del typed[name]
                continue
            if self._context.encryption is None:
                raise SecretError("Secrets cannot be stored safely: LINESMAN_SECRET_KEY is not set.")
            typed[name] = self._context.encryption.seal(str(clear))
        if problems:
            raise InputError(problems)
        return replace(draft, typed=typed)

    async def in_zone_of(self, draft: Draft, user: str) -> Draft:
        """Return ``draft`` with the time zone in which ``user`` means its start and its end.

        Raises :class:`bot.errors.InputError` when Slack does not say which one that is: another would be a guess.
        """
        draft = replace(draft, start=draft.start.strip(), until=draft.until.strip())
        typed = START if draft.start else UNTIL
        if not (draft.start or draft.until):
            return replace(draft, zone="")
        try:
            person = await self._context.directory.person(user, fresh=False)
        except DeliveryError as error:
            why = "Slack did not give your time zone, so it is unclear which time you mean. Try again in a minute."
            raise InputError({typed: why}) from error
        return replace(draft, zone=person.zone)

    async def read(self, draft: Draft, said_at: datetime | None = None) -> Request:
        """Return what ``draft`` means; raises :class:`bot.errors.InputError` with every problem at once.

        A start such as "in 2 hours" counts from ``said_at``, or from now.
        """
        now = said_at or self._context.clock()
        try:
            request = await self._read(draft)
        except InputError as error:
            try:
                _times(draft, now)
            except InputError as times:
                raise InputError({**error.problems, **times.problems}) from error
            raise
        start, until = _times(draft, now, request.pauses)
        return replace(request, start=start, until=until)

    async def _read(self, draft: Draft) -> Request:
        kind = self._context.catalogue.kind(draft.kind)
        provider = self._context.catalogue.provider(kind)
        # A long paste takes a while to read; the loop has clicks to answer meanwhile.
        return await asyncio.to_thread(
            read_draft, kind, draft, is_id=provider.is_id, max_numbers=self._context.policies.largest(kind.name)
        )


def _times(draft: Draft, now: datetime, pauses: timedelta = timedelta()) -> tuple[Start | None, End | None]:
    """Return when a change starts and ends that was asked for at ``now``; raises InputError with what is wrong."""
    start, until, problems = None, None, {}
    try:
        start = read_start(draft.start, now=now, zone=draft.zone)
    except InputError as error:
        problems = error.problems
    try:
        until = read_end(draft.until, now=now, zone=draft.zone, start=start, pauses=pauses)
    except InputError as error:
        problems = {**problems, **error.problems}
    if problems:
        raise InputError(problems)
    return start, until
