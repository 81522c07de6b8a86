"""Rollouts: a change in waves. How large each wave is, what comes between two, and when one is bad enough to pause.

The canary is the simplest one: a first wave, and the rest, which follows by itself when the first is as approved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from itertools import accumulate
from typing import Final

#: Waves of one rollout at most, the rest included: each costs a read-back, and somebody's attention.
MOST_WAVES: Final = 10
#: A whole, in hundredths of a per cent.
WHOLE: Final = 100_00

_MINUTE: Final = timedelta(minutes=1)
#: Units of a length of time, the largest first, and how many minutes each has.
_UNITS: Final = (("day", 1440), ("hour", 60), ("minute", 1))


class PauseReason(Enum):
    """Why a rollout is paused."""

    TROUBLE = "trouble"  #: a wave is not as approved; somebody has to say whether the next is sent
    ASKED = "asked"  #: the wave is as approved, and the plan has somebody say whether the next is sent
    TIMED = "timed"  #: the wave is as approved, and the plan has the next one wait


@dataclass(frozen=True, slots=True)
class WaveSize:
    """How large a wave is to be: a number of numbers, or a share of all that change."""

    count: int = 0
    #: In hundredths of a per cent.
    share: int = 0

    def of(self, total: int) -> int:
        """Return how many numbers that is of ``total``; a share is rounded up, so that it is never none."""
        return self.count or -(-total * self.share // WHOLE)


@dataclass(frozen=True, slots=True)
class Pause:
    """What comes between two waves when the first of them is as approved; nothing, unless it says so."""

    #: Whether somebody has to continue the rollout.
    asks: bool = False
    #: After how long the next wave follows; whole minutes.
    length: timedelta = timedelta()

    def __str__(self) -> str:
        """Return the length in words, such as ``1 hour 30 minutes``."""
        minutes, words = self.length // _MINUTE, []
        for unit, size in _UNITS:
            count, minutes = divmod(minutes, size)
            words += [f"{count} {unit}{'' if count == 1 else 's'}"] if count else []
        return " ".join(words)


@dataclass(frozen=True, slots=True)
class Threshold:
    """How many numbers of a wave may fail, differ or not be verified before the rollout pauses; none by default."""

    count: int = 0
    #: In hundredths of a per cent of the wave; 0 where ``count`` says it.
    share: int = 0

    def exceeded(self, bad: int, size: int) -> bool:
        """Tell whether ``bad`` numbers of a wave of ``size`` are more than may be."""
        return bad * WHOLE > self.share * size if self.share else bad > self.count

    def __str__(self) -> str:
        """Return it as people write it: ``1 %`` or ``5``."""
        return percent(self.share) if self.share else f"{self.count:,}"


@dataclass(frozen=True, slots=True)
class Rollout:
    """What happens between the waves of a plan; as it is by default, that is what it is for a canary."""

    pause: Pause = field(default_factory=Pause)
    threshold: Threshold = field(default_factory=Threshold)


def percent(share: int) -> str:
    """Return hundredths of a per cent as people write them: ``2.5 %``."""
    return f"{share / 100:.2f}".rstrip("0").rstrip(".") + " %"


def wave_sizes(wanted: Sequence[WaveSize], total: int) -> tuple[int, ...]:
    """Return how many of ``total`` numbers are in each wave: those of ``wanted``, in order, and then the rest.

    Together they are ``total``, and none is empty: a wave has what the ones before it have left at most, and those for
    which nothing is left there are not.
    """
    ends = [min(end, total) for end in accumulate(size.of(total) for size in wanted)]
    sizes = (end - begin for begin, end in zip([0, *ends], [*ends, total], strict=True))
    return tuple(size for size in sizes if size)
