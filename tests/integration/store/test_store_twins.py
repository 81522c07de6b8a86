"""Decisions that depend on what others write, each made by two replicas at once: the outcome is that of one by one.

Each of the two is held before its commit until the other one is as far, or waits for its turn. So without turns both
decide on what was true before either.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from bot.changes.model.batches import Batch
from bot.changes.model.decisions import DecisionVerb
from bot.changes.model.delegation import Delegation
from bot.changes.model.lifecycle import BatchState, ChangeState
from bot.changes.model.locks import Freeze
from bot.changes.model.messages import Topic
from bot.changes.model.start import End
from bot.changes.planning.plan import PlannedBatch
from bot.changes.policy import ApprovalStage, Grant, Policies
from bot.clients import build_providers, slack_client
from bot.config import load
from bot.errors import ClaimLost, NotAuthorized, Superseded
from bot.machine import Machine
from bot.providers.catalogue import Catalogue
from bot.slack.directory import SlackDirectory
from bot.slack.files import SlackFiles
from bot.store.database import Database
from bot.store.migrations import migrate
from bot.store.queue.tasks import Claim, Task
from bot.store.records.events import Events
from bot.store.records.operations import Operations
from bot.wiring import _context
from bot.workflow.approval.approvals import Approvals
from bot.workflow.approval.delegations import DelegationControl
from bot.workflow.approval.rights import ApprovalRight, ApprovalRights
from bot.workflow.approval.stages import StageChanges
from bot.workflow.approval_validity import ApprovalValidity
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.control.cancellation import Cancellation
from bot.workflow.execution.batch_jobs import say_submitted
from bot.workflow.execution.settlement import OWN_SLOT_WAIT, after_settling, free_slot
from bot.workflow.execution.staleness import Staleness
from bot.workflow.execution.submission import Submission
from bot.workflow.execution.submission_gate import NextStep, SubmissionGate
from bot.workflow.notifications import Notifications
from tests.integration.store.test_store_records import new_change, planned

ENV = {
    "SLACK_BOT_TOKEN": "xoxb-twins",
    "SLACK_SIGNING_SECRET": "signing-secret-of-the-twins-0000",
    "SLACK_API_URL": "http://127.0.0.1:9/api/",
    "TELNYX_API_KEY": "KEY0twins",
    "TELNYX_API_URL": "http://127.0.0.1:9",
    "LINESMAN_REQUESTERS": "U0ANA",
    "LINESMAN_APPROVERS": "U0MAX,U0MIA",
    "LINESMAN_APPROVAL_CHANNEL": "C0APPROVALS",
}
BLOCKED = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


@dataclass(frozen=True)
class Twins:
    """The contexts of two replicas on one PostgreSQL."""

    one: Context
    other: Context
    meet: Callable[..., Awaitable[list[Any]]]


@pytest.fixture
async def twins(postgres: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Twins]:
    """Set up both, and what lets them meet before their commits."""
    settings = load({**ENV, "DATABASE_URL": postgres})
    async with AsyncExitStack() as stack:
        contexts = []
        for _ in range(2):
            database = await stack.enter_async_context(Database(postgres))
            if not contexts:
                async with database.engine.begin() as connection:
                    await connection.execute(text("DROP SCHEMA public CASCADE"))
                    await connection.execute(text("CREATE SCHEMA public"))
                await migrate(database)
            client = slack_client(settings, stack)
            catalogue = Catalogue(build_providers(settings, None))
            for provider in catalogue.providers:
                stack.push_async_callback(provider.aclose)
            contexts.append(
                _context(
                    settings,
                    database=database,
                    catalogue=catalogue,
                    directory=SlackDirectory(client, "T0"),
                    files=SlackFiles(client),
                    slack=client,
                    encryption=None,
                    machine=Machine(clock=database.clock, steady=asyncio.get_running_loop().time),
                )
            )
        watch = await stack.enter_async_context(contexts[0].database.engine.connect())
        await watch.execution_options(isolation_level="AUTOCOMMIT")
        seal, state = Events.seal, SimpleNamespace(meeting=False, here=0, over=0)

        async def sealed(events: Events) -> None:
            await seal(events)
            if not state.meeting:
                return
            state.here += 1
            async with asyncio.timeout(20):
                while state.here < 2 and not state.over and not await watch.scalar(BLOCKED):  # noqa: ASYNC110 - locks
                    await asyncio.sleep(0.01)

        async def counted(doing: Awaitable[Any]) -> Any:
            try:
                return await doing
            except (NotAuthorized, Superseded) as error:
                return error
            finally:
                state.over += 1

        async def meet(*doing: Awaitable[Any]) -> list[Any]:
            state.meeting, state.here, state.over = True, 0, 0
            try:
                return list(await asyncio.gather(*map(counted, doing)))
            finally:
                state.meeting = False

        monkeypatch.setattr(Events, "seal", sealed)
        yield Twins(contexts[0], contexts[1], meet)


async def brought(context: Context, *states: BatchState, to: ChangeState = ChangeState.RUNNING) -> int:
    """Write a change that holds its numbers, in state ``to``, with batches in ``states``, and return its id."""
    change = await planned(context.database, tuple(1 for _ in states))
    way = (ChangeState.PLANNED, ChangeState.AWAITING_APPROVAL, ChangeState.APPROVED, ChangeState.RUNNING)
    numbers = [f"{change}-{position}" for position in range(len(states))]
    async with context.database.transaction() as tx:
        for state in way[: way.index(to) + 1]:
            await tx.changes.move(change, state)
        await tx.locks.take(change, "telnyx", numbers, context.clock())
    for batch, state in zip(await batches(context, change), states, strict=True):
        if state is not BatchState.QUEUED:
            async with context.database.transaction() as tx:
                await tx.batches.move(batch.id, BatchState.SUBMITTING)
                if state is BatchState.SUBMITTED:
                    await tx.batches.move(batch.id, BatchState.SUBMITTED, job=f"job-{batch.id}")
    return change


async def batches(context: Context, change: int) -> list[Batch]:
    """Return the change's batches."""
    async with context.database.reading() as tx:
        return await tx.batches.of(change)


async def test_whoever_ends_the_last_batch_ends_the_change(twins: Twins) -> None:
    """The last two end at the same moment: exactly one of the replicas begins the read-back."""
    change = await brought(twins.one, BatchState.SUBMITTED, BatchState.SUBMITTED)
    first, second = await batches(twins.one, change)

    async def end(context: Context, batch: Batch) -> None:
        async with context.database.transaction() as tx:
            await tx.batches.move(batch.id, BatchState.SETTLED)
            await after_settling(tx, change, context)

    await twins.meet(end(twins.one, first), end(twins.other, second))

    async with twins.one.database.reading() as tx:
        assert (await tx.changes.get(change)).state is ChangeState.VERIFYING
        assert [event.what for event in await tx.events.of(change)].count("verifying") == 1
        assert await tx.orphans.find() == []


async def test_the_thread_hears_once_that_all_jobs_are_there(twins: Twins) -> None:
    """The last two jobs are made at the same moment."""
    change = await brought(twins.one, BatchState.SUBMITTING, BatchState.SUBMITTING)
    first, second = await batches(twins.one, change)

    async def make(context: Context, batch: Batch) -> None:
        async with context.database.transaction() as tx:
            await tx.batches.move(batch.id, BatchState.SUBMITTED, job=f"job-{batch.id}")
            await say_submitted(tx, Notifications(context), change)

    await twins.meet(make(twins.one, first), make(twins.other, second))

    async with twins.one.database.reading() as tx:
        told = await tx.outbox.told(change, Topic.THREAD, "submitted")
    assert told is not None
    assert told["batches"] == 2


async def claimed(context: Context, owner: str, batch: Batch) -> Claim:
    """Have ``owner`` hold the task of sending ``batch``, whose numbers have just been seen."""
    async with context.database.transaction() as tx:
        await tx.tasks.add(Task.SUBMIT, batch.id, context.clock())
        await tx.batches.checked([batch.id], context.clock())
        [claim] = await tx.tasks.claim(owner=owner, now=context.clock(), lease=timedelta(minutes=1), limit=1)
    return claim


def sending(context: Context, claim: Claim, batch: Batch) -> Awaitable[NextStep]:
    """Have the batch sent, as far as the decision that it may be."""
    notify = Notifications(context)
    gate = SubmissionGate(context, notify, Staleness(context, notify))
    return gate.may_go(claim, batch, context.catalogue.kind("telnyx.settings"), begins=True)


async def test_the_cap_of_jobs_in_flight_is_never_overrun(twins: Twins) -> None:
    """One slot is left, and two want it."""
    cap = twins.one.catalogue.kind("telnyx.settings").jobs_in_flight
    change = await brought(twins.one, *([BatchState.SUBMITTED] * (cap - 1)), BatchState.QUEUED, BatchState.QUEUED)
    *_, first, second = await batches(twins.one, change)
    one, other = await claimed(twins.one, "one", first), await claimed(twins.one, "other", second)

    steps = await twins.meet(sending(twins.one, one, first), sending(twins.other, other, second))

    assert sorted(step.name for step in steps) == ["GO", "STAY"]


async def test_a_free_slot_is_offered_to_one_batch(twins: Twins) -> None:
    """Of all that wait, as many are woken as there are slots: the others would only find that they have to wait on."""
    kind = twins.one.catalogue.kind("telnyx.settings")
    change = await brought(twins.one, *([BatchState.SUBMITTED] * (kind.jobs_in_flight - 1)), *([BatchState.QUEUED] * 3))
    *_, first, second, third = await batches(twins.one, change)
    now = twins.one.clock()
    async with twins.one.database.transaction() as tx:
        await tx.tasks.add_many(Task.SUBMIT, [first.id, second.id, third.id], now + timedelta(minutes=1))
        await free_slot(tx, kind, now)
        claims = await tx.tasks.claim(owner="one", now=now, lease=timedelta(minutes=1), limit=10)

    assert [(claim.task, claim.subject) for claim in claims] == [(Task.SUBMIT, first.id)]


async def test_a_slot_is_not_offered_to_whoever_waits_for_a_word(twins: Twins) -> None:
    """What waits for an operator's word cannot use a slot, so another change gets it, although it came later."""
    kind = twins.one.catalogue.kind("telnyx.settings")
    waits = await brought(twins.one, BatchState.SUBMITTING, BatchState.QUEUED)
    [unanswered, held] = await batches(twins.one, waits)
    other, now = await new_change(twins.one.database, "V2:h1"), twins.one.clock()
    async with twins.one.database.transaction() as tx:
        await tx.batches.add(other, kind.name, [PlannedBatch(position=1, values={}, size=1)])
        [free] = await tx.batches.of(other)
        await tx.batches.move(unanswered.id, BatchState.UNKNOWN, escalated_at=now)
        await tx.tasks.add_many(Task.SUBMIT, [held.id, free.id], now)

        assert await tx.job_slots.queued(kind.name, limit=1) == [free.id]


async def test_a_batch_that_has_to_wait_is_not_read(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a slot nothing is put together for a request that is not made: its numbers stay where they are."""
    cap = twins.one.catalogue.kind("telnyx.settings").jobs_in_flight
    change = await brought(twins.one, *([BatchState.SUBMITTED] * cap), BatchState.QUEUED)
    *_, batch = await batches(twins.one, change)
    claim = await claimed(twins.one, "one", batch)
    monkeypatch.delattr(Operations, "planned")
    notify = Notifications(twins.one)

    await Submission(twins.one, notify, Staleness(twins.one, notify)).submit(claim)

    async with twins.one.database.reading() as tx:
        waits = await tx.tasks.next_due()
    assert waits is not None
    assert waits > twins.one.clock() + OWN_SLOT_WAIT / 2, "one of ours that ends wakes it"


async def test_a_freeze_knows_of_everything_that_went_out_before_it(twins: Twins) -> None:
    """Either the batch is on its way when the freeze is counted, or it stays."""
    change = await brought(twins.one, BatchState.QUEUED)
    [batch] = await batches(twins.one, change)
    claim = await claimed(twins.one, "one", batch)

    async def freeze(context: Context) -> int:
        async with context.database.transaction() as tx:
            await tx.freezes.add(Freeze(by="U0OTTO", reason="maintenance", at=context.clock()))
            return await tx.job_slots.in_flight("telnyx.settings")

    step, under_way = await twins.meet(sending(twins.one, claim, batch), freeze(twins.other))

    assert (step, under_way) in {(NextStep.GO, 1), (NextStep.STAY, 0)}


async def test_two_changes_never_lock_the_same_number(twins: Twins) -> None:
    """One gets both numbers, the other none, whichever order they name them in."""
    changes = [await new_change(twins.one.database, name) for name in ("V1:h1", "V2:h1")]

    async def take(context: Context, change: int, *numbers: str) -> None:
        async with context.database.transaction() as tx:
            await tx.locks.take(change, "telnyx", numbers, context.clock())

    ends = await twins.meet(take(twins.one, changes[0], "1", "2"), take(twins.other, changes[1], "2", "1"))

    assert sorted(type(end).__name__ for end in ends) == ["NoneType", "Superseded"]


def approvals_of(context: Context) -> Approvals:
    """Return what decides on requests, in one replica."""
    authorization, notify = Authorization(context), Notifications(context)
    stage_changes = StageChanges(context, authorization, notify)
    validity, rights = ApprovalValidity(context), ApprovalRights(context, authorization)
    return Approvals(context, authorization, notify, validity, stage_changes, approval_rights=rights)


def in_stages(context: Context, *names: str, fallback_after: timedelta | None = None) -> Context:
    """Return the same replica under a policy with stages; Max and Mia approve in each."""
    people = Grant(users=frozenset({"U0MAX", "U0MIA"}))
    fallback = people if fallback_after is not None else Grant()
    stages = tuple(
        ApprovalStage(
            name=name,
            approvers=people,
            approvals_required=1,
            fallback_approvers=fallback,
            fallback_after=fallback_after,
        )
        for name in names
    )
    policies = replace(context.policies, fallback=replace(context.policies.fallback, stages=stages))
    return replace(context, policies=policies)


def right_of(delegation: Delegation | None = None, *, stage: str = "") -> ApprovalRight:
    """Return somebody's right to decide, their own or by ``delegation``."""
    verdict: Any = SimpleNamespace(rule="environment", stage=stage, fallback=False)
    return ApprovalRight(verdict=verdict, delegation=delegation)


async def decide(context: Context, change: int, right: ApprovalRight, *, by: str, verb: DecisionVerb) -> Any:
    """Decide as somebody who was found to have the right a moment ago."""
    async with context.database.reading() as tx:
        present = await tx.changes.get(change)
    return await approvals_of(context)._write(present, right, (), by=by, verb=verb, reason="Later", now=context.clock())


async def test_two_approvers_of_a_stage_at_once_complete_it_once(twins: Twins) -> None:
    """The stage needs one of them: the other one counts in no stage, and the next one is opened once."""
    change = await brought(twins.one, BatchState.QUEUED, to=ChangeState.AWAITING_APPROVAL)

    async def approve(replica: Context, by: str) -> Any:
        context = in_stages(replica, "safety", "network")
        return await decide(context, change, right_of(stage="safety"), by=by, verb=DecisionVerb.APPROVE)

    ends = await twins.meet(approve(twins.one, "U0MAX"), approve(twins.other, "U0MIA"))

    assert sorted(type(end).__name__ for end in ends) == ["DecisionResult", "Superseded"]
    async with twins.one.database.reading() as tx:
        assert [decision.stage for decision in await tx.decisions.of(change)] == ["safety"]
        assert [event.what for event in await tx.events.of(change)].count("stage_opened") == 1
        assert (await tx.changes.get(change)).state is ChangeState.AWAITING_APPROVAL


async def test_an_approval_in_the_moment_of_the_fallback_leaves_nothing_due(twins: Twins) -> None:
    """The fallback approvers are asked, or are not: the change is approved, and nobody is asked after that."""
    change = await brought(twins.one, BatchState.QUEUED, to=ChangeState.AWAITING_APPROVAL)
    one, other = (in_stages(each, "", fallback_after=timedelta(0)) for each in (twins.one, twins.other))
    async with one.database.transaction() as tx:
        await tx.changes.put(change, requested_at=one.clock())
        await tx.tasks.add(Task.FALLBACK, change, one.clock())
        claims = await tx.tasks.claim(owner="other", now=one.clock(), lease=timedelta(minutes=1), limit=9)
    [claim] = [each for each in claims if each.task is Task.FALLBACK]

    async def ask_fallback() -> None:
        with suppress(ClaimLost):  # as the worker does: it is approved, and nothing is left to do
            await StageChanges(other, Authorization(other), Notifications(other)).fallback(claim)

    await twins.meet(decide(one, change, right_of(), by="U0MAX", verb=DecisionVerb.APPROVE), ask_fallback())

    async with one.database.reading() as tx:
        assert (await tx.changes.get(change)).state is ChangeState.APPROVED
        assert await tx.tasks.count(Task.FALLBACK) == 0
        events = [event.what for event in await tx.events.of(change)]
        assert "fallback_asked" not in events or events.index("fallback_asked") < events.index("approved")


async def lent(context: Context, *delegates: str) -> list[Delegation]:
    """Have Max lend his right for an hour."""
    now = context.clock()
    until = End(at=now + timedelta(hours=1), zone="UTC")
    async with context.database.transaction() as tx:
        return [await tx.delegations.add("U0MAX", user, until, now=now, floor="") for user in delegates]


async def test_an_approval_with_a_lent_right_and_its_end_at_once_leave_none_that_counts(twins: Twins) -> None:
    """Either the approval comes too late, or the end takes it back: it counts for nothing once the end is answered."""
    change = await brought(twins.one, BatchState.QUEUED, to=ChangeState.AWAITING_APPROVAL)
    [delegation] = await lent(twins.one, "U0SAM")
    control = DelegationControl(
        twins.other,
        authorization := Authorization(twins.other),
        notify := Notifications(twins.other),
        StageChanges(twins.other, authorization, notify),
    )

    async def end() -> None:
        async with twins.other.database.transaction() as tx:
            await control._end(tx, await tx.delegations.hold(delegation.id), by="U0MAX", name="Sam")

    approval = decide(twins.one, change, right_of(delegation), by="U0SAM", verb=DecisionVerb.APPROVE)
    ends = await twins.meet(approval, end())

    assert {type(end).__name__ for end in ends} <= {"DecisionResult", "NotAuthorized", "NoneType"}
    async with twins.one.database.reading() as tx:
        assert [each for each in await tx.decisions.of(change) if each.counts] == []


def two_approvals(policies: Policies) -> Policies:
    """Return the same policies, of which the variables' rule wants two approvals."""
    [stage] = policies.fallback.stages
    return replace(policies, fallback=replace(policies.fallback, stages=(replace(stage, approvals_required=2),)))


async def test_two_delegates_of_one_approver_at_once_are_one_approval(twins: Twins) -> None:
    """The right counts once, whoever was quicker; the other one is told."""
    change = await brought(twins.one, BatchState.QUEUED, to=ChangeState.AWAITING_APPROVAL)
    first, second = await lent(twins.one, "U0SAM", "U0OTTO")
    one, other = (replace(each, policies=two_approvals(each.policies)) for each in (twins.one, twins.other))
    ends = await twins.meet(
        decide(one, change, right_of(first), by="U0SAM", verb=DecisionVerb.APPROVE),
        decide(other, change, right_of(second), by="U0OTTO", verb=DecisionVerb.APPROVE),
    )

    assert sorted(type(end).__name__ for end in ends) == ["DecisionResult", "NotAuthorized"]
    async with twins.one.database.reading() as tx:
        assert len([each for each in await tx.decisions.of(change) if each.counts]) == 1


async def test_two_approvers_at_once_approve_once(twins: Twins) -> None:
    """One approval is needed: the second click finds the change approved, and it is due to start once."""
    change = await brought(twins.one, BatchState.QUEUED, to=ChangeState.AWAITING_APPROVAL)

    async def approve(context: Context, by: str) -> Any:
        return await decide(context, change, right_of(), by=by, verb=DecisionVerb.APPROVE)

    ends = await twins.meet(approve(twins.one, "U0MAX"), approve(twins.other, "U0MIA"))

    assert sorted(type(end).__name__ for end in ends) == ["DecisionResult", "Superseded"]
    async with twins.one.database.reading() as tx:
        assert [event.what for event in await tx.events.of(change)].count("approved") == 1
        assert await tx.tasks.count(Task.START) == 1


async def test_an_approval_and_a_request_for_changes_at_once_have_one_effect(twins: Twins) -> None:
    """Either it is approved and due to start, or the plan is sent back and holds no numbers; the other one is told."""
    change = await brought(twins.one, BatchState.QUEUED, to=ChangeState.AWAITING_APPROVAL)

    ends = await twins.meet(
        decide(twins.one, change, right_of(), by="U0MAX", verb=DecisionVerb.APPROVE),
        decide(twins.other, change, right_of(), by="U0MIA", verb=DecisionVerb.ASK_FOR_CHANGES),
    )

    assert sorted(type(end).__name__ for end in ends) == ["DecisionResult", "Superseded"]
    async with twins.one.database.reading() as tx:
        state = (await tx.changes.get(change)).state
        events = [event.what for event in await tx.events.of(change) if event.actor in {"U0MAX", "U0MIA"}]
        approved = state is ChangeState.APPROVED
        assert events == (["approved"] if approved else ["changes_requested"])
        assert len(await tx.decisions.of(change)) == 1
        assert await tx.locks.held(change) is approved
        assert await tx.tasks.count(Task.START) == int(approved)
        assert await tx.tasks.count(Task.EXPIRE) == int(not approved)


async def test_a_cancel_and_a_start_at_once_leave_nothing_half_done(twins: Twins) -> None:
    """Either it never began, or what had not been sent was stopped."""
    change = await brought(twins.one, BatchState.QUEUED, to=ChangeState.APPROVED)
    [batch] = await batches(twins.one, change)

    async def start(context: Context) -> None:
        async with context.database.transaction() as tx:
            if (await tx.changes.hold(change)).state is ChangeState.APPROVED:
                await tx.changes.move(change, ChangeState.RUNNING, started_at=context.clock())
                await tx.tasks.add_many(Task.SUBMIT, [batch.id], context.clock())

    async def cancel(context: Context) -> None:
        cancellation = Cancellation(context, Authorization(context), Notifications(context))
        async with context.database.transaction() as tx:
            await cancellation.end(tx, await tx.changes.hold(change), by="U0ANA", problem="Cancelled.")

    await twins.meet(start(twins.one), cancel(twins.other))

    async with twins.one.database.reading() as tx:
        assert (await tx.changes.get(change)).state is ChangeState.CANCELLED
        assert await tx.tasks.count(Task.SUBMIT) == 0
        assert not await tx.locks.held(change)
