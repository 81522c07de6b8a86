"""The words after ``/numbers list``, and pages that stay where they are."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.changes.input.list_query import SORTS, ListQuery, read_listing
from bot.changes.model.lifecycle import ChangeState, Outcome
from bot.changes.model.list_rows import Cursor, ListPage, cut, read_cursor
from bot.errors import InputError
from bot.providers.telnyx.kinds import kinds

KINDS = kinds(secrets=True)
TODAY = date(2026, 11, 21)


def read(text: str) -> ListQuery:
    """Read as Ana does, today."""
    return read_listing(text, me="U0ANA", kinds=KINDS, today=TODAY)


def test_words_may_come_in_any_order_and_case() -> None:
    """Where, whose, which kind and when are told apart by themselves."""
    expected = ListQuery(
        sorts=(next(sort for sort in SORTS if sort.word == "failed"),),
        people=("U0MIA",),
        kinds=("telnyx.emergency",),
        since=date(2026, 11, 1),
    )

    assert read("list"[4:] + "failed <@U0MIA|mia> since 2026-11-01 kind emergency") == expected
    assert read("KIND telnyx.emergency, Since 2026-11-01, U0MIA99 FAILED") == ListQuery(
        sorts=expected.sorts, people=("U0MIA99",), kinds=expected.kinds, since=expected.since
    )


def test_mine_and_days_become_absolute() -> None:
    """What a button carries means the same tomorrow, and to whoever presses it."""
    assert str(read("mine since yesterday until today")) == "<@U0ANA> since 2026-11-20 until 2026-11-21"
    assert read("on today") == ListQuery(since=TODAY, until=TODAY)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("faild", "Unknown word “faild”. Did you mean “failed”"),
        ("schedule", "Did you mean “scheduled”"),
        ("kind emergncy", "Did you mean “emergency”"),
        ("gibberish", "Unknown word “gibberish”.$"),
        ("@ana", "is not a person: choose"),
        ("<@nobody>", "is not a person: choose"),
        ("kind", "“kind” needs a value after it."),
        ("kind fax", "There is no kind “fax”; there is update, emergency."),
        ("since", "“since” needs a value after it."),
        ("since 2026-02-30", "“2026-02-30” is not a date"),
        ("since tomorrow-ish", "is not a date; write it as 2026-11-21"),
        ("since \u0662\u0660\u0662\u0666-11-01", "is not a date"),
        ("since 2026-11-02 until 2026-11-01", "2026-11-02 is after 2026-11-01"),
        ("since 2026-11-02 since 2026-11-01", "given twice with different values"),
        ("on 2026-11-02 until 2026-11-03", "given twice with different values"),
        (" ".join(f"U0PERSON{i:04}" for i in range(200)), "query is too long"),
    ],
)
def test_each_mistake_is_named(text: str, wrong: str) -> None:
    """Whoever slips is told where."""
    with pytest.raises(InputError, match=wrong):
        read(text)


def test_all_mistakes_are_told_at_once() -> None:
    """Nobody has to find out one by one."""
    with pytest.raises(InputError) as caught:
        read("faild kind fax since noon running")

    assert list(caught.value.problems) == ["faild", "kind fax", "since noon"]


@given(
    st.lists(st.sampled_from(SORTS), unique=True),
    st.lists(st.from_regex(r"[UW][A-Z0-9]{5,10}", fullmatch=True), unique=True, max_size=5),
    st.lists(st.sampled_from([kind.name for kind in KINDS]), unique=True),
    st.none() | st.dates(),
    st.none() | st.dates(),
)
def test_what_a_button_carries_is_read_back(
    sorts: list[object], people: list[str], names: list[str], one: date | None, other: date | None
) -> None:
    """The words of a listing are that listing."""
    since, until = (one, other) if not (one and other and one > other) else (other, one)
    listing = ListQuery(
        sorts=tuple(sort for sort in SORTS if sort in sorts),
        people=tuple(people),
        kinds=tuple(names),
        since=since,
        until=until,
    )

    again = read(str(listing))

    assert again == listing
    assert len(str(again)) < 1900


@given(st.text(max_size=80))
def test_nothing_that_is_typed_breaks_the_reading(text: str) -> None:
    """Every text is a listing or a sentence about what is wrong with it."""
    try:
        listing = read(text)
    except InputError as error:
        listing = None
        said = error.message

    assert listing is not None or said


def test_every_state_has_a_word_and_the_usual_ones_leave_out_what_nobody_asked_for() -> None:
    """Whatever a change has come to can be asked for; a plan in the making is nobody's business yet."""
    reached = {state for sort in SORTS for state, _ in sort.ends}

    assert reached == set(ChangeState) - {ChangeState.PLANNING}
    assert {state for state, _ in ListQuery().ends} == set(ChangeState) - {ChangeState.PLANNING, ChangeState.DISCARDED}
    assert {outcome for state, outcome in ListQuery().ends if state is ChangeState.FINISHED} == set(Outcome)


def pages(ids: list[int], limit: int, cursor: Cursor | None) -> ListPage[int]:
    """Return the page of ``ids`` as a store would read it."""

    def found(cursor: Cursor | None) -> list[int]:
        if cursor is None:
            return sorted(ids, reverse=True)[: limit + 1]
        if cursor.newer:
            return sorted(i for i in ids if i > cursor.id)[: limit + 1]
        return sorted((i for i in ids if i < cursor.id), reverse=True)[: limit + 1]

    page = cut(found(cursor), cursor, limit, lambda i: i)
    if page is None:
        page = cut(found(None), None, limit, lambda i: i)
    assert page is not None
    return page


@given(st.sets(st.integers(1, 500), max_size=60), st.integers(1, 9), st.lists(st.integers(501, 600), max_size=20))
def test_older_pages_show_every_entry_once_however_many_arrive_meanwhile(
    ids: set[int], limit: int, fresh: list[int]
) -> None:
    """Going back page by page shows what was there at the beginning, each once, newest first."""
    present = list(ids)
    seen: list[int] = []
    arriving = iter(sorted(set(fresh)))
    page = pages(present, limit, None)
    while True:
        seen += page.entries
        if page.older is None:
            break
        present += [new for new in [next(arriving, None)] if new is not None]
        page = pages(present, limit, page.older)

    assert seen == sorted(ids, reverse=True)


@given(st.sets(st.integers(1, 500), min_size=1, max_size=60), st.integers(1, 9))
def test_newer_leads_back_where_older_came_from(ids: set[int], limit: int) -> None:
    """Newer after Older is the page one came from; from the newest there is no newer one."""
    present = list(ids)
    first = pages(present, limit, None)

    assert first.newer is None
    if first.older is not None:
        back = pages(present, limit, first.older).newer
        assert back is not None
        assert list(pages(present, limit, back).entries) == list(first.entries)


@given(st.text(max_size=30))
def test_a_forged_cursor_is_the_newest_page(text: str) -> None:
    """Only what a cursor wrote is read as one."""
    cursor = read_cursor(text)

    assert cursor is None or 0 <= cursor.id < 10**18
    assert read_cursor(str(Cursor(41, newer=True))) == Cursor(41, newer=True)
    assert read_cursor(str(Cursor(41))) == Cursor(41)
