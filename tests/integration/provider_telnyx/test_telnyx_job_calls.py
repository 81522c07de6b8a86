"""Creating, polling and finding jobs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bot.changes.model.encryption import Encryption
from bot.changes.model.kinds import Kind
from bot.changes.model.values import Values
from bot.errors import BadRequest, Forbidden, OutcomeUnknown, ProviderError, ProviderNotFound, RateLimited, TooManyJobs
from bot.providers.base import BatchRequest, JobReport, JobState
from bot.providers.http import Bounds
from bot.providers.telnyx.provider import Telnyx
from bot.sandbox.telnyx import Number, TelnyxStandIn

UPDATE = "/phone_numbers/jobs/update_phone_numbers"
EMERGENCY = "/phone_numbers/jobs/update_emergency_settings"
JOBS = "/phone_numbers/jobs"


def batch_of(kind: Kind, numbers: list[Number], **values: object) -> BatchRequest:
    """Return a batch; double underscores in names stand for dots."""
    named: Values = {name.replace("__", "."): value for name, value in values.items()}  # type: ignore[misc]  # tests pass what fits
    return BatchRequest(kind=kind, numbers=tuple((n.id, n.phone_number) for n in numbers), values=named)


def long_ago() -> datetime:
    """Return a moment before the test."""
    return datetime.now(UTC) - timedelta(minutes=1)


async def test_a_job_is_created_and_followed(account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind) -> None:
    """One POST by ids creates the job; polls see it move; at its end the numbers have the values."""
    numbers = account.add_numbers(3, start="+13035550000")
    account.fail("+13035550001", detail="The field is invalid.", pointer="/tags")

    created = await telnyx.submit(batch_of(settings_kind, numbers, tags=("vip",), hd_voice_enabled=True))
    account.advance(70)
    done = await telnyx.poll(created.id)

    assert created.state is JobState.PENDING
    assert created.numbers == {number.id for number in numbers}
    assert created.done_by is not None
    assert created.done_by.tzinfo is UTC
    assert done.state is JobState.COMPLETED
    assert {one.e164 for one in done.succeeded} == {"+13035550000", "+13035550002"}
    assert [(one.e164, one.reason, one.pointer) for one in done.failed] == [
        ("+13035550001", "The field is invalid.", "/tags")
    ]
    assert account.number("+13035550000").tags == ["vip"]
    assert [call.body for call in account.calls if call.method == "POST"] == [
        {"phone_numbers": [number.id for number in numbers], "tags": ["vip"], "hd_voice_enabled": True}
    ]


async def test_siblings_survive_a_change_of_one_leaf(
    account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind
) -> None:
    """Sent whole, a nested object keeps what was not to change, even where Telnyx resets missing siblings."""
    voice: dict[str, object] = {"call_forwarding": {"forwards_to": "+13035559123", "forwarding_type": "on-failure"}}
    number = account.add_number("+13035550100", voice=voice)

    await telnyx.submit(
        batch_of(
            settings_kind,
            [number],
            voice__call_forwarding__call_forwarding_enabled=False,
            voice__call_forwarding__forwards_to="+13035559123",
            voice__call_forwarding__forwarding_type="on-failure",
        )
    )
    account.advance(70)

    assert account.number(number.id).voice.call_forwarding == {
        "call_forwarding_enabled": False,
        "forwards_to": "+13035559123",
        "forwarding_type": "on-failure",
    }


async def test_forwarding_and_listing_can_be_switched_off(
    account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind
) -> None:
    """A blank target and a listing without its name are taken by Telnyx."""
    voice = {
        "call_forwarding": {"forwards_to": "+13035559123"},
        "cnam_listing": {"cnam_listing_enabled": True, "cnam_listing_details": "Acme"},
    }
    number = account.add_number("+13035550100", voice=voice)

    await telnyx.submit(
        batch_of(
            settings_kind,
            [number],
            voice__call_forwarding__call_forwarding_enabled=True,
            voice__call_forwarding__forwards_to="",
            voice__call_forwarding__forwarding_type=None,
            voice__cnam_listing__cnam_listing_enabled=False,
            voice__cnam_listing__cnam_listing_details="Acme",
        )
    )
    account.advance(70)

    after = account.number(number.id).voice
    assert after.call_forwarding["forwards_to"] == ""
    assert after.cnam_listing["cnam_listing_enabled"] is False


async def test_the_emergency_service_goes_on_and_off(
    account: TelnyxStandIn, telnyx: Telnyx, emergency_kind: Kind
) -> None:
    """Switching on sends the address, switching off sends none, even if the snapshot brought one along."""
    address = account.add_address("100 Main St")
    number = account.add_number("+13035550100")

    await telnyx.submit(batch_of(emergency_kind, [number], emergency_enabled=True, emergency_address_id=address.id))
    account.advance(70)
    on = account.number(number.id).emergency_address_id
    await telnyx.submit(batch_of(emergency_kind, [number], emergency_enabled=False, emergency_address_id=address.id))
    account.advance(70)

    assert on == address.id
    assert account.number(number.id).emergency_enabled is False
    assert [call.body for call in account.calls if call.path == EMERGENCY][-1] == {
        "phone_numbers": [number.id],
        "emergency_enabled": False,
    }


async def test_a_pin_is_set_and_never_seen(
    account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind, encryption: Encryption
) -> None:
    """The PIN reaches the number; no report about the job holds it, though Telnyx tells it."""
    number = account.add_number("+13035550100")
    batch = batch_of(settings_kind, [number], external_pin=encryption.seal("4711"))

    created = await telnyx.submit(batch)
    account.advance(70)
    reports = [created, await telnyx.poll(created.id), *(await telnyx.search(batch, long_ago())).jobs]

    assert account.number(number.id).external_pin == "4711"
    assert len(reports) == 3
    assert "4711" not in repr(reports)


@pytest.mark.parametrize(
    ("fault", "kind", "done"),
    [
        pytest.param({"kind": "drop_before"}, OutcomeUnknown, False, id="dropped-before"),
        pytest.param({"kind": "drop_after"}, OutcomeUnknown, True, id="dropped-after"),
        pytest.param({"kind": "status", "status": 500}, OutcomeUnknown, False, id="500"),
        pytest.param({"kind": "status", "status": 503, "effect_first": True}, OutcomeUnknown, True, id="503-but-done"),
        pytest.param({"kind": "delay", "seconds": 3.0, "effect_first": True}, OutcomeUnknown, True, id="too-late"),
        pytest.param({"kind": "malformed"}, OutcomeUnknown, True, id="malformed"),
        pytest.param({"kind": "empty"}, OutcomeUnknown, True, id="empty"),
        pytest.param({"kind": "rate_limited", "retry_after": 4}, RateLimited, False, id="429"),
    ],
)
async def test_an_unclear_creation_is_settled_by_a_search(
    account: TelnyxStandIn,
    settings_kind: Kind,
    fault: dict[str, object],
    kind: type[ProviderError],
    done: bool,  # noqa: FBT001 - a column of a table
) -> None:
    """Whatever happens to the POST it is sent once, and the search says whether there is a job."""
    numbers = account.add_numbers(2, start="+13035550000")
    batch = batch_of(settings_kind, numbers, tags=("vip",))
    account.faults.add(method="POST", path=UPDATE, **fault)  # type: ignore[arg-type]  # a row of a table

    async with Telnyx(api_key=account.api_key, api_url=account.url, bounds=Bounds(timeout=0.5)) as telnyx:
        with pytest.raises(ProviderError) as caught:
            await telnyx.submit(batch)
        found = (await telnyx.search(batch, long_ago())).jobs

    assert type(caught.value) is kind
    assert sum(call.path == UPDATE for call in account.calls) == 1
    assert [one.id for one in found] == [one.id for one in account.jobs]
    assert len(found) == done


async def test_a_search_finds_only_the_batch(account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind) -> None:
    """Among jobs over other numbers, with other values and of others, only ours is found; one of before is no proof."""
    numbers = account.add_numbers(4, start="+13035550000")
    wanted = batch_of(settings_kind, numbers[:2], tags=("vip",), voice__translated_number="x1")
    account.other_jobs(3, "update_phone_numbers")
    earlier = await telnyx.submit(wanted)
    account.advance(600)
    since = datetime.now(UTC) + timedelta(seconds=590)
    await telnyx.submit(batch_of(settings_kind, numbers, tags=("vip",), voice__translated_number="x1"))
    await telnyx.submit(batch_of(settings_kind, numbers[:1], tags=("vip",), voice__translated_number="x1"))
    await telnyx.submit(batch_of(settings_kind, numbers[:2], tags=("other",), voice__translated_number="x1"))
    ours = await telnyx.submit(wanted)
    account.misbehave(None, "ids_as_integers")

    found = (await telnyx.search(wanted, since)).jobs

    assert [(one.id, one.certain) for one in found] == [(ours.id, True), (earlier.id, False)]


@pytest.mark.parametrize(
    ("how", "read"),
    [
        pytest.param("unknown_status", lambda job: (job.state, job.state_word), id="unknown-status"),
        pytest.param("expired", lambda job: (job.state, len(job.succeeded), len(job.pending)), id="expired"),
        pytest.param("failed_empty", lambda job: (job.state, job.succeeded, job.failed), id="failed-empty"),
        pytest.param("completed_missing", lambda job: (job.state, len(job.succeeded)), id="missing"),
        pytest.param("ids_as_integers", lambda job: {one.id.isdigit() for one in job.succeeded}, id="integers"),
        pytest.param("number_in_two_lists", lambda job: len(job.succeeded) + len(job.failed), id="in-two-lists"),
    ],
)
async def test_misbehaving_jobs_are_reported_as_they_are(
    account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind, how: str, read: Callable[[JobReport], object]
) -> None:
    """The report says what Telnyx said, no more and no less; judging it is for others."""
    expected = {
        "unknown_status": (JobState.UNKNOWN, "suspended"),
        "expired": (JobState.EXPIRED, 2, 2),
        "failed_empty": (JobState.FAILED, (), ()),
        "completed_missing": (JobState.COMPLETED, 3),
        "ids_as_integers": {True},
        "number_in_two_lists": 5,
    }
    account.misbehave(None, how)
    created = await telnyx.submit(
        batch_of(settings_kind, account.add_numbers(4, start="+13035550000"), hd_voice_enabled=True)
    )
    account.advance(70)

    assert read(await telnyx.poll(created.id)) == expected[how]


async def test_a_job_that_vanished_is_missing(account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind) -> None:
    """A poll for a job that Telnyx has forgotten raises Missing."""
    account.misbehave(None, "not_found_later")
    created = await telnyx.submit(batch_of(settings_kind, [account.add_number("+13035550100")], tags=("vip",)))
    account.advance(70)

    with pytest.raises(ProviderNotFound):
        await telnyx.poll(created.id)


async def test_the_limits_of_jobs_in_flight(
    account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind, emergency_kind: Kind
) -> None:
    """With 20 update jobs or 500 emergency jobs of anybody under way, one more is "too many", not a failure."""
    number = account.add_number("+13035550100")
    account.other_jobs(20, "update_phone_numbers")
    account.other_jobs(500, "update_emergency_settings")

    with pytest.raises(TooManyJobs):
        await telnyx.submit(batch_of(settings_kind, [number], tags=("vip",)))
    with pytest.raises(TooManyJobs):
        await telnyx.submit(batch_of(emergency_kind, [number], emergency_enabled=False))


async def test_refusals_name_the_field(account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind) -> None:
    """A foreign number, a foreign billing group and a wrong connection are refused with their pointers."""
    number = account.add_number("+13035550100")
    foreign = Number(
        id="1293384261075739999",
        phone_number="+13035559999",
        created_at=long_ago(),
        purchased_at=long_ago(),
        updated_at=long_ago(),
    )

    with pytest.raises(BadRequest) as not_owned:
        await telnyx.submit(batch_of(settings_kind, [number, foreign], tags=("vip",)))
    with pytest.raises(Forbidden) as group:
        await telnyx.submit(batch_of(settings_kind, [number], billing_group_id="86f58db9-0fe3-4adc-9d1f-46e66e6e9323"))
    with pytest.raises(BadRequest) as connection:
        await telnyx.submit(batch_of(settings_kind, [number], connection_id="12"))

    assert not_owned.value.pointer == "/phone_numbers"
    assert group.value.pointer == "/billing_group_id"
    assert connection.value.pointer == "/connection_id"
    assert account.jobs == []


async def test_a_thousand_numbers_are_one_call(account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind) -> None:
    """A full batch is one POST and comes back with all its numbers."""
    numbers = account.add_numbers(1000, start="+13035550000")

    created = await telnyx.submit(batch_of(settings_kind, numbers, tags=("vip",)))
    account.advance(70)
    done = await telnyx.poll(created.id)

    assert len(created.numbers) == len(done.succeeded) == 1000
    assert len(account.calls) == 2
