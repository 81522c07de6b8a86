"""Background jobs: creating, polling, and finding one whose creation was never answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from bot.changes.model.encryption import Encryption
from bot.changes.model.values import JSON, Secret, Value
from bot.errors import BadRequest, OutcomeUnknown, SecretError, StoreError, Unavailable
from bot.providers.answers import clean
from bot.providers.base import BatchRequest, JobReport, JobSearch, JobState, OperationReport
from bot.providers.exchange import Ready
from bot.providers.http import PacedClient
from bot.providers.listing import ListProgress
from bot.providers.telnyx.errors import reason
from bot.providers.telnyx.settings import EXTERNAL_PIN
from bot.providers.telnyx.values import JOB_TYPES, body, clear_secrets, flat, sealed_leaves
from bot.providers.telnyx.wire import FailedNumber, Job, JobNumber, data, e164, one, parse, rows, total

#: Seconds that a request for a job may wait here for its turn. Its numbers were checked just before, and after a longer
#: wait they would have to be checked again; it should spend such a wait in the queue.
PATIENCE: Final = 2.0
#: Jobs on one page of a search. 250 are allowed, but a job names each of its 1000 numbers two or three times: 250 of
#: them would be some 40 MB that block the event loop, and the wanted job is among the newest.
SEARCH_PAGE: Final = 50
#: Most pages of a search: 10,000 jobs, far more than an account that may have 20 at a time makes in LOOK_BACK.
SEARCH_PAGES: Final = 200
#: How far a job's ``created_at`` may lie before an earlier ``Date``: two machines of Telnyx tell them.
DRIFT: Final = timedelta(minutes=5)
#: How far before the attempt jobs are considered. A job from before ``DRIFT`` is only a candidate, as it is most likely
#: older than the batch; but overlooking the batch's own job would make it a second time. Going back only costs pages.
LOOK_BACK: Final = timedelta(hours=1)
#: Telnyx's saved parameters never include these (API.md, "Saved parameters"), so their absence tells nothing.
_NEVER_TOLD: Final = frozenset({"voice.translated_number"})
#: Saved parameters that no request can set directly.
_NOT_OURS: Final = frozenset({"phone_numbers", "add_tags", "remove_tags", EXTERNAL_PIN})


class Jobs:
    """The jobs of one account."""

    def __init__(self, http: PacedClient, encryption: Encryption | None) -> None:
        self._http = http
        self._encryption = encryption

    async def submit(self, batch: BatchRequest, ready: Ready | None = None) -> JobReport:
        """Create the job for ``batch`` with one POST; errors as in :class:`bot.providers.base.Provider`."""
        try:
            document = body(batch, self._encryption)
        except SecretError as error:
            raise BadRequest(f"Nothing was sent to Telnyx. {error.message}") from error
        try:
            for clear in clear_secrets(document):
                await self._http.masking.learn(clear)
        except StoreError as error:
            raise Unavailable(f"Nothing was sent to Telnyx. {error.message}") from error
        path = f"/phone_numbers/jobs/{JOB_TYPES[batch.kind.name]}"
        # The one filter that goes to a job unresolved: no list accepts it (API.md, "Filters").
        params = {f"filter[{each.field}]": str(each.value).lower() for each in batch.handed} or None
        answer = await self._http.write("POST", path, params=params, json=document, ready=ready, patience=PATIENCE)
        try:
            job = self._report(data(answer))
        except Unavailable as error:
            raise OutcomeUnknown("Telnyx took the job but its answer cannot be read.") from error
        if not job.id:
            raise OutcomeUnknown("Telnyx took the job but did not say its id.")
        return job

    async def poll(self, job_id: str) -> JobReport:
        """Return the job as it is now; raises :class:`bot.errors.ProviderNotFound` when Telnyx does not know it."""
        return self._report(await self._read(job_id))

    def _report(self, document: JSON) -> JobReport:
        """Return a job with its estimate converted to our clock."""
        job = report(document)
        return replace(job, done_by=self._http.clock.here(job.done_by)) if job.done_by else job

    async def search(self, batch: BatchRequest, since: datetime | None) -> JobSearch:
        """Return the jobs that may be the batch's; see :class:`bot.providers.base.Provider`.

        The list comes newest first by default, which is documented; how to request that order is not. It ends with an
        empty page, or where everything is older. Its own length is not trusted, as a job overlooked here is made a
        second time. ``filter[customer_reference]`` is not used: an API that does not know it yet may ignore it, and
        then every job would seem to have the reference (API.md, "Job list").
        """
        asked_there = self._http.clock.earliest
        floor = None if since is None else since - LOOK_BACK
        found: dict[str, JobReport] = {}
        times: list[datetime] = []
        listing = ListProgress()
        nameless = False
        for page in range(1, SEARCH_PAGES + 1):
            answer = await self._http.read(
                "GET",
                "/phone_numbers/jobs",
                params={
                    "filter[type]": JOB_TYPES[batch.kind.name],
                    "page[number]": page,
                    "page[size]": SEARCH_PAGE,
                },
            )
            listed = rows(answer)
            listing.take((str(job.get("id")) for job in listed), total(answer))
            for job in listed:
                moment = parse(Job, {"created_at": job.get("created_at")}).created_at
                times += [moment] if moment is not None else []
                fits = self._fits(job, batch) if floor is None or moment is None or moment >= floor else False
                if fits is not False and not job.get("id"):
                    nameless = True  # it may be ours but cannot be watched: neither found nor certainly absent
                elif fits is not False:
                    candidate = replace(self._report(job), certain=fits is True and _made_since(moment, since))
                    found.setdefault(candidate.id, candidate)
            if listing.stuck or not listed or (floor is not None and _all_older_from_here(times, floor)):
                # An end before all announced jobs were seen does not count: the missing ones may include the wanted
                # one.
                ended = bool(listed) or (listing.least_announced or 0) <= listing.count
                whole = ended and not listing.stuck and not nameless
                return JobSearch(jobs=tuple(found.values()), whole=whole, asked_there=asked_there)
        return JobSearch(jobs=tuple(found.values()), whole=False, asked_there=asked_there)

    async def recognise(self, batch: BatchRequest, job_id: str, since: datetime | None) -> JobReport:
        """Return the job if it can belong to the batch; errors as in :class:`bot.providers.base.Provider`."""
        document = await self._read(job_id)
        job = self._report(document)
        fits = self._fits(document, batch)
        if fits is False:
            raise BadRequest(
                f"Job {clean(job.id, 40)} at Telnyx does not match this batch: its type, numbers or values differ."
            )
        if since is not None and job.created_at is not None and job.created_at < since - LOOK_BACK:
            raise BadRequest(
                f"Job {clean(job.id, 40)} was created before this batch was sent, so it does not belong to it."
            )
        return replace(job, certain=fits is True and _made_since(job.created_at, since))

    async def _read(self, job_id: str) -> dict[str, JSON]:
        """Return the job's document; ``{"data": {}}``, or another job's, says nothing about it."""
        return one(await self._http.read("GET", "/phone_numbers/jobs/{id}", parts={"id": job_id}), job_id)

    def _fits(self, job: Mapping[str, JSON], batch: BatchRequest) -> bool | None:
        """Tell whether a job is over exactly the numbers of ``batch`` and sets its values.

        None when the job does not prove both: it may leave out its numbers (API.md, "Jobs"), and only newer versions of
        the API return its parameters (API.md, "Saved parameters"). Somebody else may have made it.
        """
        if job.get("type") and str(job["type"]) != JOB_TYPES[batch.kind.name]:
            return False
        parameters = job.get("parameters")
        sets = self._sets(parameters, batch) if isinstance(parameters, dict) and parameters else None
        if sets is False:
            return False
        if batch.handed:
            return None  # nobody knows beforehand which numbers its filter matches
        ids = {e164: id_ for id_, e164 in batch.numbers}
        named = {ids.get(number, number) for number in _numbers(job)}
        if not named or "" in named:
            return None
        return sets if named == {id_ for id_, _ in batch.numbers} else False

    def _sets(self, parameters: Mapping[str, JSON], batch: BatchRequest) -> bool | None:
        """Compare saved parameters with the values that the batch sends.

        Parameters that we sent must be equal. Others must be empty, except in ``voice``: the parameters are the
        effective ones, so siblings of ours may appear with their defaults. None when nothing contradicts but something
        is missing: that proves nothing either way.
        """
        saved = {name: value for name, value in flat(parameters).items() if value is not None}
        sent = sealed_leaves(batch)
        verdicts = [self._same(value, saved[name]) for name, value in sent.items() if name in saved]
        missing = [name for name, value in sent.items() if name not in saved and value not in ("", ())]
        others = saved.keys() - sent.keys() - _NOT_OURS
        strange = any(not name.startswith("voice.") and saved[name] not in ("", []) for name in others)
        if strange or False in verdicts or (EXTERNAL_PIN in saved and EXTERNAL_PIN not in sent):
            return False
        proven = _NEVER_TOLD.issuperset(missing) and (True in verdicts or not sent)
        return True if proven else None

    def _same(self, value: Value, saved: JSON) -> bool | None:
        """Compare one sent value with the saved one; a secret by its fingerprint, None when it is masked."""
        if not isinstance(value, Secret):
            return _plain(value) == _plain(saved)
        if self._encryption is None or not isinstance(saved, str) or set(saved) <= {"*", "•"}:
            return None
        return self._encryption.seal(saved) == value


def report(document: JSON) -> JobReport:
    """Return a job in terms of the domain. Raises :class:`bot.errors.Unavailable` when ``document`` is not a job."""
    job = parse(Job, document)
    return JobReport(
        id=job.id,
        state=_state(job.status),
        state_word=clean(job.status, 40),
        succeeded=_operations(job.successful_operations),
        failed=tuple(_failure(number) for number in job.failed_operations),
        pending=_operations(job.pending_operations),
        done_by=job.etc,
        created_at=job.created_at,
        numbers=frozenset(_numbers(document) if isinstance(document, dict) else ()),
        known={
            each.id: each.phone_number
            for each in (
                *job.phone_numbers,
                *job.successful_operations,
                *job.failed_operations,
                *job.pending_operations,
            )
            if each.id and each.phone_number
        },
    )


def _state(word: str) -> JobState:
    try:
        state = JobState(word)
    except ValueError:
        return JobState.UNKNOWN
    return state


def _operations(numbers: Iterable[JobNumber]) -> tuple[OperationReport, ...]:
    return tuple(OperationReport(id=number.id, e164=number.phone_number) for number in numbers)


def _failure(number: FailedNumber) -> OperationReport:
    why = reason(number.errors)
    return OperationReport(
        id=number.id,
        e164=number.phone_number,
        code=why.code,
        reason=why.detail,
        pointer=why.pointer,
    )


def _numbers(job: Mapping[str, JSON]) -> set[str]:
    """Return the identifiers of a new job, as text; from its saved parameters if it lists none."""
    listed = job.get("phone_numbers")
    if isinstance(listed, list) and listed:
        entries = [entry for entry in listed if isinstance(entry, dict)]
        return {str(entry.get("id") or e164(entry.get("phone_number"))) for entry in entries}
    parameters = job.get("parameters")
    saved = parameters.get("phone_numbers") if isinstance(parameters, dict) else None
    return {str(entry) for entry in saved} if isinstance(saved, list) else set()


def _plain(value: object) -> object:
    """Return a value in comparable form: ids as text, tags without order and case."""
    if isinstance(value, list | tuple):
        return sorted(str(item).casefold() for item in value)
    if value is None:
        return ""
    return value if isinstance(value, bool) else str(value)


def _made_since(moment: datetime | None, since: datetime | None) -> bool:
    """Tell whether a job is certainly no older than the batch; always true if nobody knows when that was sent."""
    return since is None or (moment is not None and moment >= since - DRIFT)


def _all_older_from_here(times: Sequence[datetime], floor: datetime) -> bool:
    """Tell whether later pages cannot hold anything new: the rows so far go back in time, beyond ``floor``.

    ``times`` are the creation times of all rows so far that have one. Equal times would prove no order.
    """
    newest_first = all(one >= other for one, other in pairwise(times))
    return bool(times) and newest_first and times[0] > times[-1] and times[-1] < floor
