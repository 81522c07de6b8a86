"""Changing one number: its one request, and all possible results."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from bot.changes.model.bulk_runs import NumberState, RunNumber, Step
from bot.changes.model.kinds import Kind
from bot.changes.model.settings import show_value
from bot.changes.model.values import Values
from bot.changes.outcome.outcomes import NO_ANSWER, STALE, UNANSWERED, UNCLEAR_RESPONSE
from bot.errors import Forbidden, Halted, OutcomeUnknown, ProviderError, RateLimited, Unauthorised, Unavailable
from bot.providers.close.errors import PLAN_LIMIT
from bot.providers.close.reading import Reader
from bot.providers.close.rights import Rights
from bot.providers.close.rows import ONE_NUMBER, body, conflicts, has, values
from bot.providers.close.staleness import FreshRead, FreshReads
from bot.providers.http import PacedClient

log = logging.getLogger(__name__)

#: Tries for one number before its run is put off, when Close is unreachable or gives no clear answer.
TRIES: Final = 5
#: Longest pause between the first two tries, in seconds; it doubles with each try.
PAUSE: Final = 1.0
#: How often a run may be put off because of one number before that number is given up.
RESTS: Final = 3


class OperationWriter(Protocol):
    """Durably writes down the state of one number."""

    async def mark(self) -> None:
        """Write that its request is about to go out; raises :class:`bot.errors.Halted` when it must not."""
        ...

    async def unmark(self) -> None:
        """Write that the request certainly had no effect."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class UpdateResult:
    """The result of the attempt at one number."""

    step: Step
    #: Why no other number can be changed either; empty when others can.
    stops: str = ""
    #: Whether Close does not let this user change this number.
    forbidden: bool = False
    #: Whether Close is unreachable or does not answer: try again later.
    later: bool = False
    #: The freeze, closed window or stop that came before its request.
    halted: Halted | None = None
    #: Whether it is not as the plan found it, and was not sent.
    stale: bool = False


class Updates:
    """The updates of one organization's numbers."""

    def __init__(self, http: PacedClient, reader: Reader, rights: Rights) -> None:
        self._http = http
        self._reader = reader
        self._rights = rights

    @property
    def rate(self) -> float:
        """Updates per second that Close allows, as far as it has told; 0 before."""
        return self._http.rate("PUT", ONE_NUMBER)

    def fresh_reads(self, numbers: Iterable[RunNumber], kind: Kind) -> FreshReads:
        """Return the reader for the numbers of one run."""
        return FreshReads(self._reader, kind, numbers, self._http.now)

    async def carry_out(
        self, number: RunNumber, kind: Kind, writer: OperationWriter, fresh_reads: FreshReads, seen: FreshRead | None
    ) -> UpdateResult:
        """Give ``number`` its outcome, or say that it must be tried again later.

        ``seen`` is the last read of the number. Without one, or when it is too old at the request's turn, the number is
        read again: other people's changes since the plan are not overwritten. If a request may have gone out before,
        reading shows whether it arrived. An update sets absolute values, so sending it twice does no more harm than
        once.
        """
        doubtful = number.state is NumberState.SENT
        tries = 0
        while True:
            try:
                seen = await self._read(number, kind, fresh_reads, None if doubtful else seen)
                if (found := _judged(number, kind, seen, doubtful=doubtful)) is not None:
                    return found
                await self._send(number, writer, fresh_reads, seen)
                return UpdateResult(step=Step(position=number.position, state=NumberState.SUCCEEDED))
            except _TooOld:
                continue
            except Halted as halt:
                return _halted(number, halt, doubtful=doubtful)
            except (RateLimited, Unavailable, OutcomeUnknown) as error:
                # 503 means "not now" on any verb, according to Close's own client (API.md, "Lost answers"); any other
                # may have arrived.
                doubtful = doubtful or (isinstance(error, OutcomeUnknown) and error.status != 503)
                why: ProviderError = error
            except ProviderError as error:
                # An earlier request may still arrive late, and a refusal now says nothing about it: the key, a right or
                # the rules may have changed. Reading the number decides.
                return _refused(number, error, lost=doubtful)
            if not doubtful:
                # However long it waits now, a freeze or a stop meanwhile finds the number unsent.
                await writer.unmark()
            if isinstance(why, RateLimited):
                await self._http.sleep(why.wait)
                continue
            tries += 1
            if tries >= TRIES:
                return _given_up(number, why, sent=doubtful)
            log.info("retrying number %s: %s", number.id, why.message)
            await self._http.sleep(PAUSE * 2.0 ** (tries - 1) * (0.5 + self._http.jitter() / 2))

    async def _send(self, number: RunNumber, writer: OperationWriter, fresh_reads: FreshReads, seen: FreshRead) -> None:
        """Send the update, unless the read of the number is too old when its turn comes."""

        async def ready() -> None:
            if not fresh_reads.fresh(seen):
                raise _TooOld
            await writer.mark()

        parts = {"id": number.id}
        try:
            answer = await self._http.write("PUT", ONE_NUMBER, parts=parts, json=body(number.wanted), ready=ready)
        except Forbidden:
            self._rights.refused()
            raise
        self._rights.taken(answer, number.wanted)

    async def _read(self, number: RunNumber, kind: Kind, fresh_reads: FreshReads, seen: FreshRead | None) -> FreshRead:
        """Return ``seen``, or a new read when that no longer counts."""
        if seen is not None and fresh_reads.fresh(seen):
            return seen
        at = fresh_reads.now()
        return FreshRead(await self._reader.read(number.id, number.wanted, kind), at)


class _TooOld(Exception):
    """The turn of an update came so late that its number must be read again."""


def _judged(number: RunNumber, kind: Kind, seen: FreshRead, *, doubtful: bool) -> UpdateResult | None:
    """Return the result for a number that already has the values, or is not as planned; None for others.

    In the latter case, a number that was never sent is stale. For one that was sent, nobody can say what happened.
    """
    if seen.row is None:
        gone = "It is no longer in the account."
        return _not_sent(number, gone, doubtful=doubtful)
    told = values(seen.row, number.wanted, kind)
    if has(kind, told, number.wanted):
        return UpdateResult(step=Step(position=number.position, state=NumberState.SUCCEEDED))
    if not (changed := conflicts(kind, told, number.before, number.wanted)):
        return None
    reason = " ".join(_what_changed(kind, name, number.before, told) for name in changed)
    pointer = f"/{changed[0]}"
    return _not_sent(number, reason, pointer=pointer, doubtful=doubtful)


def _not_sent(number: RunNumber, reason: str, *, pointer: str = "", doubtful: bool) -> UpdateResult:
    advice = (
        "It was sent once, got no clear answer, and was not sent again."
        if doubtful
        else "It was not sent; check the number and ask again."
    )
    step = Step(
        position=number.position,
        state=NumberState.UNKNOWN if doubtful else NumberState.NOT_ATTEMPTED,
        code=UNANSWERED if doubtful else STALE,
        reason=f"{reason} {advice}",
        pointer=pointer,
    )
    return UpdateResult(step=step, stale=not doubtful)


def _what_changed(kind: Kind, name: str, before: Values, told: Values) -> str:
    setting = kind.setting(name)
    then, now = (show_value(setting, known[name]) if name in known else "(not told)" for known in (before, told))
    return f"It changed since the plan was made: {setting.label} was {then} and is {now}."


def _refused(number: RunNumber, error: ProviderError, *, lost: bool) -> UpdateResult:
    """Return the result for a number that Close refused; ``lost`` when an earlier update may have arrived."""
    stops = isinstance(error, Unauthorised) or error.status == PLAN_LIMIT
    state, code, reason = NumberState.FAILED, error.code, error.message
    if lost:
        state, code = NumberState.UNKNOWN, UNCLEAR_RESPONSE
        reason = f"The answer to its update was lost. {error.message}"
    return UpdateResult(
        step=Step(position=number.position, state=state, code=code, reason=reason, pointer=error.pointer),
        stops=error.message if stops else "",
        forbidden=isinstance(error, Forbidden) and not stops,
    )


def _halted(number: RunNumber, halt: Halted, *, doubtful: bool) -> UpdateResult:
    """Return the result for a number whose request a freeze or a stop prevented, or prevented from being repeated."""
    if not halt.for_good:
        state = NumberState.SENT if doubtful else NumberState.WAITING
        return UpdateResult(step=Step(position=number.position, state=state, rests=number.rests), halted=halt)
    if doubtful:  # a stop says why numbers were not sent, but this one was sent
        reason = (
            "Its update was sent and got no clear answer, and the change was stopped or its batch given up before it "
            "could be sent again. It may still arrive."
        )
        step = Step(position=number.position, state=NumberState.UNKNOWN, code=UNANSWERED, reason=reason)
    else:
        step = Step(position=number.position, state=NumberState.NOT_ATTEMPTED, code=halt.code, reason=halt.message)
    return UpdateResult(step=step, halted=halt)


def _given_up(number: RunNumber, why: ProviderError, *, sent: bool) -> UpdateResult:
    """Return the result for a number without a clear answer: try again later, or give up."""
    if number.rests < RESTS:
        state = NumberState.SENT if sent else NumberState.WAITING
        return UpdateResult(step=Step(position=number.position, state=state, rests=number.rests + 1), later=True)
    reason = f"Close gave no clear answer about it in {TRIES * (RESTS + 1)} tries. {why.message}"
    state = NumberState.UNKNOWN if sent else NumberState.FAILED
    return UpdateResult(
        step=Step(position=number.position, state=state, code=NO_ANSWER, reason=reason, rests=number.rests)
    )
