"""Rollouts: a change in waves. How large each wave is, what comes between two, and when trouble pauses them.

The canary is the simplest rollout: a first wave, then the rest, which follows by itself if the first is as approved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from itertools import accumulate
from typing import Final

from bot.changes.text.counts import counted

#: Most waves of one rollout, including the rest: each costs a read-back, and somebody's attention.
MOST_WAVES: Final = 10
#: The whole, in hundredths of a per cent.
WHOLE: Final = 100_00

_MINUTE: Final = timedelta(minutes=1)
#: Units of a length of time, largest first, with their minutes.
_UNITS: Final = (("day", 1440), ("hour", 60), ("minute", 1))


class PauseReason(Enum):
    """Why a rollout is paused."""

    TROUBLE = "trouble"  #: a wave is not as approved; somebody must decide whether the next is sent
    ASKED = "asked"  #: the wave is as approved, and the plan lets somebody decide about the next
    TIMED = "timed"  #: the wave is as approved, and the plan lets the next one wait


@dataclass(frozen=True, slots=True)
class WaveSize:
    """The size of a wave: a count of numbers, or a share of all changing numbers."""

    count: int = 0
    #: In hundredths of a per cent.
    share: int = 0

    def of(self, total: int) -> int:
        """Return how many of ``total`` numbers that is; a share is rounded up, so that it is never zero."""
        return self.count or -(-total * self.share // WHOLE)


@dataclass(frozen=True, slots=True)
class Pause:
    """What comes between two waves when the first is as approved; by default nothing."""

    #: Whether somebody must continue the rollout.
    asks: bool = False
    #: How long until the next wave follows; whole minutes.
    length: timedelta = timedelta()

    def __str__(self) -> str:
        """Return the length in words, such as ``1 hour 30 minutes``."""
        minutes, words = self.length // _MINUTE, []
        for unit, size in _UNITS:
            count, minutes = divmod(minutes, size)
            words += [counted(count, unit)] if count else []
        return " ".join(words)


@dataclass(frozen=True, slots=True)
class Threshold:
    """How many numbers of a wave may fail, differ or not be verified before the rollout pauses; by default none."""

    count: int = 0
    #: In hundredths of a per cent of the wave; 0 if ``count`` is set.
    share: int = 0

    def exceeded(self, bad: int, size: int) -> bool:
        """Tell whether ``bad`` numbers of a wave of ``size`` are more than allowed."""
        return bad * WHOLE > self.share * size if self.share else bad > self.count

    def __str__(self) -> str:
        """Return the threshold as people write it: ``1 %`` or ``5``."""
        return percent(self.share) if self.share else f"{self.count:,}"


@dataclass(frozen=True, slots=True)
class Rollout:
    """What happens between the waves of a plan; the default is that of a canary."""

    pause: Pause = field(default_factory=Pause)
    threshold: Threshold = field(default_factory=Threshold)


def percent(share: int) -> str:
    """Return hundredths of a per cent as people write them: ``2.5 %``."""
    return f"{share / 100:.2f}".rstrip("0").rstrip(".") + " %"


def wave_sizes(wanted: Sequence[WaveSize], total: int) -> tuple[int, ...]:
    """Return how many of ``total`` numbers are in each wave: the ``wanted`` waves in order, then the rest.

    They add up to ``total``, and none is empty: a wave gets at most the numbers that earlier ones have left, and waves
    for which none is left are dropped.
    """
    ends = [min(end, total) for end in accumulate(size.of(total) for size in wanted)]
    sizes = (end - begin for begin, end in zip([0, *ends], [*ends, total], strict=True))
    return tuple(size for size in sizes if size)
