"""When to ask about a job again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.changes.outcome.poll_schedule import (
    FAILED_READS,
    POLLS_PER_SECOND,
    READ_BACKS,
    PollPace,
    expected_end,
    next_after_failed_read,
    next_final_poll,
    next_poll,
    next_read_back,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PACE = PollPace(least=timedelta(seconds=2), most=timedelta(seconds=30))


def pause(
    *, age: float = 0, ends_in: float | None = None, moves: bool = False, in_flight: int = 1, spread: int = 0
) -> float:
    """Return the pause in seconds for a job that was created ``age`` seconds ago."""
    due = next_poll(
        PACE,
        now=NOW,
        since=NOW - timedelta(seconds=age),
        expected=None if ends_in is None else NOW + timedelta(seconds=ends_in),
        moves=moves,
        in_flight=in_flight,
        spread=spread,
    )
    return (due - NOW).total_seconds()


def polls_until_noticed(takes: float, *, estimated: float | None, moves: bool = True) -> tuple[int, float]:
    """Return how many polls a job of ``takes`` seconds takes, and how long after its end the last of them is."""
    at = pause(ends_in=estimated)
    polls = 1
    while at < takes:
        at += pause(age=at, ends_in=None if estimated is None else estimated - at, moves=moves)
        polls += 1
    return polls, at - takes


@given(st.data())
def test_a_pause_is_never_shorter_than_the_shortest(data: st.DataObject) -> None:
    """Whatever the provider estimates; and a job that is late is not forgotten. The spread adds a tenth at most."""
    age, spread = data.draw(st.floats(0, 1e6)), data.draw(st.integers(0, 10**9))
    ends_in, moves = data.draw(st.one_of(st.none(), st.floats(-1e6, 1e6))), data.draw(st.booleans())
    seconds = pause(age=age, ends_in=ends_in, moves=moves, spread=spread)

    assert seconds >= 2
    assert seconds <= max(33, (ends_in or 0) * 1.01 + 2.2)


@given(st.floats(2, 7 * 86_400), st.floats(-0.5, 1.5))
def test_a_right_estimate_takes_four_polls_at_most(takes: float, off: float) -> None:
    """A job of a second or a week, and its end is noticed within one and a half of the shortest pauses."""
    polls, after = polls_until_noticed(takes, estimated=takes - off)

    assert polls <= 4
    assert after <= 3


def test_a_job_that_nothing_is_known_of_is_asked_less_and_less_often() -> None:
    """Each pause is half of its age, within the shortest and the longest."""
    assert [pause(age=age) for age in (0, 2, 8, 20, 60, 6000)] == [2, 2, 4, 10, 30, 30]


def test_the_further_a_job_is_late_the_longer_the_pause() -> None:
    """However many polls went before: an hour's job that is a second late is looked at soon."""
    assert [pause(age=3600, ends_in=-late) for late in (0, 1, 10, 90)] == [2, 2, 5, 30]


def test_an_estimate_that_is_far_too_long_is_found_out() -> None:
    """There is a look after some minutes, and if the job does not move, after twice the time and so on."""
    assert pause(ends_in=86_400) == 300
    assert pause(age=300, ends_in=86_100) == 300
    assert pause(age=600, ends_in=85_800) == 600
    assert pause(age=300, ends_in=86_100, moves=True) == 86_100


@pytest.mark.parametrize(
    ("done_in", "share", "typical", "expected"),
    [
        (600, 0.0, None, 600),
        (600, 0.5, None, 100),  # half was done in 100 s of 700
        (120, 0.5, None, 120),  # near enough to the estimate
        (None, 0.25, None, 300),
        (None, 0.0, 1000, 800),
        (None, 0.0, None, None),
    ],
)
def test_when_a_job_is_expected_to_be_over(
    done_in: int | None, share: float, typical: int | None, expected: int | None
) -> None:
    """By the provider's estimate, what it has done, or what jobs like it took; this one is 100 s old."""
    end = expected_end(
        since=NOW - timedelta(seconds=100),
        moved_at=NOW,
        done_by=None if done_in is None else NOW + timedelta(seconds=done_in),
        share=share,
        typical=None if typical is None else timedelta(seconds=typical),
    )

    assert end == (None if expected is None else NOW + timedelta(seconds=expected))


def test_a_job_that_no_longer_moves_is_not_expected_ever_later() -> None:
    """What it had done when it last moved tells when it was to be over, however much later it is asked about."""
    since = NOW - timedelta(seconds=100)
    moved_at = since + timedelta(seconds=10)

    assert expected_end(since=since, moved_at=moved_at, done_by=None, share=0.5, typical=None) == (
        since + timedelta(seconds=20)
    )


def test_a_job_that_is_over_with_numbers_undecided_is_soon_read_again() -> None:
    """However long it took."""
    pauses = [(next_final_poll(PACE, now=NOW, final_polls=times) - NOW).total_seconds() for times in (0, 1, 2, 9)]

    assert pauses == [2, 3, 4.5, 30]


def test_many_late_jobs_share_one_rate() -> None:
    """500 jobs are together polled no faster than the total rate."""
    assert 500 / pause(in_flight=500) <= POLLS_PER_SECOND


def test_jobs_of_one_moment_are_not_polled_in_one_moment() -> None:
    """Jobs that were created together come due at different times."""
    dues = {pause(ends_in=40, spread=spread) for spread in range(20)}

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
