"""Start times: read as people say them, never guessed, and always as the clocks show them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.changes.input.delegations import read_until
from bot.changes.input.templates import kept
from bot.changes.input.time_reader import AHEAD
from bot.changes.input.times import LEAST, START, UNTIL, read_end, read_start
from bot.changes.model.draft import Draft
from bot.changes.model.start import End, Start
from bot.changes.policy.wall_clock import show_instant
from bot.errors import InputError

BERLIN = "Europe/Berlin"
#: A Saturday, 16:24 in Berlin.
NOW = datetime(2026, 11, 21, 15, 24, 31, tzinfo=UTC)

ZONES = st.sampled_from([BERLIN, "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "UTC"])
MOMENTS = st.integers(0, 3 * 365 * 86_400).map(
    lambda seconds: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


def read(text: str, *, now: datetime = NOW, zone: str = BERLIN) -> str:
    """Return the start as people see it."""
    return str(read_start(text, now=now, zone=zone))


def problem(text: str, *, now: datetime = NOW, zone: str = BERLIN) -> str:
    """Return why ``text`` is refused."""
    with pytest.raises(InputError) as caught:
        read_start(text, now=now, zone=zone)
    assert list(caught.value.problems) == [START]
    return caught.value.message


@pytest.mark.parametrize("text", ["", "  ", "now", "Now", "ASAP", "at once", "immediately"])
def test_nothing_means_as_soon_as_it_may(text: str) -> None:
    """An empty field, and words for it, ask for no time."""
    assert read_start(text, now=NOW, zone=BERLIN) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tonight 22:00", "Sat Nov 21, 2026, 22:00 (Europe/Berlin)"),
        ("Tonight at 10pm", "Sat Nov 21, 2026, 22:00 (Europe/Berlin)"),
        ("22:00", "Sat Nov 21, 2026, 22:00 (Europe/Berlin)"),
        ("\uff12\uff12\uff1a\uff10\uff10", "Sat Nov 21, 2026, 22:00 (Europe/Berlin)"),
        ("10:00", "Sun Nov 22, 2026, 10:00 (Europe/Berlin)"),
        ("tonight 02:00", "Sun Nov 22, 2026, 02:00 (Europe/Berlin)"),
        ("tonight midnight", "Sun Nov 22, 2026, 00:00 (Europe/Berlin)"),
        ("tonight 24:00", "Sun Nov 22, 2026, 00:00 (Europe/Berlin)"),
        ("today 24:00", "Sun Nov 22, 2026, 00:00 (Europe/Berlin)"),
        ("midnight", "Sun Nov 22, 2026, 00:00 (Europe/Berlin)"),
        ("noon", "Sun Nov 22, 2026, 12:00 (Europe/Berlin)"),
        ("tomorrow 6am", "Sun Nov 22, 2026, 06:00 (Europe/Berlin)"),
        ("12:30 am tomorrow", "Sun Nov 22, 2026, 00:30 (Europe/Berlin)"),
        ("Mon 06:30", "Mon Nov 23, 2026, 06:30 (Europe/Berlin)"),
        ("06:30 on Thursday", "Thu Nov 26, 2026, 06:30 (Europe/Berlin)"),
        ("saturday 23:00", "Sat Nov 21, 2026, 23:00 (Europe/Berlin)"),
        ("saturday 10:00", "Sat Nov 28, 2026, 10:00 (Europe/Berlin)"),
        ("Nov 30 02:00", "Mon Nov 30, 2026, 02:00 (Europe/Berlin)"),
        ("30. November 2026, 2 pm", "Mon Nov 30, 2026, 14:00 (Europe/Berlin)"),
        ("december 5th 10:00", "Sat Dec 5, 2026, 10:00 (Europe/Berlin)"),
        ("2026-11-30 02:00", "Mon Nov 30, 2026, 02:00 (Europe/Berlin)"),
        ("2026-11-30T02:00", "Mon Nov 30, 2026, 02:00 (Europe/Berlin)"),
        ("2026-11-30T02:00Z", "Mon Nov 30, 2026, 02:00 (UTC)"),
        ("tonight 22:00 utc", "Sat Nov 21, 2026, 22:00 (UTC)"),
        ("2026-11-30 02:00 america/new_york", "Mon Nov 30, 2026, 02:00 (America/New_York)"),
        ("in 2 hours", "Sat Nov 21, 2026, 18:25 (Europe/Berlin)"),
        ("in an hour", "Sat Nov 21, 2026, 17:25 (Europe/Berlin)"),
        ("in 1h30m", "Sat Nov 21, 2026, 17:55 (Europe/Berlin)"),
        ("in 2 weeks", "Sat Dec 5, 2026, 16:25 (Europe/Berlin)"),
        ("in 1 day 2 hours", "Sun Nov 22, 2026, 18:25 (Europe/Berlin)"),
    ],
)
def test_times_are_read_as_people_say_them(text: str, expected: str) -> None:
    """A day and a time of day, one of them or a while from now, in the zone of whoever says it unless they name one."""
    assert expected == read(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("soon", "“soon” is not understood. Write it like: tonight 22:00, tomorrow 6am"),
        ("22", "not understood"),
        ("22:00 CET", "not understood"),
        ("<!channel> 22:00", "not understood"),
        ("10:00-11:00", "not understood"),
        ("in 0 minutes", "not understood"),
        ("in 3 fortnights", "not understood"),
        ("next monday 10:00", "not understood"),
        ("tonight", "Add a time: tonight 22:00."),
        ("Monday", "Add a time: Monday 22:00."),
        ("2026-11-30", "Add a time: 2026-11-30 22:00."),
        ("25:00", "“25:00” is not a valid time"),
        ("10:75", "“10:75” is not a valid time"),
        ("13pm", "“13pm” is not a valid time"),
        ("24:30", "“24:30” is not a valid time"),
        ("tonight 12:00", "12:00 is not at night; say today or tomorrow."),
        ("tomorrow midnight", "write 00:00 or 24:00 with the day that you mean"),
        ("2026-11-31 10:00", "There is no day 2026-11-31."),
        ("22:00 Foo/Bar", "“Foo/Bar” is not a valid time zone"),
        ("today 10:00", "Sat Nov 21, 2026, 10:00 (Europe/Berlin) has passed: it is Sat Nov 21, 2026, 16:24"),
        ("0001-01-01 00:00", "has passed"),
        ("in 5 weeks", "too far ahead: a change can wait 30 days, until Mon Dec 21, 2026, 16:24 (Europe/Berlin)."),
        ("Nov 20 10:00", "Sat Nov 20, 2027, 10:00 (Europe/Berlin) is too far ahead"),
        ("9999-12-31 23:59", "too far ahead"),
        ("in 999999 weeks 999999 weeks", "too far ahead"),
        ("10:00 " * 20, "too long to be a time"),
    ],
)
def test_what_is_not_understood_or_out_of_reach_says_why(text: str, why: str) -> None:
    """The answer names what is wrong and what would be right."""
    assert why in problem(text)


def test_a_change_waits_for_thirty_days_and_not_a_moment_longer() -> None:
    """The boundary itself is allowed."""
    now = NOW.replace(second=0)

    assert read_start("in 30 days", now=now, zone=BERLIN) == Start(at=now + AHEAD, zone=BERLIN)
    assert "too far ahead" in problem("in 30 days 1 minute", now=now)


def test_the_night_ends_at_six() -> None:
    """Six is morning, for the time that is asked for and for the time that it is."""
    six = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)  # 06:00 in Berlin

    assert read("tonight 05:59") == "Sun Nov 22, 2026, 05:59 (Europe/Berlin)"
    assert problem("tonight 06:00") == "06:00 is not at night; say today or tomorrow."
    assert read("tonight 02:00", now=six) == "Mon Nov 23, 2026, 02:00 (Europe/Berlin)"
    assert "has passed" in problem("tonight 02:00", now=six - timedelta(minutes=1))


def test_in_the_night_tonight_is_the_night_that_is_on() -> None:
    """At one in the morning, tonight 03:00 is in two hours, and tonight 22:00 the next evening."""
    now = datetime(2026, 11, 22, 0, 0, tzinfo=UTC)

    assert read("tonight 03:00", now=now) == "Sun Nov 22, 2026, 03:00 (Europe/Berlin)"
    assert read("tonight 22:00", now=now) == "Sun Nov 22, 2026, 22:00 (Europe/Berlin)"
    assert "has passed" in problem("tonight 00:30", now=now)


def test_a_time_that_clocks_skip_is_refused_with_its_neighbours() -> None:
    """When clocks go forward, nobody ever sees 02:30."""
    now = datetime(2027, 3, 27, 12, 0, tzinfo=UTC)
    expected = "Clocks in Europe/Berlin go forward and never show 02:30 on Sun Mar 28; say 01:30 or 03:30."

    assert expected == problem("tomorrow 02:30", now=now)
    assert read("tomorrow 03:30", now=now) == "Sun Mar 28, 2027, 03:30 (Europe/Berlin)"


def test_of_a_time_that_clocks_show_twice_the_first_ahead_is_meant_and_the_offset_shown() -> None:
    """When clocks go back, 02:30 comes twice; everybody sees which one it is."""
    before, between = datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 0, 45, tzinfo=UTC)

    assert read("2026-10-25 02:30", now=before) == "Sun Oct 25, 2026, 02:30 UTC+0200 (Europe/Berlin)"
    assert read("2026-10-25 02:30", now=between) == "Sun Oct 25, 2026, 02:30 UTC+0100 (Europe/Berlin)"


def test_a_zone_that_this_machine_does_not_know_is_utc_and_says_so() -> None:
    """What is shown is what is meant."""
    assert read("22:00", zone="Mars/Olympus") == "Sat Nov 21, 2026, 22:00 (UTC)"


def attempt(text: str, now: datetime, zone: str) -> Start | str | None:
    """Return the start, or why there is none."""
    try:
        return read_start(text, now=now, zone=zone)
    except InputError as error:
        return error.problems[START]


@given(st.text(max_size=70), MOMENTS, ZONES)
def test_whatever_is_typed_is_a_time_ahead_or_refused(text: str, now: datetime, zone: str) -> None:
    """No text breaks the reader, and none leads into the past or out of reach."""
    start = attempt(text, now, zone)

    assert not isinstance(start, Start) or now < start.at <= now + AHEAD


@given(
    st.lists(
        st.sampled_from(
            ["tonight", "today", "mon", "nov", "30", "2026", "-", "6am", ":", "in", "hours", "24:00", "utc"]
        )
    ),
    MOMENTS,
    ZONES,
)
def test_no_mixture_of_its_own_words_breaks_the_reader(words: list[str], now: datetime, zone: str) -> None:
    """Words that mean something alone lead to a time ahead or to an answer, in every order."""
    start = attempt(" ".join(words), now, zone)

    assert not isinstance(start, Start) or now < start.at <= now + AHEAD


@given(MOMENTS, st.integers(2, int(AHEAD.total_seconds()) // 60 - 120), ZONES)
def test_what_is_written_out_is_read_back(now: datetime, minutes: int, zone: str) -> None:
    """A date and a time as clocks show them mean an instant at which they show exactly that."""
    wall = (now + timedelta(minutes=minutes)).astimezone(ZoneInfo(zone))
    start = read_start(f"{wall:%Y-%m-%d %H:%M}", now=now, zone=zone)

    assert start is not None
    shown = start.at.astimezone(ZoneInfo(zone))
    assert (shown.replace(tzinfo=None, fold=0), shown.second) == (
        wall.replace(tzinfo=None, fold=0, second=0, microsecond=0),
        0,
    )


@given(MOMENTS, st.integers(0, 23), st.integers(0, 59), ZONES)
def test_a_time_of_day_alone_is_the_next_one(now: datetime, hour: int, minute: int, zone: str) -> None:
    """It comes within a day, or two where clocks change, and clocks show it then for the first time."""
    start = attempt(f"{hour}:{minute:02}", now, zone)
    if isinstance(start, str):
        assert "go forward" in start
        return
    assert start is not None
    shown = start.at.astimezone(ZoneInfo(zone))
    assert (shown.hour, shown.minute) == (hour, minute)
    assert timedelta() < start.at - now <= timedelta(hours=25)


def test_only_an_hour_that_is_shown_twice_is_shown_with_its_offset() -> None:
    """The usual hour is short to read."""
    assert show_instant(NOW, BERLIN) == "Sat Nov 21, 2026, 16:24 (Europe/Berlin)"


def test_an_end_is_read_like_a_start() -> None:
    """The same words, in the same zone; an empty field makes a change that lasts."""
    read = read_end("Mon 08:00", now=NOW, zone=BERLIN, start=None)

    assert isinstance(read, End)
    assert str(read) == "Mon Nov 23, 2026, 08:00 (Europe/Berlin)"
    assert read_end("  ", now=NOW, zone=BERLIN, start=None) is None


@pytest.mark.parametrize("word", ["", "until ", "Until ", "UNTIL  ", "till ", "Till\u00a0"])
@pytest.mark.parametrize("time", ["Mon 08:00", "monday 8am", "2026-11-23 08:00", "Nov 23, 08:00", "in 3 days"])
def test_the_word_before_an_end_may_be_left_out(word: str, time: str) -> None:
    """However it is typed, a temporary change and a delegation end when the time alone says."""
    ends = read_end(time, now=NOW, zone=BERLIN, start=None)

    assert read_end(f"{word}{time}", now=NOW, zone=BERLIN, start=None) == ends
    assert read_until(f"{word}{time}", now=NOW, zone=BERLIN) == ends


@pytest.mark.parametrize("text", ["for 2 days", "For  2 days", "FOR 2 days", "until in 2 days", "in 2 days"])
def test_a_length_of_time_is_an_end(text: str) -> None:
    """For a temporary change as for a delegation; a template keeps it, for it means another time every day."""
    ends = read_end(text, now=NOW, zone=BERLIN, start=None)

    assert ends == read_until(text, now=NOW, zone=BERLIN) == read_end("in 2 days", now=NOW, zone=BERLIN, start=None)
    assert kept(Draft(kind="", until=text), None)[0].until == text


@pytest.mark.parametrize("text", ["until", " Until ", "till", "for"])
def test_a_word_alone_is_no_end_and_no_empty_field(text: str) -> None:
    """Whoever typed it wants an end: nothing lasts for good because of it."""
    with pytest.raises(InputError, match="Say until when") as caught:
        read_end(text, now=NOW, zone=BERLIN, start=None)

    assert list(caught.value.problems) == [UNTIL]


def test_what_is_not_understood_is_named_as_it_was_typed() -> None:
    """Nobody has to guess where a word comes from that they did not type."""
    with pytest.raises(InputError, match="“for ever” is not understood"):
        read_end("for ever", now=NOW, zone=BERLIN, start=None)


@pytest.mark.parametrize("text", ["now", "in 9 minutes", "in 40 days", "yesterday noon", "tonight"])
def test_an_end_that_cannot_be_is_refused_under_its_own_field(text: str) -> None:
    """Too early, too far ahead and not understood."""
    with pytest.raises(InputError) as caught:
        read_end(text, now=NOW, zone=BERLIN, start=None)

    assert list(caught.value.problems) == [UNTIL]


def test_an_end_comes_after_the_start() -> None:
    """A change that starts on Monday cannot end before it has lasted a few minutes."""
    start = read_start("Mon 06:00", now=NOW, zone=BERLIN)
    assert start is not None
    earliest = read_end("Mon 06:10", now=NOW, zone=BERLIN, start=start)
    assert earliest is not None
    assert earliest.at - start.at == LEAST

    for text in ("tomorrow 6am", "Mon 06:09"):
        with pytest.raises(InputError, match="must last at least 10 minutes: end it after Mon Nov 23, 2026, 06:10"):
            read_end(text, now=NOW, zone=BERLIN, start=start)
