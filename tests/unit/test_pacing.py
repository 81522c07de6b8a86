"""When to ask about a job again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.changes.outcome.poll_schedule import (
    FAILED_READS,
    POLLS_PER_SECOND,
    READ_BACKS,
    PollPace,
    next_after_failed_read,
    next_poll,
    next_read_back,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PACE = PollPace(least=timedelta(seconds=2), most=timedelta(seconds=30))


def pause(*, polls: int = 0, done_in: float | None = None, in_flight: int = 1, spread: int = 0) -> float:
    """Return the pause in seconds."""
    done_by = None if done_in is None else NOW + timedelta(seconds=done_in)
    due = next_poll(PACE, now=NOW, polls=polls, done_by=done_by, in_flight=in_flight, spread=spread)
    return (due - NOW).total_seconds()


@given(st.integers(0, 10_000), st.one_of(st.none(), st.floats(-1e6, 1e6)), st.integers(0, 10**9))
def test_a_pause_stays_between_the_shortest_and_the_longest(polls: int, done_in: float | None, spread: int) -> None:
    """Whatever the provider estimates, a job is polled neither wildly often nor forgotten; the spread adds a tenth."""
    assert 2 <= pause(polls=polls, done_in=done_in, spread=spread) <= 33


def test_half_of_the_remaining_time_is_waited() -> None:
    """Polls get denser towards the estimated end."""
    assert pause(done_in=40) == 20
    assert pause(done_in=10) == 5
    assert pause(done_in=1) == 2


def test_without_an_estimate_pauses_grow() -> None:
    """A job that says nothing is asked less and less often."""
    pauses = [pause(polls=polls) for polls in range(8)]

    assert pauses == sorted(pauses)
    assert pauses[0] == 2
    assert pauses[-1] == 30


def test_many_jobs_share_one_rate() -> None:
    """500 jobs are together polled no faster than the total rate."""
    assert 500 / pause(in_flight=500) <= POLLS_PER_SECOND


def test_jobs_of_one_moment_are_not_polled_in_one_moment() -> None:
    """Jobs that were created together come due at different times."""
    dues = {pause(done_in=40, spread=spread) for spread in range(20)}

    assert len(dues) == 20


def test_numbers_are_read_back_for_about_a_minute() -> None:
    """The first reads come soon, for most changes show at once, and the later ones leave time."""
    pauses = [(next_read_back(PACE, now=NOW, read_backs=times) - NOW).total_seconds() for times in range(1, READ_BACKS)]

    assert pauses == [2, 6, 18, 30]


def test_failed_reads_are_made_again_ever_more_rarely() -> None:
    """Some minutes pass before nothing more is tried, besides those that each attempt itself takes."""
    pauses = [
        (next_after_failed_read(PACE, now=NOW, failed=times) - NOW).total_seconds() for times in range(1, FAILED_READS)
    ]

    assert pauses == [4, 8, 16, 32, 64, 120, 120]
    assert next_after_failed_read(PACE, now=NOW, failed=10**6) == NOW + timedelta(seconds=120)
