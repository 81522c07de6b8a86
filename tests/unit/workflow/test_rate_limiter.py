"""A shared allowance of turns."""

from __future__ import annotations

import heapq
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.changes.outcome.poll_schedule import POLLS_AT_ONCE, POLLS_PER_SECOND, PollPace, next_poll
from bot.workflow.rate_limiter import RateLimiter

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def most_within(times: list[datetime], seconds: float) -> int:
    """Return how many of ``times``, which are in order, lie in the fullest window of this length."""
    fullest, start = 0, 0
    for end, at in enumerate(times):
        while at - times[start] >= timedelta(seconds=seconds):
            start += 1
        fullest = max(fullest, end - start + 1)
    return fullest


@given(
    st.floats(0.1, 20),
    st.integers(1, 20),
    st.lists(st.floats(0, 60), min_size=1, max_size=80).map(sorted),
    st.floats(0.5, 60),
)
def test_there_are_never_more_turns_than_the_rate_and_the_burst(
    rate: float, burst: int, arrivals: list[float], window: float
) -> None:
    """However a crowd comes, no window sees more than its share, and everybody gets a turn."""
    budget = RateLimiter(rate=rate, burst=burst)
    coming = [(NOW + timedelta(seconds=at), str(who)) for who, at in enumerate(arrivals)]
    taken: list[datetime] = []
    heapq.heapify(coming)
    while coming:
        now, who = heapq.heappop(coming)
        if wait := budget.wait(who, now):
            heapq.heappush(coming, (now + wait, who))
        else:
            taken.append(now)

    assert len(taken) == len(arrivals)
    assert most_within(taken, window) <= burst + rate * window + 1


def test_a_crowd_comes_back_once_each() -> None:
    """Whoever is told to wait is let through when they come back at that time: nobody asks a third time."""
    budget = RateLimiter(rate=4, burst=8)
    waits = [budget.wait(str(who), NOW) for who in range(500)]

    assert waits[:8] == [timedelta(0)] * 8
    assert waits == sorted(waits)
    assert all(not budget.wait(str(who), NOW + wait) for who, wait in enumerate(waits) if wait)


def test_500_jobs_are_not_500_calls() -> None:
    """From a start at which every job is due, no second sees more than the rate and the burst; each is asked about."""
    pace = PollPace(least=timedelta(seconds=2), most=timedelta(seconds=30))
    budget = RateLimiter(rate=POLLS_PER_SECOND, burst=POLLS_AT_ONCE)
    due = [(NOW, job) for job in range(500)]
    polls = dict.fromkeys(range(500), 0)
    called: list[datetime] = []
    while due[0][0] < NOW + timedelta(minutes=10):
        now, job = heapq.heappop(due)
        if wait := budget.wait(str(job), now):
            heapq.heappush(due, (now + wait, job))
            continue
        called.append(now)
        again = next_poll(pace, now=now, since=NOW, expected=None, moves=False, in_flight=500, spread=job)
        polls[job] += 1
        heapq.heappush(due, (again, job))

    assert most_within(called, 1) <= POLLS_PER_SECOND + POLLS_AT_ONCE
    assert most_within(called, 60) <= 60 * POLLS_PER_SECOND + POLLS_AT_ONCE
    assert min(polls.values()) >= 3


def test_jobs_that_end_sooner_are_asked_about_sooner() -> None:
    """Within the same budget a job with a near estimate is read before one that has hours to go."""
    pace = PollPace(least=timedelta(seconds=2), most=timedelta(seconds=30))
    near, far = (
        next_poll(pace, now=NOW, since=NOW, expected=NOW + ends_in, moves=False, in_flight=20, spread=0)
        for ends_in in (timedelta(seconds=10), timedelta(hours=2))
    )

    assert near < far
