"""The book of runs: claims, marks and outcomes."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.changes.model.bulk_runs import Halt, NewNumber, NumberState, Step
from bot.changes.model.draft import Draft
from bot.changes.model.locks import Freeze
from bot.changes.policy import ApprovalStage, Grant, Policies, Policy
from bot.changes.policy.windows import Window
from bot.errors import Superseded
from bot.store.adapters.bulk_run_records import LEASE, BulkRunRecords
from bot.store.database import Database

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
NUMBERS = [
    NewNumber(id=f"phon_{each}", e164=f"+1303555010{each}", before={"label": None}, wanted={"label": "x", "people": ()})
    for each in range(3)
]


class Now:
    """A clock that is set."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        """Return the time."""
        return self.time


@pytest.fixture
def now() -> Now:
    """Return the clock of both books."""
    return Now()


@pytest.fixture
async def book(database: Database, now: Now) -> BulkRunRecords:
    """Return a book in which nobody has claimed anything before."""
    book = BulkRunRecords(database, "close", now)
    await book.claim("nobody", 1)
    return book


def step(position: int, state: NumberState) -> Step:
    """Return a step of one number."""
    return Step(position=position, state=state, reason="Because.", pointer="/label", code="400")


async def test_a_run_is_read_as_it_was_written(book: BulkRunRecords) -> None:
    """Nothing of a number is lost or turned into something else: a tuple stays one, None stays None."""
    opened = await book.open("1/1", "close.settings", NUMBERS)
    run = await book.read(opened.id)

    assert run == await book.find("1/1") == opened
    assert [(n.id, n.e164, n.before, n.wanted, n.state) for n in opened.numbers] == [
        (n.id, n.e164, n.before, n.wanted, NumberState.WAITING) for n in NUMBERS
    ]
    assert (opened.created_at, opened.started_at, opened.over_at) == (START, None, None)
    assert await book.read("99") is None
    assert await book.read("no number") is None
    assert await book.find("1/2") is None


async def test_opening_again_gives_the_first_run(book: BulkRunRecords) -> None:
    """The reference is the run's name, whatever else is said the second time."""
    first = await book.open("1/1", "close.settings", NUMBERS)

    assert await book.open("1/1", "close.settings", NUMBERS[:1]) == first


async def test_providers_do_not_see_each_others_runs(database: Database, book: BulkRunRecords, now: Now) -> None:
    """A reference, an id and a claim are one provider's own."""
    mine = await book.open("1/1", "close.settings", NUMBERS)
    other = BulkRunRecords(database, "acme", now)

    assert await other.find("1/1") is None
    assert await other.read(mine.id) is None
    assert await other.claim("b", 9) == []


async def test_a_run_is_held_by_one_owner_until_the_claim_runs_out(book: BulkRunRecords, now: Now) -> None:
    """Whoever comes second gets nothing, unless the first has been silent for a whole lease."""
    run = await book.open("1/1", "close.settings", NUMBERS)

    assert await book.claim("a", 9) == [run.id]
    assert await book.claim("b", 9) == []
    now.time += LEASE / 2
    await book.renew("a")
    now.time += LEASE * 0.75
    assert await book.claim("b", 9) == []
    now.time += LEASE
    assert await book.claim("b", 9) == [run.id]
    with pytest.raises(Superseded):
        await book.note(run.id, "a", [step(0, NumberState.SUCCEEDED)])
    with pytest.raises(Superseded):
        await book.stop(run.id, "a", code="x", reason="y")
    await book.put_off(run.id, "a", 0)

    now_it_is = await book.read(run.id)
    assert now_it_is is not None
    assert {number.state for number in now_it_is.numbers} == {NumberState.WAITING}
    assert await book.claim("c", 9) == []


async def test_a_run_does_not_wait_for_a_clock_that_was_ahead(
    database: Database, book: BulkRunRecords, now: Now
) -> None:
    """Whoever held it died while the clock was ahead, and the clock is set back before the run is taken over."""
    now.time += timedelta(hours=1)
    run = await book.open("1/1", "close.settings", NUMBERS)
    assert await book.claim("a", 9) == [run.id]
    now.time -= timedelta(hours=1)

    async with database.transaction() as tx:
        await tx.waiting.check_again(now.time, LEASE)
    now.time += LEASE * 1.5

    assert await BulkRunRecords(database, "close", now).claim("b", 9) == [run.id]


async def test_an_outcome_is_never_overwritten_and_the_last_one_closes_the_run(book: BulkRunRecords, now: Now) -> None:
    """A closed run is nobody's, and nobody can claim it."""
    run = await book.open("1/1", "close.settings", NUMBERS)
    await book.claim("a", 9)
    await book.note(run.id, "a", [step(0, NumberState.SENT), step(1, NumberState.FAILED)])
    await book.note(run.id, "a", [step(0, NumberState.SUCCEEDED), step(1, NumberState.SUCCEEDED)])
    await book.note(run.id, "a", [step(2, NumberState.SUCCEEDED)])
    now.time += timedelta(days=1)

    done = await book.read(run.id)
    assert done is not None
    assert [number.state for number in done.numbers] == [
        NumberState.SUCCEEDED,
        NumberState.FAILED,
        NumberState.SUCCEEDED,
    ]
    assert (done.numbers[1].code, done.numbers[1].reason, done.numbers[1].pointer) == ("400", "Because.", "/label")
    assert done.over_at == START
    assert await book.claim("b", 9) == []


async def test_stopping_spares_only_what_was_never_sent(book: BulkRunRecords) -> None:
    """A number that may have been sent has to be looked at, so it gets no outcome here and the run stays open."""
    run = await book.open("1/1", "close.settings", NUMBERS)
    await book.claim("a", 9)
    await book.note(run.id, "a", [step(1, NumberState.SENT)])
    await book.stop(run.id, "a", code="linesman.run_stopped", reason="No key.")
    await book.put_off(run.id, "a", 0)

    stopped = await book.read(run.id)
    assert stopped is not None
    assert [number.state for number in stopped.numbers] == [
        NumberState.NOT_ATTEMPTED,
        NumberState.SENT,
        NumberState.NOT_ATTEMPTED,
    ]
    assert await book.claim("b", 9) == [run.id]


async def test_a_run_that_was_put_off_waits_its_time(book: BulkRunRecords, now: Now) -> None:
    """It is nobody's meanwhile, and whoever asks afterwards gets it."""
    run = await book.open("1/1", "close.settings", NUMBERS)
    await book.claim("a", 9)
    await book.put_off(run.id, "a", 30)

    assert await book.claim("a", 9) == []
    now.time += timedelta(seconds=31)
    assert await book.claim("b", 9) == [run.id]
    await book.release("b")
    assert await book.claim("c", 9) == [run.id]


async def test_after_a_crash_on_a_database_of_ones_own_nobody_waits_for_the_claim(
    database: Database, book: BulkRunRecords, now: Now
) -> None:
    """Where no other process can be, a new one takes over at once; on a shared database it waits."""
    run = await book.open("1/1", "close.settings", NUMBERS)
    await book.claim("dead", 9)

    assert await BulkRunRecords(database, "close", now).claim("new", 9) == ([] if database.shared else [run.id])


async def test_nothing_is_marked_as_sent_while_submissions_are_frozen(database: Database, book: BulkRunRecords) -> None:
    """What became of others is written all the same; once the freeze is lifted the same mark is taken."""
    run = await book.open("1/1", "close.settings", NUMBERS)
    await book.claim("a", 9)
    async with database.transaction() as tx:
        await tx.freezes.add(Freeze(by="U0OTTO", reason="maintenance", at=START))

    halt = await book.note(
        run.id, "a", [step(0, NumberState.SUCCEEDED)], sending=[step(1, NumberState.SENT), step(2, NumberState.SENT)]
    )

    assert halt is not None
    assert not halt.for_good
    assert await states(book, run.id) == [NumberState.SUCCEEDED, NumberState.WAITING, NumberState.WAITING]
    frozen = await book.read(run.id)
    assert frozen is not None
    assert frozen.halt == halt
    async with database.transaction() as tx:
        await tx.freezes.lift("U0OTTO", START)
    assert await book.note(run.id, "a", [], sending=[step(1, NumberState.SENT)]) is None
    assert (await states(book, run.id))[1] is NumberState.SENT


async def test_nothing_is_marked_as_sent_outside_the_change_window(
    database: Database, book: BulkRunRecords, now: Now
) -> None:
    """The policy says when numbers of the run's change may be sent: outside of that they wait, and inside they go."""
    async with database.transaction() as tx:
        change = await tx.changes.add(
            Draft(kind="close.settings"), requester="U0ANA", origin="", view="", submission=None, now=START
        )
    friday = Window(days=frozenset({4}), start=time(8), end=time(10), zone=ZoneInfo("UTC"))
    book = BulkRunRecords(database, "close", now, policies=Policies(rules=(), fallback=policy(friday)))
    run = await book.open(f"{change}/1", "close.settings", NUMBERS)
    await book.claim("a", 9)
    assert await book.note(run.id, "a", [], sending=[step(0, NumberState.SENT)]) is None

    now.time = START + timedelta(hours=1)
    halt = await book.note(run.id, "a", [step(0, NumberState.SUCCEEDED)], sending=[step(1, NumberState.SENT)])
    assert halt == Halt.outside_window()
    assert not halt.for_good
    assert await states(book, run.id) == [NumberState.SUCCEEDED, NumberState.WAITING, NumberState.WAITING]
    closed = await book.read(run.id)
    assert closed is not None
    assert closed.halt == halt
    await book.put_off(run.id, "a", 30, held_back=True)
    assert await book.claim("a", 9) == []

    now.time = START + timedelta(days=7)
    assert await book.claim("a", 9) == [run.id]
    assert await book.note(run.id, "a", [], sending=[step(1, NumberState.SENT)]) is None
    assert (await states(book, run.id))[1] is NumberState.SENT


def policy(window: Window) -> Policy:
    """Return a policy under which changes are sent in ``window``."""
    return Policy(
        requesters=Grant(),
        stages=(ApprovalStage(name="", approvers=Grant(), approvals_required=1),),
        operators=Grant(),
        approval_channel="C0APPROVALS",
        approval_ttl=timedelta(days=1),
        max_numbers=10,
        windows=(window,),
    )


async def states(book: BulkRunRecords, run: str) -> list[NumberState]:
    """Return the states of the run's numbers."""
    read = await book.read(run)
    assert read is not None
    return [number.state for number in read.numbers]


async def call_off(database: Database, *references: str) -> None:
    """Stop runs as whoever cancels a change does."""
    async with database.transaction() as tx:
        await tx.runs.call_off("close", references, code="linesman.stopped", reason="Cancelled.", now=START)


async def test_a_run_that_is_called_off_marks_nothing_more(database: Database, book: BulkRunRecords) -> None:
    """What waits is not attempted from that moment on; what was sent keeps the run open until it is settled."""
    run = await book.open("1/1", "close.settings", NUMBERS)
    await book.claim("a", 9)
    await book.note(run.id, "a", [], sending=[step(0, NumberState.SENT)])

    await call_off(database, "1/1")

    assert await states(book, run.id) == [
        NumberState.SENT,
        NumberState.NOT_ATTEMPTED,
        NumberState.NOT_ATTEMPTED,
    ]
    halt = await book.note(run.id, "a", [], sending=[step(1, NumberState.SENT)])
    assert halt is not None
    assert (halt.for_good, halt.code, halt.reason) == (True, "linesman.stopped", "Cancelled.")
    assert (await states(book, run.id))[1] is NumberState.NOT_ATTEMPTED
    async with database.reading() as tx:
        assert await tx.runs.tally("close", ["1/1"]) == {NumberState.SENT: 1, NumberState.NOT_ATTEMPTED: 2}


async def test_what_comes_back_unsent_into_a_run_that_is_called_off_ends_it(
    database: Database, book: BulkRunRecords
) -> None:
    """A request that surely had no effect leaves nothing behind that waits for a run without a future."""
    run = await book.open("1/1", "close.settings", NUMBERS)
    await book.claim("a", 9)
    await book.note(run.id, "a", [], sending=[step(0, NumberState.SENT)])
    await call_off(database, "1/1")

    await book.note(run.id, "a", [step(0, NumberState.WAITING)])

    ended = await book.read(run.id)
    assert ended is not None
    assert {number.state for number in ended.numbers} == {NumberState.NOT_ATTEMPTED}
    assert ended.over_at == START


async def test_a_run_can_be_called_off_before_it_is_written(database: Database, book: BulkRunRecords) -> None:
    """Whoever stops a change while a batch of it is being submitted stops the run that comes of it."""
    await call_off(database, "1/1")

    run = await book.open("1/1", "close.settings", NUMBERS)

    assert {number.state for number in run.numbers} == {NumberState.NOT_ATTEMPTED}
    assert run.over_at == START
    assert await book.claim("a", 9) == []
    other = await book.open("1/2", "close.settings", NUMBERS)
    assert await book.claim("a", 9) == [other.id]
