"""Whether changes in waves went as they were planned: one wave after the other, and each let go by whoever had to."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from bot.sandbox.telnyx import Job
from tests.acceptance.replicas.steps import ITSELF, Step
from tests.acceptance.replicas.wishes import Wanted

#: How many numbers are in each wave.
SIZES: Final = (2, 3, 1)


def assert_they_follow_each_other(wanted: Wanted, jobs: Sequence[Job]) -> None:
    """No job of a wave began before all of the wave before had ended."""
    numbers = [number.id for number in wanted.wish.numbers]
    waves: list[list[Job]] = []
    for size in SIZES:
        ids, numbers = set(numbers[:size]), numbers[size:]
        waves.append([job for job in jobs if {operation.id for operation in job.operations} <= ids])
    assert sum(map(len, waves)) == len(jobs), "no job is of two waves"
    for earlier, later in pairwise(waves):
        assert not later or earlier
        assert all(one.updated_at <= other.created_at for one in earlier for other in later)


def assert_each_was_let_go(steps: Sequence[Step], wanted: Wanted) -> None:
    """Check that a wave that asks for somebody was let go by somebody, and every other one by the bot itself.

    The steps of a change come in their order. The bot goes on by itself when nothing in the plan asks for a pause and
    no more numbers have failed than may: then there is no pause to be seen either. It never ends a pause itself,
    because no change of a trial pauses for a length of time.
    """
    waits, sent, let_go = False, 1, 1
    for step in steps:
        match step.what:
            case "paused" | "paused_as_planned":
                assert not waits, "it paused while it was paused"
                troubled = let_go == 1 and _fails_too_often(wanted)
                assert (step.what == "paused") is troubled, "it paused for another reason than it says"
                assert troubled or _asks(wanted), "nobody was to be asked"
                waits = True
            case "continued":
                assert waits is (step.actor != ITSELF), f"{step.actor} let it go on"
                assert waits or not _asks(wanted), "somebody was to be asked"
                assert waits or not (let_go == 1 and _fails_too_often(wanted)), "too many have failed to go on"
                waits, let_go = False, let_go + 1
            case "wave_started" | "rest_started":
                assert not waits, "a wave was sent while it was paused"
                sent += 1
                assert sent == let_go, "each wave is sent once, and only when it was let go"


def _asks(wanted: Wanted) -> bool:
    return wanted.wish.besides.get("pause") == "ask"


def _fails_too_often(wanted: Wanted) -> bool:
    """Tell whether the number that its provider refuses, in the first wave, is one more than may fail."""
    return wanted.fails and "threshold" not in wanted.wish.besides
