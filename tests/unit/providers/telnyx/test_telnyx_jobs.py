"""Jobs as Telnyx writes them, and finding the one that was never confirmed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from bot.changes.model.encryption import Encryption
from bot.changes.model.values import MASK, Values
from bot.errors import BadRequest, OutcomeUnknown, ProviderNotFound, Unavailable
from bot.providers.base import BatchRequest, JobState, OperationReport
from bot.providers.telnyx.jobs import LOOK_BACK, SEARCH_PAGE, SEARCH_PAGES, report
from bot.providers.telnyx.provider import Telnyx

Serve = Callable[[httpx.Request], httpx.Response]
Make = Callable[..., BatchRequest]

#: The job object of the documentation (providers/telnyx/API.md, "Jobs"), contradictions included: pending, yet with all
#: three lists filled.
DOCUMENTED: dict[str, Any] = {
    "id": "42587e44-3a3e-46de-9255-0c9a7a1d1ec7",
    "record_type": "phone_numbers_job",
    "status": "pending",
    "type": "update_emergency_settings",
    "etc": "2020-10-30T18:10:00.000Z",
    "created_at": "2020-10-23T18:10:00.000Z",
    "updated_at": "2020-10-23T18:10:01.000Z",
    "phone_numbers": [
        {"id": "2637816387126861836"},
        {"phone_number": "+19715555098"},
        {"phone_number": "+19705555099"},
        {"id": "3388768018273"},
    ],
    "successful_operations": [
        {"id": "2637816387126861836", "phone_number": "+19705555098"},
        {"id": "33081887126861836", "phone_number": "+19715555098"},
    ],
    "pending_operations": [{"id": "2637816387126861837", "phone_number": "+19705555099"}],
    "failed_operations": [
        {
            "id": "3388768018273",
            "phone_number": "+19705551234",
            "errors": [
                {
                    "code": "10015",
                    "title": "Bad Request",
                    "detail": "The field is invalid.",
                    "source": {"pointer": "/emergency_address_id"},
                }
            ],
        }
    ],
}
IDS = ["1293384261075731499", "1293384261075731500"]
E164S = ["+19705555098", "+19715555098"]
CREATED = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


def job(**changes: Any) -> dict[str, Any]:
    """Return an update job over the two numbers of the test batch."""
    return {
        "id": "11111111-3a3e-46de-9255-0c9a7a1d1ec7",
        "status": "in_progress",
        "type": "update_phone_numbers",
        "created_at": "2026-11-21T12:00:00.250Z",
        "phone_numbers": [{"id": id_} for id_ in IDS],
        **changes,
    }


def test_the_documented_job_is_read_as_it_stands() -> None:
    """All three lists, the estimate and the identifiers of the documented job arrive, whatever its status says."""
    told = report(DOCUMENTED)

    assert told.id == "42587e44-3a3e-46de-9255-0c9a7a1d1ec7"
    assert (told.state, told.state_word) == (JobState.PENDING, "pending")
    assert told.done_by == datetime(2020, 10, 30, 18, 10, tzinfo=UTC)
    assert told.created_at == datetime(2020, 10, 23, 18, 10, tzinfo=UTC)
    assert told.numbers == {"2637816387126861836", "+19715555098", "+19705555099", "3388768018273"}
    assert [number.id for number in told.succeeded] == ["2637816387126861836", "33081887126861836"]
    assert told.pending == (OperationReport(id="2637816387126861837", e164="+19705555099"),)
    assert told.failed == (
        OperationReport(
            id="3388768018273",
            e164="+19705551234",
            code="10015",
            reason="The field is invalid.",
            pointer="/emergency_address_id",
        ),
    )


@pytest.mark.parametrize(
    ("word", "state", "over"),
    [
        pytest.param("pending", JobState.PENDING, False, id="pending"),
        pytest.param("in_progress", JobState.IN_PROGRESS, False, id="in_progress"),
        pytest.param("completed", JobState.COMPLETED, True, id="completed"),
        pytest.param("failed", JobState.FAILED, True, id="failed"),
        pytest.param("expired", JobState.EXPIRED, True, id="expired"),
        pytest.param("suspended", JobState.UNKNOWN, False, id="a-word-of-tomorrow"),
        pytest.param(None, JobState.UNKNOWN, False, id="missing"),
    ],
)
def test_job_states(word: str | None, state: JobState, over: bool) -> None:  # noqa: FBT001 - a column of a table
    """Known words are known, unknown ones count as still running and are kept."""
    told = report({**DOCUMENTED, "status": word})

    assert (told.state, told.state.over, told.state_word) == (state, over, word or "")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"failed_operations": None, "pending_operations": None}, id="lists-null"),
        pytest.param({"etc": "soon", "created_at": None}, id="dates-unreadable"),
        pytest.param({"phone_numbers": None}, id="numbers-null"),
        pytest.param({"parameters": None}, id="parameters-null"),
        pytest.param({"parameters": []}, id="parameters-a-list"),
        pytest.param({"brand_new": {"field": 1}}, id="unknown-field"),
    ],
)
def test_odd_jobs_are_read_all_the_same(changes: dict[str, Any]) -> None:
    """What is missing, null or new in a job does not hide the rest of it."""
    told = report({**copy.deepcopy(DOCUMENTED), **changes})

    assert told.id == DOCUMENTED["id"]
    assert len(told.succeeded) == 2


def test_an_error_source_may_be_a_text() -> None:
    """Older documents have the pointer where newer ones have an object around it."""
    failed: Any = {"id": 3388768018273, "errors": [{"code": 10015, "detail": "No.", "source": "/tags"}]}

    assert report({"failed_operations": [failed]}).failed == (
        OperationReport(id="3388768018273", e164="", code="10015", reason="No.", pointer="/tags"),
    )


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        pytest.param([], "Telnyx gave no reason.", id="none"),
        pytest.param(None, "Telnyx gave no reason.", id="null"),
        pytest.param([{"title": "Bad Request"}], "Bad Request", id="title-only"),
        pytest.param([{"detail": "A."}, {"detail": "B."}, {"detail": "A."}], "A. B.", id="several"),
    ],
)
def test_a_failed_number_always_has_a_reason(errors: Any, reason: str) -> None:
    """Every failed number comes with a sentence, all of Telnyx's if it has several."""
    (failed,) = report({"failed_operations": [{"id": "1", "errors": errors}]}).failed

    assert failed.reason == reason


def test_ids_as_integers_are_text_like_any_other() -> None:
    """A job that names its numbers by integers is over the same numbers as one that uses text."""
    told = report(job(phone_numbers=[{"id": int(IDS[0])}], successful_operations=[{"id": int(IDS[0])}]))

    assert told.numbers == {IDS[0]}
    assert told.succeeded[0].id == IDS[0]


def test_a_job_without_list_is_over_its_saved_numbers() -> None:
    """The saved parameters name the numbers when the job itself does not; they may mix types."""
    told = report(job(phone_numbers=[], parameters={"phone_numbers": [int(IDS[0]), IDS[1]]}))

    assert told.numbers == set(IDS)


async def test_a_report_never_holds_the_pin(telnyx: Callable[[Serve], Telnyx]) -> None:
    """A failure that quotes the PIN which the job repeats comes without it, whoever made the job."""
    failed = {"id": IDS[0], "errors": [{"detail": "PIN 4711 is too short"}]}
    document = job(failed_operations=[failed], parameters={"external_pin": "4711", "tags": ["vip"]})
    told = await telnyx(lambda _request: httpx.Response(200, json={"data": document})).poll(document["id"])

    assert told.failed[0].reason == f"PIN {MASK} is too short"
    assert "4711" not in repr(told)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"data": {"status": "pending"}}, id="no-id"),
        pytest.param({"data": []}, id="a-list"),
        pytest.param({"data": None}, id="null"),
        pytest.param({}, id="no-data"),
        pytest.param({"data": {"id": "1", "phone_numbers": 5}}, id="not-a-job"),
    ],
)
async def test_a_created_job_that_cannot_be_read_is_unknown(
    batch: Make, telnyx: Callable[[Serve], Telnyx], answer: dict[str, Any]
) -> None:
    """A good status over an answer without a job means that nobody knows, not that nothing happened."""
    provider = telnyx(lambda _request: httpx.Response(202, json=answer))

    with pytest.raises(OutcomeUnknown):
        await provider.submit(batch({"tags": ("vip",)}))


async def test_a_secret_without_key_stops_before_anything_is_sent(
    batch: Make, telnyx: Callable[[Serve], Telnyx], encryption: Encryption
) -> None:
    """A batch whose secret was wiped is refused by us; Telnyx never hears of it."""
    sent: list[httpx.Request] = []

    def serve(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(202, json={"data": job()})

    wiped = type(encryption.seal("4711"))(fingerprint="f")
    with pytest.raises(BadRequest, match="Nothing was sent"):
        await telnyx(serve).submit(batch({"external_pin": wiped}))

    assert sent == []


async def test_a_job_that_telnyx_does_not_know_is_missing(telnyx: Callable[[Serve], Telnyx]) -> None:
    """404 to a poll is Missing; a strange answer is Unavailable, to be asked again later."""
    unknown = {"errors": [{"code": "10005", "title": "Resource not found"}]}
    with pytest.raises(ProviderNotFound):
        await telnyx(lambda _request: httpx.Response(404, json=unknown)).poll("42587e44")
    with pytest.raises(Unavailable):
        await telnyx(lambda _request: httpx.Response(404, json={})).poll("42587e44")
    with pytest.raises(Unavailable):
        await telnyx(lambda _request: httpx.Response(200, json={"data": "?"})).poll("42587e44")


SAME = {"phone_numbers": IDS, "tags": ["vip"]}


@pytest.mark.parametrize(
    ("values", "listed", "found"),
    [
        pytest.param({"tags": ("vip",)}, job(), True, id="the-same-numbers"),
        pytest.param({"tags": ("vip",)}, job(phone_numbers=[{"id": IDS[1]}, {"id": IDS[0]}]), True, id="any-order"),
        pytest.param({"tags": ("vip",)}, job(phone_numbers=[{"id": int(i)} for i in IDS]), True, id="integers"),
        pytest.param({"tags": ("vip",)}, job(phone_numbers=[{"phone_number": e} for e in E164S]), True, id="e164"),
        pytest.param({"tags": ("vip",)}, job(phone_numbers=[{"id": IDS[0]}]), False, id="fewer"),
        pytest.param({"tags": ("vip",)}, job(phone_numbers=[{"id": i} for i in [*IDS, "9"]]), False, id="more"),
        pytest.param({"tags": ("vip",)}, job(type="delete_phone_numbers"), False, id="another-type"),
        pytest.param({"tags": ("vip",)}, job(created_at="2026-11-21T10:59:59Z"), False, id="long-before"),
        pytest.param({"tags": ("vip",)}, job(created_at="2026-11-21T12:00:00Z"), True, id="within-the-second"),
        pytest.param({"tags": ("vip",)}, job(created_at=None), True, id="no-date"),
        pytest.param({"tags": ("vip",)}, job(parameters=SAME), True, id="same-parameters"),
        pytest.param({"tags": ("VIP",)}, job(parameters=SAME), True, id="tags-in-other-casing"),
        pytest.param({"tags": ("vip",)}, job(parameters={}), True, id="parameters-not-kept"),
        pytest.param({"tags": ("vip",)}, job(parameters={**SAME, "tags": ["x"]}), False, id="another-value"),
        pytest.param({"tags": ("vip",)}, job(parameters={"customer_reference": "x"}), False, id="another-setting"),
        pytest.param({"tags": ("vip",)}, job(parameters={**SAME, "billing_group_id": "x"}), False, id="one-more"),
        pytest.param({"tags": ("vip",)}, job(parameters={**SAME, "billing_group_id": None}), True, id="null-besides"),
        pytest.param({"tags": ("vip",)}, job(parameters={**SAME, "external_pin": "1"}), False, id="pin-besides"),
        pytest.param(
            {"connection_id": "12"},
            job(parameters={"phone_numbers": IDS, "connection_id": 12}),
            True,
            id="id-as-integer",
        ),
        pytest.param(
            {"voice.translated_number": "x", "voice.tech_prefix_enabled": True},
            job(parameters={"voice": {"tech_prefix_enabled": True}}),
            True,
            id="translated-number-is-never-told",
        ),
        pytest.param(
            {"voice.tech_prefix_enabled": True},
            job(
                parameters={
                    "voice": {"tech_prefix_enabled": True, "call_recording": {"record_continue_on_hold": False}}
                }
            ),
            True,
            id="voice-with-defaults",
        ),
        pytest.param(
            {"voice.tech_prefix_enabled": True},
            job(parameters={"voice": {"tech_prefix_enabled": False}}),
            False,
            id="voice-differs",
        ),
        pytest.param(
            {"emergency_enabled": False},
            job(
                type="update_emergency_settings", parameters={"emergency_enabled": False, "emergency_address_id": None}
            ),
            True,
            id="emergency-off",
        ),
        pytest.param(
            {"emergency_enabled": False},
            job(type="update_emergency_settings", parameters={"emergency_enabled": True, "emergency_address_id": "5"}),
            False,
            id="emergency-on-instead",
        ),
    ],
)
async def test_a_job_is_ours_when_all_agrees(
    batch: Make,
    telnyx: Callable[[Serve], Telnyx],
    values: Values,
    listed: dict[str, Any],
    found: bool,  # noqa: FBT001 - a column of a table
) -> None:
    """Type, time, exactly the numbers and, when told, the parameters decide whether a job may be ours."""
    provider = telnyx(lambda _request: httpx.Response(200, json={"data": [listed], "meta": {"total_results": 1}}))

    jobs = (await provider.search(batch(values), CREATED + timedelta(milliseconds=900))).jobs

    assert [one.id for one in jobs] == ([listed["id"]] if found else [])


@pytest.mark.parametrize(
    ("told", "certain"),
    [
        pytest.param({"parameters": {"tags": ["vip"]}}, True, id="numbers-and-values"),
        pytest.param({}, False, id="no-parameters"),
        pytest.param({"parameters": {}}, False, id="empty-parameters"),
        pytest.param({"parameters": None}, False, id="null-parameters"),
        pytest.param({"parameters": {"phone_numbers": IDS}}, False, id="parameters-without-values"),
        pytest.param({"parameters": {"tags": None}}, False, id="a-null-value"),
        pytest.param({"parameters": {"tags": ["vip"], "customer_reference": "x"}}, None, id="a-value-besides"),
        pytest.param(
            {"parameters": {"tags": ["vip"]}, "created_at": "2026-11-21T11:54:00Z"}, False, id="made-before-it-was-sent"
        ),
        pytest.param({"parameters": {"tags": ["vip"]}, "created_at": None}, False, id="made-nobody-knows-when"),
        pytest.param({"parameters": {"tags": ["vip"]}, "created_at": "2026-11-21T10:59:59Z"}, None, id="long-before"),
        pytest.param({"phone_numbers": []}, False, id="no-numbers"),
        pytest.param({"phone_numbers": None}, False, id="null"),
        pytest.param({"phone_numbers": [{}, {"id": IDS[0]}]}, False, id="a-number-without-identity"),
        pytest.param({"phone_numbers": [], "parameters": {"tags": ["vip"]}}, False, id="values-only"),
        pytest.param({"phone_numbers": [], "parameters": {"tags": ["x"]}}, None, id="other-values"),
        pytest.param({"phone_numbers": [{"id": "9"}]}, None, id="other-numbers"),
        pytest.param({"type": "delete_phone_numbers", "phone_numbers": []}, None, id="another-type"),
    ],
)
async def test_a_job_that_does_not_tell_its_numbers_is_no_certainty(
    batch: Make,
    telnyx: Callable[[Serve], Telnyx],
    told: dict[str, Any],
    certain: bool | None,  # noqa: FBT001 - a column of a table
) -> None:
    """It may be ours, so it is neither adopted nor taken for absent; searching and recognising agree on that."""
    listed = job(**told)

    def serve(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"data": [listed] if request.url.path.endswith("/jobs") else listed})

    wanted = batch({"tags": ("vip",)})
    found = (await telnyx(serve).search(wanted, CREATED)).jobs

    assert [one.certain for one in found] == ([] if certain is None else [certain])
    if certain is None:
        with pytest.raises(BadRequest, match=r"does not match this batch|was created before"):
            await telnyx(serve).recognise(wanted, listed["id"], CREATED)
    else:
        assert (await telnyx(serve).recognise(wanted, listed["id"], CREATED)).certain is certain


@pytest.mark.parametrize(
    ("saved", "found"),
    [
        pytest.param("4711", True, id="the-same"),
        pytest.param("4712", False, id="another"),
        pytest.param("****", True, id="masked"),
        pytest.param(None, True, id="none"),
    ],
)
async def test_pins_are_compared_without_showing_them(
    batch: Make,
    telnyx: Callable[[Serve], Telnyx],
    encryption: Encryption,
    saved: str | None,
    found: bool,  # noqa: FBT001 - a column of a table
) -> None:
    """A job with another PIN is not ours, one that tells none may be; the PIN is in none of what is returned."""
    listed = job(parameters={"phone_numbers": IDS, "external_pin": saved})
    provider = telnyx(lambda _request: httpx.Response(200, json={"data": [listed], "meta": {"total_results": 1}}))

    jobs = (await provider.search(batch({"external_pin": encryption.seal("4711")}), CREATED)).jobs

    assert bool(jobs) is found
    assert "4711" not in repr(jobs)


async def test_a_search_reads_no_further_than_it_has_to(batch: Make, telnyx: Callable[[Serve], Telnyx]) -> None:
    """Of an account with thousands of jobs, only the pages that reach back to the moment are read."""
    asked: list[dict[str, str]] = []

    def serve(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        first = (int(request.url.params["page[number]"]) - 1) * SEARCH_PAGE
        rows = [
            job(id=f"job-{position}", created_at=(CREATED + timedelta(seconds=60 - position)).isoformat())
            for position in range(first, first + SEARCH_PAGE)
        ]
        return httpx.Response(200, json={"data": rows, "meta": {"total_results": 5000}})

    result = await telnyx(serve).search(batch({"tags": ("vip",)}), CREATED + LOOK_BACK)

    assert result.whole
    assert [one.id for one in result.jobs] == [f"job-{position}" for position in range(61)]
    assert asked == [
        {"filter[type]": "update_phone_numbers", "page[number]": str(page), "page[size]": str(SEARCH_PAGE)}
        for page in (1, 2)
    ]


async def test_a_search_in_the_wrong_order_reads_everything(batch: Make, telnyx: Callable[[Serve], Telnyx]) -> None:
    """Should jobs come oldest first after all, the new one on the last page is found."""

    def serve(request: httpx.Request) -> httpx.Response:
        first = (int(request.url.params["page[number]"]) - 1) * SEARCH_PAGE
        rows = [
            job(id=f"job-{position}", created_at=(CREATED + timedelta(seconds=position - 120)).isoformat())
            for position in range(first, min(first + SEARCH_PAGE, 121))
        ]
        return httpx.Response(200, json={"data": rows})

    result = await telnyx(serve).search(batch({"tags": ("vip",)}), CREATED + LOOK_BACK)

    assert result.whole
    assert [one.id for one in result.jobs] == ["job-120"]


def page_of(number: int, size: int, total: int | None, *, capped: int | None = None) -> httpx.Response:
    """Return a page of ``size`` jobs made in the second of the attempt, none of them over the batch's numbers."""
    rows = [job(id=f"job-{number}-{n}", phone_numbers=[{"id": "9"}]) for n in range(min(size, capped or size))]
    return httpx.Response(200, json={"data": rows, "meta": {} if total is None else {"total_results": total}})


@pytest.mark.parametrize(
    ("total", "rows", "capped"),
    [
        pytest.param(0, 50, None, id="a total of nothing beside a full page"),
        pytest.param(50, 50, None, id="the total of one page"),
        pytest.param(None, 20, 20, id="pages capped below what was asked for"),
        pytest.param(20, 20, 20, id="capped pages with totals of their own"),
    ],
)
async def test_no_total_and_no_short_page_ends_a_search(
    batch: Make, telnyx: Callable[[Serve], Telnyx], total: int | None, rows: int, capped: int | None
) -> None:
    """Our job is on the second page, whatever the first one says of the list's length."""

    def serve(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params["page[number]"])
        if number == 1:
            return page_of(1, rows, total, capped=capped)
        ours = [job(id="ours", parameters={"tags": ["vip"]})] if number == 2 else []
        return httpx.Response(200, json={"data": ours, "meta": {} if total is None else {"total_results": total}})

    result = await telnyx(serve).search(batch({"tags": ("vip",)}), CREATED)

    assert [(one.id, one.certain) for one in result.jobs] == [("ours", True)]
    assert result.whole


@pytest.mark.parametrize(
    ("serve", "calls"),
    [
        pytest.param(lambda _number: page_of(1, 50, None), 2, id="the same page again and again"),
        pytest.param(lambda number: page_of(number, 50, None), SEARCH_PAGES, id="new pages without end"),
        pytest.param(lambda number: page_of(number, 50 if number == 1 else 0, 60), 2, id="less than was announced"),
    ],
)
async def test_a_list_without_a_proper_end_proves_no_absence(
    batch: Make, telnyx: Callable[[Serve], Telnyx], serve: Callable[[int], httpx.Response], calls: int
) -> None:
    """It is read for so long and no longer, and what was not seen may exist all the same."""
    asked: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(int(request.url.params["page[number]"]))
        return serve(asked[-1])

    result = await telnyx(answer).search(batch({"tags": ("vip",)}), CREATED)

    assert (result.jobs, result.whole) == ((), False)
    assert len(asked) == calls


async def test_a_single_old_job_shows_no_order(batch: Make, telnyx: Callable[[Serve], Telnyx]) -> None:
    """A page with one row, older than the attempt, may be the first of a list that is oldest first."""

    def serve(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params["page[number]"])
        old = job(id="old", created_at=(CREATED - timedelta(days=2)).isoformat())
        ours = job(id="ours", parameters={"tags": ["vip"]})
        return httpx.Response(200, json={"data": {1: [old], 2: [ours]}.get(number, [])})

    result = await telnyx(serve).search(batch({"tags": ("vip",)}), CREATED)

    assert [one.id for one in result.jobs] == ["ours"]
    assert result.whole


async def test_where_nobody_knows_when_it_was_sent_all_jobs_are_looked_at(
    batch: Make, telnyx: Callable[[Serve], Telnyx]
) -> None:
    """Numbers and values decide then, however old the job is."""
    ours = job(parameters={"tags": ["vip"]}, created_at="2026-01-01T00:00:00Z")

    def serve(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"data": [ours] if request.url.params["page[number]"] == "1" else []})

    result = await telnyx(serve).search(batch({"tags": ("vip",)}), None)

    assert [(one.id, one.certain) for one in result.jobs] == [(ours["id"], True)]
