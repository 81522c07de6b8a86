"""The endpoints that create and read background jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from aiohttp import web

from bot.sandbox.provider.errors import JsonObject
from bot.sandbox.telnyx.account import Account
from bot.sandbox.telnyx.answers import raw_data, raw_listing, read_object
from bot.sandbox.telnyx.bodies import (
    EMERGENCY_FIELDS,
    MAX_NUMBERS,
    UPDATE_FIELDS,
    Targets,
    check_fields,
    read_emergency,
    read_targets,
    read_update,
)
from bot.sandbox.telnyx.errors import (
    bad_filter,
    bad_request,
    feature_not_permitted,
    not_found,
    too_few_numbers,
)
from bot.sandbox.telnyx.filters import JOB_FILTERS, Predicate, read_number_filters, select
from bot.sandbox.telnyx.job_book import LIMITS, JobBook
from bot.sandbox.telnyx.jobs import Job, operations_on
from bot.sandbox.telnyx.query import Query

JobType = Literal["update_phone_numbers", "update_emergency_settings", "delete_phone_numbers"]

JOB_STATUSES = ("pending", "in_progress", "completed", "failed", "expired")
#: How long ``filter[customer_reference]`` looks back.
REFERENCE_DAYS = 90


class JobRoutes:
    """Creating jobs, reading one, listing them.

    Args:
        account: the account with its numbers.
        jobs: the book of all jobs.
        seconds: what a job that is created now will take; may be changed.
        phone_number_filtering: whether the account may use ``filter[phone_number]`` on jobs.

    """

    def __init__(
        self,
        account: Account,
        jobs: JobBook,
        *,
        seconds: float,
        phone_number_filtering: bool,
    ) -> None:
        self.seconds = seconds
        #: For how many seconds a new job is not in the list yet.
        self.list_lag = 0.0
        self._account = account
        self._jobs = jobs
        self._phone_number_filtering = phone_number_filtering

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, without the version in front."""
        return [
            web.get("/phone_numbers/jobs", self.list_all),
            web.get("/phone_numbers/jobs/{id}", self.one),
            web.post("/phone_numbers/jobs/update_phone_numbers", self.update),
            web.post("/phone_numbers/jobs/update_emergency_settings", self.update_emergency),
            web.post("/phone_numbers/jobs/delete_phone_numbers", self.delete),
        ]

    async def update(self, request: web.Request) -> web.Response:
        """Create an update job, over named numbers or over those that a filter in the query matches.

        Choices where Telnyx is silent (providers/telnyx/API.md, "Filters"): a filter may come with no or an empty list,
        never with a filled one; a filter that matches nothing is "at least 1 phone number"; one that matches more than
        1000 takes the first 1000 of the default order.
        """
        query = Query(request.query.items())
        wanted = read_number_filters(query, self._account, JOB_FILTERS)
        query.end()
        body = await read_object(request)
        check_fields(body, UPDATE_FIELDS)
        targets = self._matching(body, wanted) if wanted else read_targets(body, self._account)
        settings = read_update(body, self._account)
        return self._create("update_phone_numbers", body, targets, settings, filtered=bool(wanted))

    def _matching(self, body: JsonObject, wanted: list[Predicate]) -> Targets:
        if body.get("phone_numbers"):
            raise bad_request("You must specify either filters or phone numbers.", "/phone_numbers")
        numbers = select(self._account.ordered(None), wanted)[:MAX_NUMBERS]
        if not numbers:
            raise too_few_numbers()
        return Targets([number.id for number in numbers], [*numbers])

    async def update_emergency(self, request: web.Request) -> web.Response:
        """Create a job that enables or disables emergency services."""
        Query(request.query.items()).end()
        body = await read_object(request)
        check_fields(body, EMERGENCY_FIELDS)
        targets = read_targets(body, self._account)
        return self._create("update_emergency_settings", body, targets, read_emergency(body, self._account))

    async def delete(self, request: web.Request) -> web.Response:
        """Create a job that deletes numbers."""
        Query(request.query.items()).end()
        body = await read_object(request)
        check_fields(body, ())
        return self._create("delete_phone_numbers", body, read_targets(body, self._account), {})

    def _create(
        self,
        job_type: JobType,
        body: JsonObject,
        targets: Targets,
        settings: JsonObject,
        *,
        filtered: bool = False,
    ) -> web.Response:
        job = Job(
            type=job_type,
            body=body,
            filtered=filtered,
            keys=targets.keys,
            settings=settings,
            operations=operations_on(targets.numbers),
            created_at=self._account.clock.now(),
            seconds=self.seconds,
        )
        return raw_data(self._jobs.add(job).as_text(), status=202)

    async def one(self, request: web.Request) -> web.Response:
        """Answer one job."""
        Query(request.query.items()).end()
        job = self._jobs.all.get(request.match_info["id"])
        if job is None or job.hidden:
            raise not_found()
        return raw_data(job.as_text())

    async def list_all(self, request: web.Request) -> web.Response:
        """Answer a page of jobs, newest first; ``sort=created_at`` turns the order round."""
        query = Query(request.query.items())
        jobs = self._filtered(query)
        page, sort = query.page(self._account.paging), query.sort(("created_at",))
        query.end()
        if sort is None:
            jobs.reverse()
        found, meta = page.cut(jobs)
        return raw_listing((job.as_text() for job in found), meta)

    def _filtered(self, query: Query) -> list[Job]:
        """Return the jobs that all the filters let through: "or" within one, "and" between them."""
        job_type = query.one("filter[type]", tuple(LIMITS))
        statuses = _statuses(query)
        numbers = self._phone_numbers(query)
        reference = _reference(query)
        now = self._account.clock.now()
        since, until = now - timedelta(days=REFERENCE_DAYS), now - timedelta(seconds=self.list_lag)
        return [
            job
            for job in self._jobs.visible()
            if job.created_at <= until
            and (job_type is None or job.type == job_type)
            and (not statuses or job.status in statuses)
            and (numbers is None or job.targets_any(numbers))
            and (reference is None or (job.reference == reference and job.created_at >= since))
        ]

    def _phone_numbers(self, query: Query) -> set[str] | None:
        """Read up to ten numbers (counted before repetitions go); with ``+`` they need 1 to 20 digits."""
        name = "filter[phone_number]"
        values = query.many(name, scalar=True)
        if not values:
            return None
        if not self._phone_number_filtering:
            raise feature_not_permitted(name)
        if len(values) > 10:
            raise bad_filter(name, "At most 10 values are accepted.")
        for value in values:
            digits = value.removeprefix("+")
            if value.startswith("+") and not (digits.isdigit() and len(digits) <= 20):
                raise bad_filter(name, "A value with a plus sign must have 1 to 20 digits.")
        return set(values)


def _statuses(query: Query) -> set[str]:
    """Read ``filter[status][]``; a plain ``filter[status]`` and values joined by commas are refused."""
    name = "filter[status]"
    statuses = query.many(name, scalar=False)
    for status in statuses:
        if status not in JOB_STATUSES:
            raise bad_filter(f"{name}[]", f"The value must be one of {', '.join(JOB_STATUSES)}.")
    return set(statuses)


def _reference(query: Query) -> str | None:
    """Read one reference of at most 250 characters, not blank."""
    name = "filter[customer_reference]"
    reference = query.one(name)
    if reference is not None and len(reference) > 250:
        raise bad_filter(name, "The value must have at most 250 characters.")
    return reference
