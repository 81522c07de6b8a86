"""When to poll a job again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

#: Most polls per second of all jobs of one provider together. Telnyx documents no figure
#: (providers/telnyx/API.md, "Rate limits"); a few per second are far below any known limit and still show 20 jobs move
#: every five seconds.
POLLS_PER_SECOND = 4.0
#: Polls that may go out together before that rate applies.
POLLS_AT_ONCE = 8
#: Factor between pauses, once a job is late or while nothing tells when it will end.
GROWTH = 1.5
#: Progress overrules the estimate only if it predicts an end earlier by 1/SOONER of the job's time.
SOONER = 5
#: Without an estimate, first poll after this share of the time that similar jobs took.
TYPICAL = 0.9
#: If the expected end is more than FAR longest pauses away, poll on the way: first after 1/LOOK of the time, at most
#: FIRST_LOOK longest pauses, because an estimate can be far too long.
FAR = 4
LOOK = 4
FIRST_LOOK = 10
#: Longest time for which an estimate keeps a job without progress from counting as stalled: an estimate that keeps
#: moving away is worth nothing.
TRUSTED = timedelta(hours=2)
#: Number of polls after which the pause grows no more: a stuck job can be polled thousands of times, and floats
#: overflow.
ENOUGH = 100


#: How often numbers are read back before a different value counts as a difference: a provider may show a change late.
#: With pauses from two seconds to thirty that is a little over a minute; Telnyx documents nothing
#: (providers/telnyx/API.md, "Lists of numbers").
READ_BACKS = 5
#: Factor between the pauses of two read-backs.
READ_BACK_GROWTH = 3.0
#: Failed reads in a row after which the numbers count as not verified. Each is itself tried for up to two minutes.
FAILED_READS = 8
#: Failed reads in a row after which operators are asked whether it is worth waiting: some minutes.
ASKING_READS = 3
#: How long numbers are read back that the provider says it still works on. Telnyx documents no time for emergency
#: service; anything longer needs a person, and the numbers are locked meanwhile.
UNDER_WAY = timedelta(hours=2)
#: Pauses after failed reads grow to this many times the longest pause between polls.
FAILED_READ_STRETCH = 4
#: Pauses grow to this many times that pause while the provider still works.
UNDER_WAY_STRETCH = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class PollPace:
    """The shortest pause between two polls of one job, and the longest once it is late."""

    least: timedelta
    most: timedelta


def expected_end(
    *, since: datetime, moved_at: datetime, done_by: datetime | None, share: float, typical: timedelta | None
) -> datetime | None:
    """Return when a job created at ``since`` is or was expected to end; None when nothing tells.

    The provider's estimate (``done_by``, Telnyx's ``etc``) counts, unless progress predicts a much earlier end:
    ``share`` (0 to 1) of its numbers had an outcome at ``moved_at``, when the job last reported one. How good such
    estimates are is documented nowhere (providers/telnyx/API.md, "Jobs"). Without an estimate, progress tells. Without
    progress, similar jobs tell: a little less than they took, because otherwise jobs would seem to take longer each
    time.
    """
    by_share = since + (moved_at - since) / share if share > 0 else None
    if done_by is not None:
        sooner = by_share is not None and by_share < done_by - (done_by - since) / SOONER
        return by_share if sooner else done_by
    if by_share is not None:
        return by_share
    return None if typical is None else since + typical * TYPICAL


def next_poll(
    pace: PollPace,
    *,
    now: datetime,
    since: datetime,
    expected: datetime | None,
    moves: bool,
    in_flight: int,
    spread: int,
) -> datetime:
    """Return when to poll again a job created at ``since``.

    It is polled at its expected end, then after the shortest pause, and ever more rarely the later it gets. A job
    without an expected end is late from the start. On the way to a distant end there is one poll to see whether it
    ``moves`` (has reported outcomes since the last poll); while it does not, more polls follow, each after twice the
    time. With many jobs in flight, late ones take turns within the total rate. ``spread`` (any number, constant per
    job) keeps jobs created together from being polled together.
    """
    if expected is not None and expected > now:
        pause = remaining = expected - now
        if remaining > pace.most * FAR and not moves:
            pause = min(remaining, max(remaining / LOOK, now - since))
            pause = min(pause, max(pace.most * FIRST_LOOK, now - since))
        pause = max(pause, pace.least)
    else:
        late = now - (since if expected is None else expected)
        pause = min(max(late * (GROWTH - 1), pace.least), pace.most)
        pause = max(pause, timedelta(seconds=in_flight / POLLS_PER_SECOND))
    return now + pause + min(pause, pace.least) * ((spread * 0.618) % 1) * 0.1


def next_final_poll(pace: PollPace, *, now: datetime, final_polls: int) -> datetime:
    """Return when to poll again a job that is over or gone, while some of its numbers have no outcome."""
    return now + pace.least * min(GROWTH ** min(final_polls, ENOUGH), pace.most / pace.least)


def next_read_back(pace: PollPace, *, now: datetime, read_backs: int) -> datetime:
    """Return when to read again numbers that were not yet as sent after ``read_backs`` reads.

    After :data:`READ_BACKS` reads, only numbers are left that the provider says it is working on.
    """
    longest = pace.most * (1 if read_backs < READ_BACKS else UNDER_WAY_STRETCH)
    return now + pace.least * min(READ_BACK_GROWTH ** min(read_backs - 1, ENOUGH), longest / pace.least)


def next_after_failed_read(pace: PollPace, *, now: datetime, failed: int) -> datetime:
    """Return when to try again a read-back that has failed ``failed`` times in a row."""
    return now + pace.least * min(2.0 ** min(failed, ENOUGH), pace.most * FAILED_READ_STRETCH / pace.least)
