"""Files of the audit log: which span they hold, and how a line looks."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.changes.audit.events import Event
from bot.changes.audit.export import COLUMNS, AuditFormat, header, line, read_moment, read_span, read_words
from bot.changes.text.characters import visible
from bot.errors import InputError
from tests.unit.changes.formulas import formulas

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)


def day(month: int, number: int) -> datetime:
    """Return the first instant of a day of 2026."""
    return datetime(2026, month, number, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01", day(11, 1)),
        ("2026-11-01T22:00", day(11, 1) + timedelta(hours=22)),
        ("2026-11-01T22:00Z", day(11, 1) + timedelta(hours=22)),
        ("2026-11-01T22:00+01:00", day(11, 1) + timedelta(hours=21)),
    ],
)
def test_a_day_is_its_first_instant_and_times_are_utc(text: str, moment: datetime) -> None:
    """A zone is honoured, and left out it is UTC."""
    assert read_moment(text) == moment


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "2026-02-30", "01.11.2026", "", "0001-01-01T00:00+05:00"])
def test_what_is_no_date_is_said_with_an_example(text: str) -> None:
    """Whatever was typed is quoted, and a date that works stands beside it."""
    with pytest.raises(InputError, match="is not a date: write 2026-11-01"):
        read_moment(text)


def test_a_span_is_half_open_and_ends_now_at_the_latest() -> None:
    """The second date is left out; what is still to come is cut off; without dates it is everything so far."""
    assert read_span("2026-11-01", "2026-11-03", NOW).words == "from 2026-11-01 to before 2026-11-03 (UTC)"
    assert read_span("2026-11-01", "2027-01-01", NOW).until == NOW
    assert read_span("", "", NOW).words == "from the beginning to before 2026-11-21 12:30 (UTC)"


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [
        ("2026-11-03", "2026-11-03", "Nothing lies from 2026-11-03 to before 2026-11-03.* one day is"),
        ("2026-11-04", "2026-11-03", "Nothing lies from 2026-11-04 to before 2026-11-03"),
        ("2026-12-01", "2026-12-02", "2026-12-01 is in the future"),
        ("2026-12-01", "", "Nothing lies from 2026-12-01 to before 2026-11-21 12:30"),
    ],
)
def test_an_empty_span_is_refused_with_why(since: str, until: str, said: str) -> None:
    """An empty file would look as if nothing had happened."""
    with pytest.raises(InputError, match=said):
        read_span(since, until, NOW)


def test_words_come_in_any_order() -> None:
    """Dates in their order, the form anywhere, everything optional."""
    span, form = read_words(["JSONL", "2026-11-01"], since="2026-10-22", now=NOW)
    assert (span.since, span.until, form) == (day(11, 1), NOW, AuditFormat.JSONL)

    span, form = read_words(["2026-11-01", "2026-11-02", "csv"], since="2026-10-22", now=NOW)
    assert (span.since, span.until, form) == (day(11, 1), day(11, 2), AuditFormat.CSV)

    span, form = read_words([], since="2026-10-22", now=NOW)
    assert (span.since, span.until, form) == (day(10, 22), NOW, AuditFormat.CSV)


@pytest.mark.parametrize("words", [["csv", "jsonl"], ["2026-11-01", "2026-11-02", "2026-11-03"]])
def test_too_many_words_are_refused(words: list[str]) -> None:
    """Nobody has to guess which of them counted."""
    with pytest.raises(InputError, match="at most two dates"):
        read_words(words, since="2026-10-22", now=NOW)


texts = st.text(max_size=20) | st.text('a-5,;|=+\\" \t', max_size=8)
events = st.builds(
    Event,
    id=st.integers(min_value=1),
    change=st.none() | st.integers(min_value=1),
    at=st.just(NOW),
    actor=texts,
    what=texts,
    digest=texts,
    details=st.dictionaries(texts, texts | st.integers() | st.none() | st.lists(texts | st.integers()), max_size=3),
    hash=st.just("a" * 64),
)


@settings(deadline=None)  # other work on the machine is no fault
@given(events)
@example(
    Event(id=1, change=None, at=NOW, actor="", what="", digest="", details={"a": "b\u202ec\x7f\U000e0001"}, hash="h")
)
@example(
    Event(
        id=1,
        change=None,
        at=NOW,
        actor="",
        what="",
        digest="",
        hash="h",
        details={"list": [1, -5, "-5"], "reason": "works, -5 dB; -1|-2\t-3 =1+1 \\"},
    )
)
def test_no_cell_starts_a_formula_and_nothing_is_lost(event: Event) -> None:
    """Each event is one row of all columns, whatever people typed; every cell is only text to a spreadsheet."""
    sheet = (header(AuditFormat.CSV) + line(AuditFormat.CSV, event)).decode("utf-8-sig")
    columns, cells = csv.reader(io.StringIO(sheet, newline=""))

    assert tuple(columns) == COLUMNS
    assert len(cells) == len(COLUMNS)
    assert formulas(sheet) == []
    assert json.loads(cells[6]) == event.details
    assert visible(cells[6]) == cells[6]


@settings(deadline=None)  # other work on the machine is no fault
@given(events)
def test_a_json_line_is_the_whole_event(event: Event) -> None:
    """One line, one object, the same columns, details as they are."""
    written = line(AuditFormat.JSONL, event)
    told = json.loads(written)

    assert written.count(b"\n") == 1
    assert tuple(told) == COLUMNS
    assert (told["id"], told["actor"], told["details"]) == (event.id, event.actor, event.details)
    assert told["change"] == (f"CHG-{event.change}" if event.change else None)


def test_times_are_iso_in_utc() -> None:
    """Whatever zone a time comes in."""
    berlin = Event(
        id=1,
        change=7,
        at=NOW.astimezone(timezone(timedelta(hours=1))),
        actor="U0ANA",
        what="frozen",
        digest="",
        details={"reason": "half a pair: \ud83d"},
        hash="h",
    )

    assert line(AuditFormat.CSV, berlin).startswith(b"1,2026-11-21T12:30:00.000000+00:00,CHG-7,U0ANA,frozen,")
    assert json.loads(line(AuditFormat.JSONL, berlin))["at"] == "2026-11-21T12:30:00.000000+00:00"
