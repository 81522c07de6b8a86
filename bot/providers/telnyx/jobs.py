"""Background jobs: creating, polling, and finding one whose creation was never answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from bot.changes.values import JSON, Secret
from bot.changes.vault import Vault
from bot.errors import BadRequest, OutcomeUnknown, ProviderError, SecretError, Unavailable
from bot.providers.base import BatchRequest, JobReport, JobState, OperationReport
from bot.providers.http import PacedClient, clean
from bot.providers.telnyx.bodies import JOB_TYPES, body, clear_secrets, flat, sealed_leaves
from bot.providers.telnyx.errors import blot, masked, reason
from bot.providers.telnyx.kinds import EXTERNAL_PIN
from bot.providers.telnyx.wire import FailedNumber, Job, JobNumber, data, parse, rows, total

#: Jobs on one page of a search. 250 are allowed, but a job names each of its 1000 numbers two or three times: 250 of
#: them would be some 40 MB to hold the event loop with, and what is looked for is among the newest.
SEARCH_PAGE: Final = 50
#: Telnyx's saved parameters never say these (telnyx.md 6), so their absence tells nothing.
_NEVER_TOLD: Final = frozenset({"voice.translated_number"})
#: Saved parameters that no request can set as such.
_NOT_OURS: Final = frozenset({"phone_numbers", "add_tags", "remove_tags", EXTERNAL_PIN})


class Jobs:
    """The jobs of one account."""

    def __init__(self, http: PacedClient, vault: Vault | None) -> None:
        self._http = http
        self._vault = vault

    async def submit(self, batch: BatchRequest) -> JobReport:
        """Create the job for ``batch`` by one POST; errors as :class:`bot.providers.base.Provider` says."""
        try:
            document = body(batch, self._vault)
        except SecretError as error:
            raise BadRequest(f"Nothing was sent to Telnyx. {error.message}") from error
        path = f"/phone_numbers/jobs/{JOB_TYPES[batch.kind.name]}"
        try:
            # The one filter that goes to a job as it is: no list takes it (telnyx.md 3.1).
            params = {f"filter[{each.field}]": str(each.value).lower() for each in batch.handed} or None
            answer = await self._http.write("POST", path, params=params, json=document)
        except ProviderError as error:
            raise masked(error, clear_secrets(batch, self._vault)) from error.__cause__
        try:
            job = report(data(answer))
        except Unavailable as error:
            raise OutcomeUnknown("Telnyx took the job but its answer cannot be read.") from error
        if not job.id:
            raise OutcomeUnknown("Telnyx took the job but did not say its id.")
        return job

    async def poll(self, job_id: str) -> JobReport:
        """Return the job as it is now; raises :class:`bot.errors.Missing` when Telnyx does not know it."""
        return report(data(await self._http.read("GET", "/phone_numbers/jobs/{id}", parts={"id": job_id})))

    async def search(self, batch: BatchRequest, since: datetime) -> tuple[JobReport, ...]:
        """Return the jobs of the batch's type over exactly its numbers, created since the second of ``since``.

        The list comes newest first when no order is asked for, which is documented; how to ask for that order is not.
        """
        floor = since.replace(microsecond=0)
        found: dict[str, JobReport] = {}
        page = 1
        while True:
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
            created = [parse(Job, {"created_at": job.get("created_at")}).created_at for job in listed]
            for job, moment in zip(listed, created, strict=True):
                # Without a date it may well be ours, and the numbers and parameters still have to agree.
                fits = self._fits(job, batch) if moment is None or moment >= floor else False
                if fits is not False:
                    found.setdefault(str(job.get("id")), replace(report(job), certain=fits is True))
            known = total(answer)
            last = page * SEARCH_PAGE >= known if known is not None else len(listed) < SEARCH_PAGE
            if last or not listed or _all_older_from_here(created, floor):
                return tuple(found.values())
            page += 1

    async def recognise(self, batch: BatchRequest, job_id: str) -> JobReport:
        """Return the job if it can be the batch's; errors as :class:`bot.providers.base.Provider` says."""
        document = data(await self._http.read("GET", "/phone_numbers/jobs/{id}", parts={"id": job_id}))
        job = report(document)
        fits = self._fits(document, batch) if isinstance(document, dict) else None
        if fits is False:
            raise BadRequest(
                f"Job {clean(job.id, 40)} at Telnyx is not this one: its type, its numbers or what it sets are others."
            )
        return replace(job, certain=fits is True)

    def _fits(self, job: Mapping[str, JSON], batch: BatchRequest) -> bool | None:
        """Tell whether a job is over exactly the numbers of ``batch`` and, if it says so, sets its values.

        None when the job does not tell its numbers, which the specification allows: nobody can say.
        """
        if str(job.get("type", JOB_TYPES[batch.kind.name])) != JOB_TYPES[batch.kind.name]:
            return False
        parameters = job.get("parameters")
        if isinstance(parameters, dict) and parameters and not self._sets(parameters, batch):
            return False
        if batch.handed:
            return None  # nobody knows beforehand which numbers its filter comes to
        ids = {e164: id_ for id_, e164 in batch.numbers}
        named = {ids.get(number, number) for number in _numbers(job)}
        if not named or "" in named:
            return None
        return named == {id_ for id_, _ in batch.numbers}

    def _sets(self, parameters: Mapping[str, JSON], batch: BatchRequest) -> bool:
        """Compare saved parameters with what the batch sends.

        What we sent has to be there, equal. What is there besides has to be empty, except in ``voice``: the
        parameters are the effective ones, so siblings of what we sent may appear with their defaults.
        """
        saved = {name: value for name, value in flat(parameters).items() if value is not None}
        sent = sealed_leaves(batch)
        for name, value in sent.items():
            if isinstance(value, Secret):
                if not self._same_secret(value, saved.get(name)):
                    return False
            elif name not in _NEVER_TOLD and _plain(value) != _plain(saved.get(name)):
                return False
        others = saved.keys() - sent.keys() - _NOT_OURS
        return all(name.startswith("voice.") or saved[name] in ("", []) for name in others) and (
            EXTERNAL_PIN in sent or EXTERNAL_PIN not in saved
        )

    def _same_secret(self, secret: Secret, saved: JSON) -> bool:
        """Compare by fingerprint. A saved secret that is masked, or that we have no key for, tells nothing."""
        if self._vault is None or not isinstance(saved, str) or set(saved) <= {"*", "•"}:
            return saved is not None
        return self._vault.seal(saved) == secret


def report(document: JSON) -> JobReport:
    """Return a job as the domain sees it, without the secret among its parameters.

    Raises :class:`bot.errors.Unavailable` when ``document`` is no job.
    """
    job = parse(Job, document)
    parameters = job.parameters
    secrets = [str(parameters[EXTERNAL_PIN])] if parameters.get(EXTERNAL_PIN) else []
    told = {name: value for name, value in parameters.items() if name not in {EXTERNAL_PIN, "phone_numbers"}}
    return JobReport(
        id=job.id,
        state=_state(job.status),
        state_word=clean(job.status, 40),
        succeeded=_operations(job.successful_operations),
        failed=tuple(_failure(number, secrets) for number in job.failed_operations),
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
        parameters=told or None,
    )


def _state(word: str) -> JobState:
    try:
        state = JobState(word)
    except ValueError:
        return JobState.UNKNOWN
    return state


def _operations(numbers: Iterable[JobNumber]) -> tuple[OperationReport, ...]:
    return tuple(OperationReport(id=number.id, e164=number.phone_number) for number in numbers)


def _failure(number: FailedNumber, secrets: Sequence[str]) -> OperationReport:
    why = reason(number.errors)
    return OperationReport(
        id=number.id,
        e164=number.phone_number,
        code=why.code,
        reason=blot(why.detail, secrets),
        pointer=why.pointer,
    )


def _numbers(job: Mapping[str, JSON]) -> set[str]:
    """Return the identifiers that a job was created with, as text; from its saved parameters if it lists none."""
    listed = job.get("phone_numbers")
    if isinstance(listed, list) and listed:
        entries = [entry for entry in listed if isinstance(entry, dict)]
        return {str(entry.get("id") or entry.get("phone_number") or "") for entry in entries}
    parameters = job.get("parameters")
    saved = parameters.get("phone_numbers") if isinstance(parameters, dict) else None
    return {str(entry) for entry in saved} if isinstance(saved, list) else set()


def _plain(value: object) -> object:
    """Return a value in the form in which both sides can be compared: ids as text, tags without order and casing."""
    if isinstance(value, list | tuple):
        return sorted(str(item).casefold() for item in value)
    if value is None:
        return ""
    return value if isinstance(value, bool) else str(value)


def _all_older_from_here(created: Sequence[datetime | None], floor: datetime) -> bool:
    """Tell whether no later page can hold anything new: this one is sorted newest first and ends before ``floor``."""
    times = [moment for moment in created if moment is not None]
    return bool(times) and times == sorted(times, reverse=True) and times[-1] < floor
