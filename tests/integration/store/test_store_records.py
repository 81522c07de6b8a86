"""What is written comes back, and only legal steps are taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, select, update

from bot.changes.model.bulk_runs import NewNumber
from bot.changes.model.decisions import Decision, DecisionVerb
from bot.changes.model.draft import Draft
from bot.changes.model.lifecycle import CHANGED, MISSED, BatchState, ChangeState, OperationState, Outcome
from bot.changes.model.messages import MessageRef
from bot.changes.model.summary import Summary
from bot.changes.model.value_exports import ValueExport
from bot.changes.model.values import Secret
from bot.changes.outcome.outcomes import (
    NOT_READ_BACK,
    NOT_REPORTED,
    NOT_SHOWN,
    STILL_ACTIVATING,
    UNCLEAR_RESPONSE,
    NumberOutcome,
)
from bot.changes.outcome.readback import AwaitedNumber, Doubt, ReadBack
from bot.changes.planning.plan import PlannedBatch, PlannedNumber
from bot.errors import NotFound, Superseded
from bot.store.adapters.bulk_run_records import BulkRunRecords
from bot.store.database import Database
from bot.store.tables import operations, run_numbers

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DRAFT = Draft(
    kind="telnyx.settings",
    pasted=("+13035550100", ""),
    chosen=("tags", "external_pin"),
    typed={"tags": "a, b", "external_pin": Secret(fingerprint="f", sealed="s")},
    picked={"connection_id": "Denver"},
    reason="why",
)


#: Slack's own time.
FLOOR = "1700000000.000000"


async def new_change(database: Database, submission: str = "V1:h1") -> int:
    """Write a change and return its id."""
    async with database.transaction() as tx:
        return await tx.changes.add(DRAFT, requester="U0ANA", origin="C0OPS", view="V1", submission=submission, now=NOW)


def decision(change: int, person: str, verb: DecisionVerb = DecisionVerb.APPROVE) -> Decision:
    """Return a decision."""
    return Decision(change=change, person=person, verb=verb, digest="d", reason="", rule="environment", at=NOW)


async def planned(database: Database, sizes: tuple[int, ...] = (2, 1)) -> int:
    """Write a change with a plan of batches with these sizes, and one number that is left alone."""
    change = await new_change(database)
    owners = [position for position, size in enumerate(sizes, start=1) for _ in range(size)]
    numbers = [
        PlannedNumber(id=str(i), e164=f"+1303555{i:04}", before={"tags": ()}, after={"tags": ("a",)}, batch=batch)
        for i, batch in enumerate([*owners, None])
    ]
    async with database.transaction() as tx:
        await tx.operations.add(change, numbers)
        batches = [PlannedBatch(position=p, values={"tags": ("a",)}, size=s) for p, s in enumerate(sizes, start=1)]
        await tx.batches.add(change, "telnyx.settings", batches)
    return change


async def test_numbers_come_back_as_they_were_planned(database: Database) -> None:
    """All of them or those of some batches, by their positions, whatever has become of them since."""
    change = await succeeded(database, (2, 1, 1))

    async with database.reading() as tx:
        every = await tx.operations.planned(change)
        some = await tx.operations.planned(change, [1, 3])
    assert every == {
        at: PlannedNumber(id=str(at), e164=f"+1303555{at:04}", before={"tags": ()}, after={"tags": ("a",)}, batch=batch)
        for at, batch in enumerate([1, 1, 2, 3, None])
    }
    assert some == {at: every[at] for at in (0, 1, 3)}


async def test_a_change_comes_back_as_it_was_written(database: Database) -> None:
    """Draft, summary, places and times survive, secrets sealed, times aware."""
    change = await new_change(database)
    secret = Secret(fingerprint="f", sealed="s")
    summary = Summary(
        numbers=3,
        unchanged=1,
        batches=2,
        wanted={"external_pin": secret, "tags": ("a",)},
        labels={"connection_id": {"1": "Denver"}},
        repeats=2,
        sample=(("+13035550100", {"tags": ()}, {"tags": ("a",)}),),
        paid={"hd_voice_enabled": 2},
    )
    async with database.transaction() as tx:
        await tx.changes.move(change, ChangeState.PLANNED, summary=summary, digest="d")
        await tx.changes.move(
            change,
            ChangeState.AWAITING_APPROVAL,
            card=MessageRef(channel="C1", ts="1.2"),
            expires_at=NOW + timedelta(hours=1),
        )

    async with database.reading() as tx:
        back = await tx.changes.get(change)
    assert back.draft == DRAFT
    assert back.summary == summary
    assert back.card == MessageRef(channel="C1", ts="1.2")
    assert back.expires_at == NOW + timedelta(hours=1)
    assert back.created_at.tzinfo is not None


async def test_an_illegal_step_changes_nothing(database: Database) -> None:
    """A change that is being planned cannot be approved, whoever asks; the answer says where it is."""
    change = await new_change(database)

    async with database.transaction() as tx:
        with pytest.raises(Superseded, match=f"CHG-{change} is already being planned"):
            await tx.changes.move(change, ChangeState.APPROVED)

    async with database.reading() as tx:
        assert (await tx.changes.get(change)).state is ChangeState.PLANNING


async def test_one_press_of_a_button_makes_one_change(database: Database) -> None:
    """The submission is found again under its name."""
    change = await new_change(database, "V1:h1")

    async with database.reading() as tx:
        assert await tx.changes.submitted_as("V1:h1") == change
        assert await tx.changes.submitted_as("V1:h2") is None


async def test_an_inquiry_comes_back_as_it_was_written(database: Database) -> None:
    """What somebody wants to know is found by its press of the button, open until it was answered."""
    async with database.transaction() as tx:
        inquiry = await tx.value_exports.add(
            DRAFT, requester="U0ANA", submission="V1:h1", now=NOW, floor="1700000000.000000"
        )
        assert await tx.value_exports.submitted_as("V1:h1") == inquiry
        assert await tx.value_exports.submitted_as("V1:h2") is None
        written = await tx.value_exports.get(inquiry)
        await tx.value_exports.finish(inquiry, NOW + timedelta(minutes=1))
        answered = await tx.value_exports.get(inquiry)
        with pytest.raises(NotFound):
            await tx.value_exports.get(inquiry + 1)

    assert written == ValueExport(
        id=inquiry, draft=DRAFT, requester="U0ANA", created_at=NOW, finished_at=None, floor="1700000000.000000"
    )
    assert answered.finished_at == NOW + timedelta(minutes=1)


async def test_what_does_not_exist_is_said(database: Database) -> None:
    """An unknown change is answered with its id."""
    async with database.reading() as tx:
        with pytest.raises(NotFound, match="There is no CHG-99"):
            await tx.changes.get(99)


async def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    """What is written together becomes true together or not at all."""

    async def fail_half_way() -> None:
        async with database.transaction() as tx:
            await tx.changes.add(DRAFT, requester="U", origin="", view="", submission=None, now=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_half_way()

    async with database.reading() as tx:
        assert await tx.changes.count() == {}


async def test_a_person_approves_once(database: Database) -> None:
    """The second approval of the same person is refused, and the transaction goes on."""
    change = await new_change(database)
    async with database.transaction() as tx:
        await tx.decisions.add(decision(change, "U0MAX"))
        with pytest.raises(Superseded, match="already decided"):
            await tx.decisions.add(decision(change, "U0MAX"))
        await tx.decisions.add(decision(change, "U0MIA"))

    async with database.reading() as tx:
        assert [d.person for d in await tx.decisions.of(change)] == ["U0MAX", "U0MIA"]


async def test_an_approver_may_think_again(database: Database) -> None:
    """A rejection takes the place of the same person's approval."""
    change = await new_change(database)
    async with database.transaction() as tx:
        await tx.decisions.add(decision(change, "U0MAX"))
        await tx.decisions.add(decision(change, "U0MAX", DecisionVerb.REJECT))

    async with database.reading() as tx:
        assert [d.verb for d in await tx.decisions.of(change)] == [DecisionVerb.REJECT]


async def test_outcomes_are_counted_and_never_overwritten(database: Database) -> None:
    """Every number is somewhere in the tally, and a second outcome for the same number has no effect."""
    change = await planned(database)
    good = NumberOutcome(position=0, state=OperationState.SUCCEEDED)
    bad = NumberOutcome(position=1, state=OperationState.FAILED, code="10015", reason="No.", pointer="/tags")
    async with database.transaction() as tx:
        await tx.operations.sent(change, 1)
        await tx.operations.record_outcomes(change, [good, bad], NOW)
        await tx.operations.record_outcomes(
            change,
            [
                NumberOutcome(position=0, state=OperationState.FAILED, reason="late"),
                NumberOutcome(position=1, state=OperationState.SUCCEEDED),
            ],
            NOW,
        )

    async with database.reading() as tx:
        tally = await tx.tallies.of(change)
        failures = await tx.tallies.groups(change, OperationState.FAILED)
    assert (tally.waiting, tally.succeeded, tally.failed, tally.not_attempted) == (1, 1, 1, 1)
    assert tally.total == 4
    assert [(group.code, group.reason, group.pointer, group.count, group.examples) for group in failures] == [
        ("10015", "No.", "/tags", 1, ("+13035550001",))
    ]


async def read_back(database: Database, change: int, *readings: ReadBack) -> None:
    """Write what was found."""
    async with database.transaction() as tx:
        await tx.read_backs.add(change, readings, NOW + timedelta(minutes=1))


async def succeeded(database: Database, sizes: tuple[int, ...] = (4,)) -> int:
    """Write a change whose numbers the jobs report as succeeded, but for the last one, of which they say nothing."""
    change = await planned(database, sizes)
    last = sum(sizes) - 1
    verdicts = [NumberOutcome(position=position, state=OperationState.SUCCEEDED) for position in range(last)]
    unsure = NumberOutcome(position=last, state=OperationState.UNKNOWN, code=NOT_REPORTED, reason="Nobody knows.")
    async with database.transaction() as tx:
        await tx.operations.sent(change, 1)
        await tx.operations.record_outcomes(change, [*verdicts, unsure], NOW)
    return change


async def test_what_is_read_back_is_kept(database: Database) -> None:
    """What was found and when, and what follows; only what is not decided yet is still to be read."""
    change = await succeeded(database)
    pin = Secret(fingerprint="f")
    decided = ReadBack(
        position=1, state=OperationState.DIFFERS, code="c", reason="r", pointer="/tags", found={"tags": (), "pin": pin}
    )
    await read_back(
        database,
        change,
        ReadBack(position=0, state=OperationState.VERIFIED, found={"tags": ("a",)}),
        decided,
        ReadBack(position=2, found={"tags": ("b",)}),
        ReadBack(position=3, found={"tags": ("a",)}),
    )

    async with database.reading() as tx:
        awaited = await tx.read_backs.awaiting(change)
        tally = await tx.tallies.of(change)
        rows = [operation async for operation in tx.operations.stream(change)]
        changed = [operation.position async for operation in tx.operations.stream(change, CHANGED)]
        missed = [operation.position async for operation in tx.operations.stream(change, MISSED)]
        (group,) = await tx.tallies.groups(change, OperationState.DIFFERS)
    assert awaited == {
        "2": AwaitedNumber(position=2, batch=1, known=rows[2].before, seen={"tags": ("b",)}),
        "3": AwaitedNumber(
            position=3,
            batch=1,
            doubt=Doubt(code=NOT_REPORTED, reason="Nobody knows."),
            known=rows[3].before,
            seen={"tags": ("a",)},
        ),
    }
    assert (tally.verified, tally.differs, tally.succeeded, tally.unknown, tally.changed) == (1, 1, 1, 1, 4)
    assert (changed, missed) == ([0, 1, 2, 3], [4])
    assert [row.found for row in rows] == [{"tags": ("a",)}, decided.found, {"tags": ("b",)}, {"tags": ("a",)}, None]
    assert [row.found_at is not None for row in rows] == [True, True, True, True, False]
    assert (rows[3].state, rows[3].code, rows[3].reason) == (OperationState.UNKNOWN, NOT_REPORTED, "Nobody knows.")
    assert (group.code, group.reason, group.pointer, group.examples) == ("c", "r", "/tags", ("+13035550001",))


async def test_what_was_decided_by_reading_is_not_decided_again(database: Database) -> None:
    """Two workers that read the same numbers back do not overrule each other; what nobody knew is decided by it."""
    change = await succeeded(database)
    await read_back(database, change, ReadBack(position=0, state=OperationState.VERIFIED, found={}))
    await read_back(
        database,
        change,
        ReadBack(position=0, state=OperationState.DIFFERS, code="late", found={}),
        ReadBack(position=3, state=OperationState.VERIFIED, found={}),
    )

    async with database.reading() as tx:
        states = [operation.state async for operation in tx.operations.stream(change)]
    assert (states[0], states[3]) == (OperationState.VERIFIED, OperationState.VERIFIED)


async def test_numbers_that_fare_alike_are_written_without_those_in_between(database: Database) -> None:
    """Neighbours with the same outcome share a statement; it reaches no other number, and overrules none."""
    change = await planned(database, (9,))
    failed = NumberOutcome(position=3, state=OperationState.FAILED, code="10007", reason="No.")
    alike = [NumberOutcome(position=at, state=OperationState.SUCCEEDED) for at in (8, 7, 0, 1, 2, 3, 5)]
    async with database.transaction() as tx:
        await tx.operations.sent(change, 1)
        await tx.operations.record_outcomes(change, [failed], NOW)
        await tx.operations.record_outcomes(change, alike, NOW)
    tags = {0: "a", 1: "a", 2: "b", 5: "b", 7: "a", 8: "a"}
    await read_back(
        database,
        change,
        *(ReadBack(position=at, state=OperationState.VERIFIED, found={"tags": (tag,)}) for at, tag in tags.items()),
    )

    async with database.reading() as tx:
        rows = [operation async for operation in tx.operations.stream(change)]
    states = {row.position: row.state for row in rows[:9]}
    assert states == {
        **dict.fromkeys(tags, OperationState.VERIFIED),
        3: OperationState.FAILED,
        **dict.fromkeys((4, 6), OperationState.SUBMITTED),
    }
    assert {row.position: row.found["tags"] for row in rows if row.found} == {at: (tag,) for at, tag in tags.items()}
    assert (rows[3].code, rows[3].reason) == ("10007", "No.")


async def test_one_number_of_each_sort_tells_what_there_is_to_tell(database: Database) -> None:
    """Numbers of one batch with the same values that fared alike are one sort; the first of each is streamed."""
    change = await succeeded(database, (6,))
    await read_back(
        database,
        change,
        ReadBack(position=0, state=OperationState.VERIFIED, found={"tags": ("a",)}),
        ReadBack(position=1, state=OperationState.DIFFERS, found={"tags": ("b",)}),
        ReadBack(position=2, state=OperationState.VERIFIED, found={"tags": ("a",)}),
        ReadBack(position=4, state=OperationState.DIFFERS, found=None),
    )

    async with database.reading() as tx:
        every = [operation async for operation in tx.operations.stream(change)]
        sorts = [operation async for operation in tx.operations.sorts(change)]
    # 2 is like 0, and all others are unlike: 3 was not read, 4 was not there, of 5 nobody knows, 6 is left alone.
    assert sorts == [every[at] for at in (0, 1, 3, 4, 5, 6)]


async def test_what_cannot_be_read_is_given_up_together(database: Database) -> None:
    """Whatever was not verified by then is unverified, with the reason; the rest stays as it is."""
    change = await succeeded(database)
    await read_back(database, change, ReadBack(position=0, state=OperationState.VERIFIED, found={}))
    async with database.transaction() as tx:
        await tx.read_backs.give_up(change, "Nobody answers.")

    async with database.reading() as tx:
        tally = await tx.tallies.of(change)
        groups = await tx.tallies.groups(change, OperationState.UNVERIFIED)
    assert (tally.verified, tally.unverified, tally.unread) == (1, 3, 0)
    assert [(group.code, group.reason, group.count) for group in groups] == [
        (NOT_READ_BACK, "Nobody answers.", 2),
        (NOT_REPORTED, "Nobody knows. Nobody answers.", 1),
    ]


def rename_codes(connection: Connection) -> None:
    """Apply the migration of the codes, and no other."""
    with Operations.context(MigrationContext.configure(connection)):
        import_module("bot.store.migrations.versions.0031_result_codes").upgrade()


async def test_codes_under_their_former_names_are_renamed(database: Database) -> None:
    """Results of before have the names of now, of batches and of runs; other codes stay as they are."""
    change = await succeeded(database)
    number = NewNumber(id="phon_1", e164="+13035550100", before={}, wanted={"label": "x"})
    await BulkRunRecords(database, "close", lambda: NOW).open("1/1", "close.settings", [number])
    codes = ["linesman.unread", "linesman.not_told", "linesman.under_way", "linesman.unsettled", "10007"]
    async with database.engine.begin() as connection:
        for position, code in enumerate(codes):
            await connection.execute(update(operations).where(operations.c.position == position).values(code=code))
        await connection.execute(update(run_numbers).values(code="linesman.unsettled"))
        await connection.run_sync(rename_codes)

    async with database.reading() as tx:
        assert [operation.code async for operation in tx.operations.stream(change)][:5] == [
            NOT_READ_BACK,
            NOT_SHOWN,
            STILL_ACTIVATING,
            UNCLEAR_RESPONSE,
            "10007",
        ]
    async with database.engine.begin() as connection:
        assert {row.code for row in await connection.execute(select(run_numbers.c.code))} == {UNCLEAR_RESPONSE}


async def test_a_number_that_is_left_alone_is_accounted_for_at_once(database: Database) -> None:
    """It is not attempted, with our reason."""
    change = await planned(database)

    async with database.reading() as tx:
        operations = [operation async for operation in tx.operations.stream(change)]
    assert operations[-1].state is OperationState.NOT_ATTEMPTED
    assert operations[-1].reason == "It already has these values, so nothing was sent."


async def test_a_job_belongs_to_one_batch(database: Database) -> None:
    """Adopting the job of another batch is refused by the database itself."""
    change = await planned(database)
    async with database.transaction() as tx:
        first, second = await tx.batches.of(change)
        for batch in (first, second):
            await tx.batches.move(batch.id, BatchState.SUBMITTING)
        await tx.batches.move(first.id, BatchState.SUBMITTED, job="job-1")
        assert await tx.batches.with_job("telnyx.settings", "job-1") is not None

    with pytest.raises(Superseded, match="belongs to another batch"):
        async with database.transaction() as tx:
            await tx.batches.move(second.id, BatchState.SUBMITTED, job="job-1")


async def test_slots_are_counted_over_all_changes(database: Database) -> None:
    """Batches that may have a job hold a slot, also when nobody knows whether they have."""
    change = await planned(database, (1, 1, 1, 1))
    async with database.transaction() as tx:
        one, two, three, _ = await tx.batches.of(change)
        for batch in (one, two, three):
            await tx.batches.move(batch.id, BatchState.SUBMITTING)
        await tx.batches.move(two.id, BatchState.UNKNOWN)
        await tx.batches.move(three.id, BatchState.SUBMITTED, job="j")

        assert await tx.job_slots.in_flight("telnyx.settings") == 3
        assert await tx.job_slots.in_flight("telnyx.emergency") == 0
        await tx.batches.move(three.id, BatchState.SETTLED)
        assert await tx.job_slots.in_flight("telnyx.settings") == 2


async def test_the_newest_changes_in_some_states(database: Database) -> None:
    """The newest comes first, and no more come than were asked for."""
    ids = [await new_change(database, f"V{i}") for i in range(5)]
    async with database.transaction() as tx:
        await tx.changes.move(ids[0], ChangeState.DISCARDED)

    async with database.reading() as tx:
        assert [c.id for c in await tx.changes.newest([ChangeState.PLANNING], 2)] == [ids[4], ids[3]]
        assert [c.id for c in await tx.changes.newest([ChangeState.DISCARDED], 2)] == [ids[0]]


async def test_the_audit_log_keeps_its_order(database: Database) -> None:
    """Events come back as they were written, with who, what, when and the digest."""
    change = await new_change(database)
    async with database.transaction() as tx:
        await tx.events.add(change, "proposed", at=NOW, actor="U0ANA", kind="telnyx.settings")
        await tx.events.add(change, "finished", at=NOW, digest="d", details={"outcome": Outcome.SUCCEEDED.value})

    async with database.reading() as tx:
        first, second = await tx.events.of(change)
    assert (first.actor, first.what, first.details) == ("U0ANA", "proposed", {"kind": "telnyx.settings"})
    assert (second.actor, second.digest, second.details) == ("linesman", "d", {"outcome": "succeeded"})


async def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    """A naive time is a bug and never reaches the database."""
    with pytest.raises(Exception, match="without a zone"):
        async with database.transaction() as tx:
            await tx.changes.add(
                DRAFT,
                requester="U",
                origin="",
                view="",
                submission=None,
                now=datetime(2026, 1, 1),  # noqa: DTZ001 - the point of the test
            )
