"""Runs: what is sent, what becomes of each number, and what stops everything."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bot.changes.model.bulk_runs import NewNumber, NumberState
from bot.changes.outcome.outcomes import NO_ANSWER, STALE, STOPPED, UNCLEAR_RESPONSE
from bot.changes.policy import OnStale
from bot.providers.close.execution import FORBIDDEN_FOR_ALL, RUN_STOPPED
from bot.providers.close.provider import Close
from bot.providers.close.updates import RESTS
from bot.providers.http import Bounds
from bot.sandbox.close import CloseStandIn, RateLimit
from bot.store.tables import runs
from tests.integration.provider_close.conftest import Organization, over

ONE = "/phone_number/phon_*/"


async def test_only_what_differs_is_sent(organization: Organization) -> None:
    """Of two wanted settings a number that has one already gets the other."""
    organization.close.add_number("+13035550100", label="Night desk", press_1_to_accept=False)
    organization.close.add_number("+13035550101", label="Front desk", press_1_to_accept=True)
    provider = await organization.open()

    batch = organization.batch(["+13035550100", "+13035550101"], label="Night desk", press_1_to_accept=True)
    done = await over(provider, await provider.submit(batch))

    assert len(done.succeeded) == 2
    assert sorted(organization.updates(), key=lambda update: update[0]) == [
        ("+13035550100", {"press_1_to_accept": True}),
        ("+13035550101", {"label": "Night desk"}),
    ]


async def test_an_emptied_greeting_is_sent_as_null_and_lists_as_lists(organization: Organization) -> None:
    """Each kind of emptiness goes out as Close reads it."""
    organization.close.add_number(
        "+13035550100", voicemail_greeting_url="https://example.com/a.mp3", phone_numbers=["+13035550199"]
    )
    provider = await organization.open()

    batch = organization.batch(["+13035550100"], voicemail_greeting_url="", phone_numbers=())
    await over(provider, await provider.submit(batch))

    assert organization.updates() == [("+13035550100", {"voicemail_greeting_url": None, "phone_numbers": []})]


async def test_a_run_that_cannot_be_read_keeps_no_other_from_its_turn(organization: Organization) -> None:
    """One of a kind that only another version knows is claimed first; those behind it are carried out all the same."""
    number = organization.close.add_number("+13035550100")
    strange = NewNumber(id=number.id, e164=number.number, before={}, wanted={"label": "Day desk"})
    await organization.book.open("1/100", "close.future", [strange])
    provider = await organization.open()

    done = await over(provider, await provider.submit(organization.batch([number.number], label="Night desk")))

    assert len(done.succeeded) == 1
    assert organization.updates() == [("+13035550100", {"label": "Night desk"})]


async def test_submitting_twice_is_one_run(organization: Organization) -> None:
    """The same batch is the same job, whoever submits it how often."""
    numbers = [number.number for number in organization.close.add_numbers(3, start="+13035550100")]
    provider, other = await organization.open(), await organization.open()
    batch = organization.batch(numbers, label="Night desk")

    first = await provider.submit(batch)
    again = await other.submit(batch)
    done = await over(provider, first)

    assert first.id == again.id == done.id
    assert len(done.succeeded) == len(organization.updates()) == 3


@pytest.mark.parametrize(
    ("count", "others", "looks"),
    [
        pytest.param(4, 0, 4, id="few-one-by-one"),
        pytest.param(40, 0, 1, id="many-by-a-page"),
        pytest.param(250, 30, 3, id="more-by-pages"),
        pytest.param(20, 500, 23, id="not-worth-pages"),
    ],
)
async def test_each_number_is_looked_at_just_before_its_update(
    organization: Organization, calls: Callable[[str], int], count: int, others: int, looks: int
) -> None:
    """By the fewest calls: a page of the list shows a hundred, as long as it shows some of the run's."""
    numbers = [number.number for number in organization.close.add_numbers(count, start="+13035550100")]
    organization.close.add_numbers(others, start="+13035560100")
    # On a slow machine no look gets too old, as only what is slept counts as time, and no answer is given up.
    provider = await organization.open(now=lambda: sum(organization.slept), bounds=Bounds())

    done = await over(provider, await provider.submit(organization.batch(numbers, label="Night desk")))

    assert (len(done.succeeded), calls("PUT")) == (count, count)
    assert calls("GET") <= looks


@pytest.mark.parametrize("count", [2, 40], ids=["one-by-one", "by-pages"])
async def test_a_look_that_got_too_old_before_the_update_is_taken_again(organization: Organization, count: int) -> None:
    """What somebody changes while an update waits for its turn is not overwritten, whoever looked before."""
    numbers = [number.number for number in organization.close.add_numbers(count, start="+13035550100")]
    organization.close.faults.add(method="PUT", path=ONE, kind="rate_limited", reset=60)
    edited: list[str] = []

    async def sleep(seconds: float) -> None:
        """Let somebody edit the last number that is not done, and the time pass."""
        done = {update.number for update in organization.close.updates}
        if not edited and (left := [number for number in numbers if number not in done]):
            edited.append(left[-1])
            organization.close.number(left[-1]).label = "Somebody else's"
        organization.slept.append(seconds)
        await asyncio.sleep(0)

    provider = await organization.open(sleep=sleep)
    batch = replace(organization.batch(numbers, label="Night desk"), on_stale=OnStale.CONTINUE)
    done = await over(provider, await provider.submit(batch))

    assert [(one.e164, one.code, one.attempted) for one in done.failed] == [(edited[0], STALE, False)]
    assert organization.close.number(edited[0]).label == "Somebody else's"
    assert len(done.succeeded) == count - 1


async def test_a_look_that_got_too_old_while_the_limit_was_kept_is_taken_again(organization: Organization) -> None:
    """What is learned of a limit makes an update wait for its turn, which is after the look at its number."""
    close = organization.close
    numbers = [number.number for number in close.add_numbers(30, start="+13035550100")]
    close.group_limits["PUT /phone_number/{id}/"] = RateLimit(20, window=10)
    edited: list[str] = []

    async def sleep(seconds: float) -> None:
        """Let somebody edit every number that is not done, once, and the time pass."""
        await close.wait_for(lambda: len(close.updates) >= 20)
        if not edited:
            done = {update.number for update in close.updates}
            edited.extend(number for number in numbers if number not in done)
            for number in edited:
                close.number(number).label = "Somebody else's"
        organization.slept.append(seconds)
        close.advance(seconds)
        await asyncio.sleep(0)

    provider = Close(
        api_key=close.api_key,
        api_url=close.url,
        runs=organization.book,
        sleep=sleep,
        now=lambda: time.monotonic() + sum(organization.slept),
    )
    async with provider:
        batch = replace(organization.batch(numbers, label="Night desk"), on_stale=OnStale.CONTINUE)
        done = await over(provider, await provider.submit(batch))

    assert len(edited) == 10
    assert sorted(one.e164 for one in done.failed if one.code == STALE) == edited
    assert {close.number(number).label for number in edited} == {"Somebody else's"}


async def test_a_stale_number_stops_its_run_where_the_policy_says_so(organization: Organization) -> None:
    """What changed is told, and what is not sent yet is not sent."""
    numbers = [number.number for number in organization.close.add_numbers(60, start="+13035550100", label="Old")]
    batch = organization.batch(numbers, label="Night desk")
    for number in numbers:
        organization.close.number(number).label = "Somebody else's"
    provider = await organization.open()

    done = await over(provider, await provider.submit(batch))

    stale = [one for one in done.failed if one.code == STALE]
    assert stale
    changed = "It changed since the plan was made: Label was Old and is Somebody else's."
    assert {one.reason for one in stale} == {f"{changed} It was not sent; check the number and ask again."}
    rest = [one for one in done.failed if one.code == STOPPED]
    assert len(stale) + len(rest) == 60
    assert "has changed since the plan was made" in rest[0].reason
    assert not any(one.attempted for one in done.failed)
    assert organization.updates() == []


async def test_a_list_that_moved_since_the_plan_is_not_overwritten(organization: Organization) -> None:
    """What somebody else has done meanwhile stays; the number is not attempted and says what it has now."""
    ana, ben, cleo = (organization.close.add_user(name, "X") for name in ("Ana", "Ben", "Cleo"))
    organization.close.add_number("+13035550100", participants=[ana.id])
    organization.close.add_number("+13035550101", participants=[ana.id])
    provider = await organization.open()
    batch = organization.batch(["+13035550100", "+13035550101"], participants=(ana.id, ben.id))
    batch = replace(batch, on_stale=OnStale.CONTINUE)
    organization.close.number("+13035550100").participants = [ana.id, cleo.id]

    done = await over(provider, await provider.submit(batch))

    assert [(one.e164, one.code, one.pointer) for one in done.failed] == [("+13035550100", STALE, "/participants")]
    assert f"Participants was {ana.id} (name unknown) and is" in done.failed[0].reason
    assert organization.close.number("+13035550100").participants == [ana.id, cleo.id]
    assert organization.close.number("+13035550101").participants == [ana.id, ben.id]


async def test_the_order_of_a_list_is_no_difference(organization: Organization) -> None:
    """Close lists people in an order of its own; a list in another order has not moved."""
    users = [organization.close.add_user(name, "X").id for name in ("Ana", "Ben", "Cleo")]
    organization.close.add_number("+13035550100", participants=users[::-1])
    provider = await organization.open()

    batch = organization.batch(["+13035550100"], participants=(users[0],))
    done = await over(provider, await provider.submit(batch))

    assert len(done.succeeded) == 1
    assert organization.close.number("+13035550100").participants == [users[0]]


async def test_a_number_that_left_the_account_is_stale(organization: Organization) -> None:
    """It is reported as gone, and the others are changed."""
    numbers = [number.number for number in organization.close.add_numbers(2, start="+13035550100")]
    provider = await organization.open()
    batch = replace(organization.batch(numbers, label="Night desk"), on_stale=OnStale.CONTINUE)
    organization.close.remove_number(numbers[0])

    done = await over(provider, await provider.submit(batch))

    assert [(one.e164, one.code) for one in done.failed] == [(numbers[0], STALE)]
    assert [one.e164 for one in done.succeeded] == [numbers[1]]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"kind": "drop_after"}, id="connection-broke-after-the-update"),
        pytest.param({"kind": "drop_before"}, id="connection-broke-before-the-update"),
        pytest.param({"kind": "status", "status": 502}, id="502-before"),
        pytest.param({"kind": "status", "status": 502, "effect_first": True}, id="502-after"),
        pytest.param({"kind": "status", "status": 504, "effect_first": True}, id="504-after"),
        pytest.param({"kind": "status", "status": 500}, id="500"),
        pytest.param({"kind": "status", "status": 503}, id="503"),
        pytest.param({"kind": "delay", "seconds": 1.5}, id="timeout-after"),
        pytest.param({"kind": "delay", "seconds": 1.5, "effect_first": False}, id="timeout-before"),
        pytest.param({"kind": "malformed"}, id="nonsense"),
        pytest.param({"kind": "empty"}, id="nothing"),
        pytest.param({"kind": "rate_limited", "retry_after": 3}, id="429"),
    ],
)
async def test_an_unclear_answer_is_settled_by_looking(organization: Organization, fault: dict[str, Any]) -> None:
    """Whatever becomes of an answer, the number ends as succeeded, was updated once, and has the value."""
    numbers = [number.number for number in organization.close.add_numbers(3, start="+13035550100")]
    organization.close.faults.add(method="PUT", path=ONE, times=1, after=1, **fault)
    provider = await organization.open()

    done = await over(provider, await provider.submit(organization.batch(numbers, label="Night desk")))

    assert sorted(one.e164 for one in done.succeeded) == numbers
    assert sorted(organization.updates()) == [(number, {"label": "Night desk"}) for number in numbers]


async def test_reads_that_lag_do_no_harm(organization: Organization) -> None:
    """A number that is read too early is updated once more, to the same value."""
    organization.close.add_number("+13035550100", label="Front desk")
    organization.close.read_lag = 0.2
    organization.close.faults.add(method="PUT", path=ONE, kind="drop_after")
    provider = await organization.open()

    done = await over(provider, await provider.submit(organization.batch(["+13035550100"], label="Night desk")))

    assert len(done.succeeded) == 1
    assert organization.close.number("+13035550100").label == "Night desk"


async def test_the_wait_of_a_429_is_kept(organization: Organization) -> None:
    """What the header asks for is waited before the next update, and no number fails for it."""
    numbers = [number.number for number in organization.close.add_numbers(2, start="+13035550100")]
    organization.close.faults.add(method="PUT", path=ONE, kind="rate_limited", reset=7, retry_after=9)
    provider = await organization.open()

    done = await over(provider, await provider.submit(organization.batch(numbers, label="Night desk")))

    assert len(done.succeeded) == 2
    assert any(6 < seconds <= 7 for seconds in organization.slept)


async def test_field_errors_fail_the_number_with_their_pointer(organization: Organization) -> None:
    """However deep Close puts an error, its place and its words are reported."""
    numbers = [number.number for number in organization.close.add_numbers(2, start="+13035550100")]
    organization.close.fail(numbers[0], field="label.0", text="<b>Too</b> long")
    provider = await organization.open()

    done = await over(provider, await provider.submit(organization.batch(numbers, label="Night desk")))

    assert [(one.e164, one.code, one.pointer) for one in done.failed] == [(numbers[0], "400", "/label/0")]
    assert "“<b>Too</b> long” (at /label/0)" in done.failed[0].reason


async def test_one_forbidden_number_fails_alone(organization: Organization) -> None:
    """Somebody's own number is theirs; the permission that Close names is told, whatever it is called."""
    owner = organization.close.add_user("Ana", "Reyes")
    organization.close.add_number("+13035550100", owner=owner.id)
    shared = organization.close.add_number("+13035550101").number
    provider = await organization.open()

    batch = organization.batch(["+13035550100", shared], label="Night desk")
    done = await over(provider, await provider.submit(batch))

    assert [(one.e164, one.code) for one in done.failed] == [("+13035550100", "403")]
    assert "You can only update your own personal numbers." in done.failed[0].reason
    assert [one.e164 for one in done.succeeded] == [shared]


@pytest.mark.parametrize("permission", ["Manage Group Phone Numbers", "Quite Another Name"])
async def test_a_permission_that_is_missing_for_all_stops_the_run(
    organization: Organization, permission: str, calls: Callable[[str], int]
) -> None:
    """After some refusals and not one success the rest is not attempted; the name decides nothing."""
    numbers = [number.number for number in organization.close.add_numbers(60, start="+13035550100")]
    organization.close.permit(manage=False, permission=permission)
    provider = await organization.open()

    done = await over(provider, await provider.submit(organization.batch(numbers, label="Night desk")))

    refused = [one for one in done.failed if one.attempted]
    spared = [one for one in done.failed if not one.attempted]
    assert FORBIDDEN_FOR_ALL <= len(refused) == calls("PUT") < 60
    assert len(refused) + len(spared) == 60
    assert all(permission in one.reason for one in done.failed)
    assert {one.code for one in spared} == {RUN_STOPPED}
    assert organization.updates() == []


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "Close does not accept Linesman's credentials"), (402, "plan at Close does not include this")],
)
async def test_what_holds_for_every_number_stops_the_run(
    organization: Organization, status: int, said: str, calls: Callable[[str], int]
) -> None:
    """Numbers that were changed stay changed; those that met the refusal fail; the rest is not attempted."""
    numbers = [number.number for number in organization.close.add_numbers(50, start="+13035550100")]
    organization.close.faults.add(method="PUT", path=ONE, kind="status", status=status, times=None, after=20)
    provider = await organization.open()

    done = await over(provider, await provider.submit(organization.batch(numbers, label="Night desk")))

    refused = [one for one in done.failed if one.attempted]
    spared = [one for one in done.failed if not one.attempted]
    assert len(done.succeeded) == len(organization.updates()) == 20
    assert 20 + len(refused) == calls("PUT")
    assert len(done.succeeded) + len(refused) + len(spared) == 50
    assert spared
    assert all(said in one.reason for one in done.failed)


async def test_a_lost_answer_that_cannot_be_looked_at_is_not_called_unchanged(organization: Organization) -> None:
    """When the key ends between an update and the look at it, the run says that it does not know."""
    organization.close.add_number("+13035550100", label="Front desk")
    organization.close.faults.add(method="PUT", path=ONE, kind="drop_after")
    organization.close.faults.add(method="GET", kind="status", status=401, times=None, after=1)
    provider = await organization.open()

    done = await over(provider, await provider.submit(organization.batch(["+13035550100"], label="Night desk")))

    assert [(one.code, one.known) for one in done.failed] == [(UNCLEAR_RESPONSE, False)]


async def test_a_run_waits_while_close_is_away_and_then_goes_on(organization: Organization) -> None:
    """Numbers keep waiting through an outage; when it is over they are changed."""
    numbers = [number.number for number in organization.close.add_numbers(30, start="+13035550100")]
    outage = organization.close.faults.add(method="PUT", path=ONE, kind="status", status=503, times=None)
    provider = await organization.open()
    job = await provider.submit(organization.batch(numbers, label="Night desk"))
    await put_off(organization, job.id)
    assert (await provider.poll(job.id)).failed == ()

    outage.times = 0
    organization.clock.skipped += 60
    done = await over(provider, job)

    assert len(done.succeeded) == 30


async def test_a_number_that_never_gets_an_answer_is_given_up(organization: Organization) -> None:
    """It does not hold the others back for ever, and nobody calls it changed or unchanged."""
    numbers = [number.number for number in organization.close.add_numbers(30, start="+13035550100")]
    stuck = organization.close.number(numbers[0]).id
    organization.close.faults.add(
        method="PUT", path=f"/phone_number/{stuck}/", kind="status", status=502, times=None, effect_first=False
    )
    provider = await organization.open()
    job = await provider.submit(organization.batch(numbers, label="Night desk"))
    for _ in range(RESTS):
        await put_off(organization, job.id)
        organization.clock.skipped += 60
        await provider.poll(job.id)
    done = await over(provider, job)

    assert [(one.e164, one.code) for one in done.failed] == [(numbers[0], NO_ANSWER)]
    assert len(done.succeeded) == 29


async def put_off(organization: Organization, run: str) -> None:
    """Wait until the run rests: nobody holds it although it is open."""
    async with asyncio.timeout(60):
        while True:
            async with organization.database.reading() as tx:
                row = (await tx.runs._connection.execute(select(runs).where(runs.c.id == int(run)))).one()
            if row.owner is None and row.due_at > organization.clock():
                return
            await asyncio.sleep(0.01)


class Ticks:
    """A time of which a thousandth of a second passes with each turn of the loop that is let pass, and no more."""

    STEP = 0.001

    def __init__(self) -> None:
        self._seconds = 0.0

    def __call__(self) -> float:
        """Return the seconds since the beginning."""
        return self._seconds

    def moment(self) -> datetime:
        """Return the same as a date."""
        return datetime(2026, 3, 2, tzinfo=UTC) + timedelta(seconds=self._seconds)

    async def sleep(self, seconds: float) -> None:
        """Let so many seconds pass."""
        until = self._seconds + seconds
        while self._seconds < until:  # noqa: ASYNC110 - this is what passes
            await asyncio.sleep(self.STEP)

    @asynccontextmanager
    async def passing(self) -> AsyncIterator[None]:
        """Have it pass until the block ends."""
        passing = asyncio.create_task(self._pass())
        try:
            yield
        finally:
            passing.cancel()

    async def _pass(self) -> None:
        while True:
            await asyncio.sleep(self.STEP)
            self._seconds += self.STEP


async def test_a_limit_is_learned_and_kept(organization: Organization) -> None:
    """Of two hundred updates under a limit of forty in a window, at most the first of a window is turned away.

    It may reach the provider a moment before the window ends: how long a call is on its way is not known beforehand.
    Time passes as the loop goes round, so that a machine on which all stands still for a while cannot make it longer.
    """
    ticks = Ticks()
    async with CloseStandIn(api_key=organization.close.api_key, clock=ticks.moment) as close:
        organization.close = close
        numbers = [number.number for number in close.add_numbers(200, start="+13035550100")]
        close.group_limits["PUT /phone_number/{id}/"] = RateLimit(40, window=0.3)
        async with ticks.passing():
            provider = await organization.open(sleep=ticks.sleep, now=ticks)
            done = await over(provider, await provider.submit(organization.batch(numbers, label="Night desk")))
            await provider.aclose()

    assert len(done.succeeded) == 200
    windows = 200 // 40
    assert sum(call.status == 429 for call in close.calls) < windows


async def test_every_state_of_a_run_is_in_the_book(organization: Organization) -> None:
    """What a poll says comes from the database: a provider that was opened later says the same."""
    numbers = [number.number for number in organization.close.add_numbers(3, start="+13035550100")]
    organization.close.fail(numbers[0])
    provider = await organization.open()
    done = await over(provider, await provider.submit(organization.batch(numbers, label="Night desk")))
    await provider.aclose()

    later = await organization.open()
    run = await organization.book.read(done.id)

    assert await later.poll(done.id) == done
    assert run is not None
    assert [number.state for number in run.numbers] == [
        NumberState.FAILED,
        NumberState.SUCCEEDED,
        NumberState.SUCCEEDED,
    ]
    assert run.over_at is not None
