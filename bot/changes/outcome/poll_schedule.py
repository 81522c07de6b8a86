"""When to ask about a job again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

#: Most polls per second of all jobs of one provider together. Telnyx documents no figure
#: (providers/telnyx/API.md, "Rate limits"); a few per second are far below any known limit and still show 20 jobs move
#: every five seconds.
POLLS_PER_SECOND = 4.0
#: Polls that may go out together before that rate holds.
POLLS_AT_ONCE = 8
#: How much longer each pause is than the one before it, while the provider gives no estimate.
GROWTH = 1.5
#: Polls after which a pause is as long as any: a stuck job can be polled thousands of times, and floats end.
ENOUGH = 100


#: How often numbers are read back before what differs counts as a difference: a provider may show a change late.
#: With pauses from two seconds to thirty that is a little over a minute; Telnyx documents nothing
#: (providers/telnyx/API.md, "Lists of numbers").
READ_BACKS = 5
#: How much longer each pause between two of them is than the one before it.
READ_BACK_GROWTH = 3.0
#: Failed reads in a row after which the numbers count as not verified. Each is itself tried for up to two minutes.
FAILED_READS = 8
#: Failed reads in a row after which operators are asked whether it is worth waiting: some minutes.
ASKING_READS = 3
#: How long numbers are read back of which the provider says that it still works on them. Telnyx documents no time for
#: emergency service; what takes longer than this needs a person, and the numbers are locked meanwhile.
UNDER_WAY = timedelta(hours=2)
#: How many times the longest pause between polls the pauses after failed reads grow to.
FAILED_READ_STRETCH = 4
#: How many times that pause the pauses are at most while the provider works on.
UNDER_WAY_STRETCH = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class PollPace:
    """The shortest and the longest pause between two polls of one job."""

    least: timedelta
    most: timedelta


def next_poll(
    pace: PollPace, *, now: datetime, polls: int, done_by: datetime | None, in_flight: int, spread: int
) -> datetime:
    """Return when to poll a job again.

    With an estimate (``done_by``, Telnyx's ``etc``) half of the remaining time is waited, so that polls get denser
    towards the end; an overdue or missing estimate backs off from the shortest pause to the longest. With many jobs
    in flight each waits its turn within the total rate. ``spread`` (any number, the same for one job) keeps jobs that
    were created together from being polled together.
    """
    if done_by is not None and done_by > now:
        pause = (done_by - now) / 2
    else:
        pause = pace.least * min(GROWTH ** min(polls, ENOUGH), pace.most / pace.least)
    pause = min(max(pause, pace.least), pace.most)
    turn = timedelta(seconds=in_flight / POLLS_PER_SECOND)
    pause = max(pause, turn)
    return now + pause + pause * ((spread * 0.618) % 1) * 0.1


def next_read_back(pace: PollPace, *, now: datetime, read_backs: int) -> datetime:
    """Return when numbers that were not yet as sent after ``read_backs`` reads are read again.

    After :data:`READ_BACKS` only those are left that the provider says it is working on.
    """
    longest = pace.most * (1 if read_backs < READ_BACKS else UNDER_WAY_STRETCH)
    return now + pace.least * min(READ_BACK_GROWTH ** min(read_backs - 1, ENOUGH), longest / pace.least)


def next_after_failed_read(pace: PollPace, *, now: datetime, failed: int) -> datetime:
    """Return when a read-back is tried again that has failed ``failed`` times in a row."""
    return now + pace.least * min(2.0 ** min(failed, ENOUGH), pace.most * FAILED_READ_STRETCH / pace.least)
