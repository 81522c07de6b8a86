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
#: How much longer each pause is than the one before it, once a job is late or while nothing tells when it will be over.
GROWTH = 1.5
#: One part of this many of its time by which a job has to be sooner than the provider's estimate to be expected sooner.
SOONER = 5
#: How much of the time that jobs like it took is waited before a job is first polled that nothing else is known of.
TYPICAL = 0.9
#: How many of the longest pauses an expected end has to be off for a look on the way, which comes after one part of
#: LOOK of the time, and after FIRST_LOOK of those pauses at the latest: what a provider estimates can be far too long.
FAR = 4
LOOK = 4
FIRST_LOOK = 10
#: Longest that an estimate keeps a job without any progress from counting as stalled: one that is put off for ever is
#: none.
TRUSTED = timedelta(hours=2)
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
    """The shortest pause between two polls of one job, and the longest once it is late."""

    least: timedelta
    most: timedelta


def expected_end(
    *, since: datetime, moved_at: datetime, done_by: datetime | None, share: float, typical: timedelta | None
) -> datetime | None:
    """Return when a job that was created at ``since`` is likely to be over, or was to be; None when nothing tells.

    The provider's estimate (``done_by``, Telnyx's ``etc``) counts, unless the ``share`` (0 to 1) of its numbers that
    had an outcome at ``moved_at``, when it last reported one, says that it will be over much sooner: how good such
    estimates are is documented nowhere (providers/telnyx/API.md, "Jobs"). Without one that share tells, and without an
    outcome how long jobs like it took, a little less, or they would seem to take longer each time.
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
    """Return when to poll a job again that was created at ``since``.

    It is polled when it is expected to be over, then after the shortest pause, and ever more rarely the further it is
    late; a job of which nothing tells when it will be over is late from the start. On the way to an end that is far off
    there is one look at whether it ``moves`` (has reported outcomes since the last poll), and while it does not, more,
    each after twice the time. With many jobs in flight those that are late wait their turn within the total rate.
    ``spread`` (any number, the same for one job) keeps jobs that were created together from being polled together.
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
    """Return when to poll a job again that is over, or gone, while numbers of it have no outcome."""
    return now + pace.least * min(GROWTH ** min(final_polls, ENOUGH), pace.most / pace.least)


def next_read_back(pace: PollPace, *, now: datetime, read_backs: int) -> datetime:
    """Return when numbers that were not yet as sent after ``read_backs`` reads are read again.

    After :data:`READ_BACKS` only those are left that the provider says it is working on.
    """
    longest = pace.most * (1 if read_backs < READ_BACKS else UNDER_WAY_STRETCH)
    return now + pace.least * min(READ_BACK_GROWTH ** min(read_backs - 1, ENOUGH), longest / pace.least)


def next_after_failed_read(pace: PollPace, *, now: datetime, failed: int) -> datetime:
    """Return when a read-back is tried again that has failed ``failed`` times in a row."""
    return now + pace.least * min(2.0 ** min(failed, ENOUGH), pace.most * FAILED_READ_STRETCH / pace.least)
