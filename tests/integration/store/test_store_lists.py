"""Lists of changes, histories of numbers, and templates, out of the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest

from bot.changes.input.list_query import SORTS, USUAL, ListQuery
from bot.changes.input.templates import TemplateContent
from bot.changes.model.decisions import Decision, DecisionVerb
from bot.changes.model.draft import Draft
from bot.changes.model.lifecycle import ChangeState, OperationState
from bot.changes.model.list_rows import Cursor
from bot.changes.model.messages import MessageRef
from bot.changes.model.summary import Summary
from bot.changes.planning.plan import PlannedNumber
from bot.errors import NotFound, Superseded
from bot.store.database import Database
from bot.store.tables import changes

START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
KINDS = ("telnyx.settings", "telnyx.emergency")
ENDS = [end for sort in SORTS for end in sort.ends] + [(ChangeState.PLANNING, None)]
PEOPLE = ("U0ANA", "U0MIA", "U0OTTO")


def rows(count: int) -> Iterator[dict[str, object]]:
    """Yield changes of all sorts, one every eight hours."""
    mixed = list(product(dict.fromkeys(ENDS), PEOPLE, KINDS))
    for index in range(count):
        (state, outcome), person, kind = mixed[index * 7 % len(mixed)]
        yield {
            "kind": kind,
            "state": state.value,
            "outcome": outcome.value if outcome else None,
            "requester": person,
            "draft": {"reason": f"Reason {index}", "kind": kind},
            "summary": {"numbers": index, "wanted": {"tags": ["a"]}, "labels": {}} if index % 3 else None,
            "created_at": START + timedelta(hours=8 * index),
        }


@pytest.fixture
async def written(database: Database) -> list[dict[str, object]]:
    """Write 150 changes; the first has the id 1."""
    written = list(rows(150))
    async with database.engine.begin() as connection:
        for row in written:
            await connection.execute(changes.insert().values(**row))
    return written


def expected(written: list[dict[str, object]], wanted: ListQuery) -> list[int]:
    """Return the ids of what is wanted, newest first, found in the plainest way."""
    found = []
    for number, row in enumerate(written, start=1):
        made = row["created_at"]
        assert isinstance(made, datetime)
        end = (row["state"], row["outcome"])
        matches = (
            end in [(state.value, outcome.value if outcome else None) for state, outcome in wanted.ends]
            and (not wanted.people or row["requester"] in wanted.people)
            and (not wanted.kinds or row["kind"] in wanted.kinds)
            and (wanted.since is None or made.date() >= wanted.since)
            and (wanted.until is None or made.date() <= wanted.until)
        )
        if matches:
            found.append(number)
    return found[::-1]


def sorts(*words: str) -> ListQuery:
    """Return what these words ask for."""
    return ListQuery(sorts=tuple(sort for sort in SORTS if sort.word in words))


@pytest.mark.parametrize(
    "wanted",
    [
        ListQuery(),
        *(ListQuery(sorts=(sort,)) for sort in SORTS),
        sorts("failed", "stale"),
        ListQuery(people=("U0MIA",)),
        ListQuery(people=("U0MIA", "U0OTTO"), kinds=("telnyx.emergency",)),
        ListQuery(since=date(2026, 11, 10)),
        ListQuery(until=date(2026, 11, 10)),
        ListQuery(since=date(2026, 11, 10), until=date(2026, 11, 10)),
        ListQuery(since=date(2030, 1, 1)),
        ListQuery(until=date(2020, 1, 1)),
        ListQuery(
            sorts=sorts("finished").sorts, people=("U0ANA",), kinds=("telnyx.settings",), since=date(2026, 11, 5)
        ),
    ],
    ids=str,
)
async def test_a_list_has_what_was_asked_for_page_by_page(
    database: Database, written: list[dict[str, object]], wanted: ListQuery
) -> None:
    """Every filter, alone and together, newest first, in both directions; nothing twice, nothing left out."""
    back: list[int] = []
    cursor = None
    async with database.reading() as tx:
        while page := await tx.list_rows.page(wanted, KINDS, cursor=cursor, limit=7):
            back += [list_row.id for list_row in page]
            cursor = Cursor(page[-1].id)
        forth = await tx.list_rows.page(wanted, KINDS, cursor=Cursor(0, newer=True), limit=1000)

    assert back == expected(written, wanted)
    assert [list_row.id for list_row in forth] == back[::-1]


async def test_a_glance_has_what_a_line_shows(database: Database, written: list[dict[str, object]]) -> None:
    """Reason, figures and names come out of the stored documents; a change without a plan has none."""
    async with database.reading() as tx:
        found = {g.id: g for g in await tx.list_rows.page(ListQuery(sorts=SORTS), KINDS, limit=1000)}

    for number, list_row in found.items():
        row = written[number - 1]
        planned = row["summary"] is not None
        assert list_row.reason == f"Reason {number - 1}"
        assert (list_row.numbers, list_row.settings) == ((number - 1, ("tags",)) if planned else (0, ()))
        assert list_row.created_at == row["created_at"]


@pytest.mark.usefixtures("written")
async def test_kinds_that_are_switched_off_are_not_listed(database: Database) -> None:
    """A page is full of what can be shown, whatever else there is."""
    async with database.reading() as tx:
        found = await tx.list_rows.page(ListQuery(), ("telnyx.settings",), limit=20)
        nothing = await tx.list_rows.page(ListQuery(kinds=("telnyx.emergency",)), ("telnyx.settings",), limit=20)

    assert len(found) == 20
    assert {list_row.kind for list_row in found} == {"telnyx.settings"}
    assert nothing == []


async def test_a_request_is_undecided_until_one_has_decided(
    database: Database, written: list[dict[str, object]]
) -> None:
    """The longest waiting first, without those that this person has answered."""
    waiting = expected(written, sorts("waiting"))[::-1]
    word = Decision(
        change=waiting[0],
        person="U0MAX",
        verb=DecisionVerb.APPROVE,
        digest="d",
        reason="",
        rule="environment",
        at=START,
    )
    async with database.transaction() as tx:
        await tx.decisions.add(word)

    async with database.reading() as tx:
        left = [list_row.id for list_row in await tx.list_rows.undecided("U0MAX", KINDS, limit=50)]
        others = [list_row.id for list_row in await tx.list_rows.undecided("U0MIA", KINDS, limit=50)]

    assert (left, others) == (waiting[1:], waiting)


async def a_change(database: Database, numbers: list[tuple[str, str]], *, asked: bool = True) -> int:
    """Write a planned change of (id, E.164) pairs, and have it asked for."""
    draft = Draft(kind=KINDS[0], reason="Because")
    async with database.transaction() as tx:
        change = await tx.changes.add(draft, requester="U0ANA", origin="", view="", submission=None, now=START)
        planned = [
            PlannedNumber(id=id_, e164=e164, before={"connection_id": "1"}, after={"connection_id": "2"}, batch=1)
            for id_, e164 in numbers
        ]
        await tx.operations.add(change, planned)
        summary = Summary(
            numbers=len(numbers),
            unchanged=0,
            batches=1,
            wanted={"connection_id": "2"},
            labels={"connection_id": {"1": "Dallas", "2": "Denver"}},
        )
        await tx.changes.move(change, ChangeState.PLANNED, summary=summary)
        if asked:
            await tx.changes.move(change, ChangeState.AWAITING_APPROVAL, card=MessageRef(channel="C1", ts="1.2"))
    return change


async def test_the_history_of_a_number_follows_it_to_a_new_id(database: Database) -> None:
    """It has every change that was asked for, newest first, with values and names; other numbers' are not in it."""
    first = await a_change(database, [("11", "+13035550100"), ("12", "+13035550101")])
    await a_change(database, [("12", "+13035550101")])
    await a_change(database, [("11", "+13035550100")], asked=False)
    third = await a_change(database, [("99", "+13035550100")])

    async with database.reading() as tx:
        history = await tx.list_rows.history(e164="+13035550100", limit=9)
        by_id = await tx.list_rows.history(number_id="11", limit=9)
        older = await tx.list_rows.history(e164="+13035550100", cursor=Cursor(third), limit=9)
        newer = await tx.list_rows.history(e164="+13035550100", cursor=Cursor(first, newer=True), limit=9)
        known = await tx.list_rows.known(e164="+13035550100"), await tx.list_rows.known(number_id="12")
        unknown = await tx.list_rows.known(number_id="77"), await tx.list_rows.history(number_id="77", limit=9)

    assert [past.change.id for past in history] == [third, first]
    assert [past.change.id for past in by_id] == [first]
    assert ([past.change.id for past in older], [past.change.id for past in newer]) == ([first], [third])
    assert history[0].operation.after == {"connection_id": "2"}
    assert history[0].operation.state is OperationState.WAITING
    assert history[0].labels == {"connection_id": {"1": "Dallas", "2": "Denver"}}
    assert (history[0].change.card, history[0].change.reason) == (MessageRef(channel="C1", ts="1.2"), "Because")
    assert known == (("99", "+13035550100"), ("12", "+13035550101"))
    assert unknown == (("", ""), [])


async def test_a_lock_is_found_by_its_number(database: Database) -> None:
    """Who holds it, and since when; nobody else's."""
    change = await a_change(database, [("11", "+13035550100")])
    async with database.transaction() as tx:
        await tx.locks.take(change, "telnyx", ["11"], START)

    async with database.reading() as tx:
        held = await tx.locks.holder("telnyx", "11")
        free = await tx.locks.holder("telnyx", "12"), await tx.locks.holder("close", "11")

    assert held is not None
    assert (held.change, held.requester, held.since) == (change, "U0ANA", START)
    assert free == (None, None)


def content(name: str, owner: str = "U0ANA") -> TemplateContent:
    """Return something to keep."""
    draft = Draft(kind=KINDS[0], pasted=("+13035550100",), chosen=("tags",), typed={"tags": "a"}, filters={"tag": "b"})
    return TemplateContent(name=name, owner=owner, draft=draft, left_out=("external_pin",), numbers=1, saved_at=START)


async def test_a_template_comes_back_as_it_was_saved(database: Database) -> None:
    """By its name in any case, and by the press of the button that saved it."""
    async with database.transaction() as tx:
        saved = await tx.templates.add(content("Denver Move"), submission="V1:h1")

    async with database.reading() as tx:
        named = await tx.templates.named("DENVER move")
        pressed, other = await tx.templates.saved_as("V1:h1"), await tx.templates.saved_as("V1:h2")

    assert named == saved == pressed
    assert (saved.name, saved.version, saved.draft, saved.left_out) == (
        "Denver Move",
        1,
        content("x").draft,
        ("external_pin",),
    )
    assert other is None


async def test_a_name_is_there_once(database: Database) -> None:
    """Whatever its case; and what was taken meanwhile is not replaced by accident."""
    async with database.transaction() as tx:
        first = await tx.templates.add(content("Denver"), submission="V1:h1")
        with pytest.raises(Superseded, match="just taken this name"):
            await tx.templates.add(content("DENVER", "U0MIA"), submission="V2:h1")
        second = await tx.templates.replace(first, content("denver", "U0MIA"), submission="V2:h2")
        with pytest.raises(Superseded, match="was just changed by somebody"):
            await tx.templates.replace(first, content("Denver"), submission="V3:h1")
        with pytest.raises(Superseded, match="was just changed by somebody"):
            await tx.templates.remove(first)
        await tx.templates.remove(second)
        with pytest.raises(NotFound, match="no longer exists"):
            await tx.templates.get(first.id)

    assert (second.id, second.version, second.name, second.owner) == (first.id, 2, "denver", "U0MIA")


async def test_templates_are_listed_by_name_in_both_directions(database: Database) -> None:
    """From any name on, or up to it, whether or not it is there."""
    async with database.transaction() as tx:
        for name in ("b", "D", "a", "C", "e"):
            await tx.templates.add(content(name), submission=name)

    async with database.reading() as tx:
        everything = [t.name for t in await tx.templates.after("", limit=9)]
        later = [t.name for t in await tx.templates.after("bb", limit=2)]
        earlier = [t.name for t in await tx.templates.before("d", limit=2)]

    assert everything == ["a", "b", "C", "D", "e"]
    assert (later, earlier) == (["C", "D"], ["b", "C"])


async def test_whatever_happens_the_newest_event_grows(database: Database) -> None:
    """It tells cheaply that something may have changed."""
    async with database.transaction() as tx:
        before = await tx.events.newest()
        await tx.events.add(None, "frozen", at=START, actor="U0OTTO")
    async with database.reading() as tx:
        after = await tx.events.newest()

    assert (before, after > before) == (0, True)


def test_the_walks_cover_every_end() -> None:
    """A walk is one state with one outcome; those that are listed when nothing is asked for are among them."""
    assert set(USUAL) < set(ENDS)
    assert all((outcome is not None) == (state is ChangeState.FINISHED) for state, outcome in ENDS)
