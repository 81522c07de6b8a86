"""What people want in a trial: changes of any course, no two of which want the same numbers or values."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Final

from bot.sandbox.close import furnish
from tests.acceptance.faults.people import Wish
from tests.acceptance.stories import FORWARDING, PIN, REFERENCE, Line
from tests.acceptance.stories.staged import DANA, FIRST, MIA, OTTO, SECOND
from tests.acceptance.stories.story import Named
from tests.acceptance.stories.telnyx import Settings

if TYPE_CHECKING:
    from tests.acceptance.stage import Stage

#: Who may hold everything back, and let it go on.
OPAL: Final = "U0OPAL"
#: Jobs of a change, and numbers of a job.
JOBS: Final = 3
NUMBERS: Final = 2
#: A setting with which a change is approved in stages.
STAGED: Final = "hd_voice_enabled"
#: Which number of a change its provider refuses, if it refuses one.
REFUSED: Final = 1
#: The reference that numbers have before a change that is to give it back.
HAD: Final = "Dallas"
#: What is typed about waves. Some pause after each of them, and some when a number has failed.
WAVES: Final = "2, 50 %, rest"
PAUSES: Final = ("", "ask")
THRESHOLDS: Final = ("", "1")
#: How often a change is to begin in a minute, and not at once.
LATER: Final = 0.04


class Course(Enum):
    """Which way a change goes."""

    PLAIN = "plain"
    WAVES = "in waves"
    TEMPORARY = "temporary"
    STAGED = "in stages"
    REVISED = "revised"
    CLOSE = "at Close"


#: How often each is drawn, compared with the others.
_OFTEN: Final = {
    Course.PLAIN: 3,
    Course.WAVES: 2,
    Course.TEMPORARY: 3,
    Course.STAGED: 3,
    Course.REVISED: 2,
    Course.CLOSE: 2,
}


class Everybody(Settings):
    """The people of a trial."""

    others: ClassVar = {MIA: "Mia", OTTO: "Otto", DANA: "Dana", OPAL: "Opal"}


class Rules(Everybody):
    """They, and the rule under which some changes are approved in stages; its pause is one that no real bot takes."""

    policy = f"""
[[rule]]
name = "in stages"
settings = ["{STAGED}"]
stages = [
  {{ name = "{FIRST}", approvers = ["{MIA}"], fallback_approvers = ["{OTTO}"], fallback_after = "1s" }},
  {{ name = "{SECOND}", approvers = ["{DANA}"] }},
]
"""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A change that somebody wants, and the way that it goes."""

    wish: Wish
    course: Course
    #: Whether the provider refuses one of its numbers.
    fails: bool
    #: The reference that is asked for at first where a plan is sent back.
    at_first: str = ""

    @property
    def first(self) -> Wish:
        """What is asked for at first."""
        values = self.wish.values
        return (
            replace(self.wish, values={**values, "customer_reference": self.at_first}) if self.at_first else self.wish
        )

    @property
    def mark(self) -> str:
        """The value that no other change gives to a number."""
        return self.wish.values.get("customer_reference") or self.wish.values["label"]

    @property
    def paused(self) -> bool:
        """Whether somebody may have to let it go on between its waves, also because a number failed."""
        return self.course is Course.WAVES


def courses(chance: random.Random, count: int) -> list[Course]:
    """Draw the ways of so many changes."""
    return chance.choices(list(_OFTEN), list(_OFTEN.values()), k=count)


def wanted(stage: Stage, chance: random.Random, drawn: list[Course]) -> list[Wanted]:
    """Give the accounts the numbers, and say what is wanted of them.

    A nested object is sent whole, so numbers that forward to different places go into different jobs. The provider
    fails one number of every third change.
    """
    at_close = _at_close(stage, drawn)
    made = []
    for number, course in enumerate(drawn):
        if course is Course.CLOSE:
            lines = [at_close.pop(0) for _ in range(JOBS * NUMBERS)]
            if number % 3 == 0 and stage.close is not None:
                stage.close.fail(lines[REFUSED].phone_number)
            wish = Wish(lines, {"label": f"{REFERENCE}-{number}"}, "close")
            made.append(Wanted(wish=wish, course=course, fails=number % 3 == 0))
            continue
        lines = _numbers(stage, number, course)
        values = {"customer_reference": f"{REFERENCE}-{number}", FORWARDING: "on-failure"}
        if course is not Course.TEMPORARY:
            values = {"external_pin": PIN, **values}
        if course is Course.STAGED:
            values[STAGED] = "true"
        besides = _besides(course, chance)
        at_first = f"{REFERENCE}-first-{number}" if course is Course.REVISED else ""
        wish = Wish(lines, values, besides=besides)
        made.append(Wanted(wish=wish, course=course, fails=number % 3 == 0, at_first=at_first))
    return made


def _numbers(stage: Stage, number: int, course: Course) -> list[Line]:
    lines: list[Line] = []
    for job in range(number * JOBS, (number + 1) * JOBS):
        forwarding = {"call_forwarding_enabled": True, "forwards_to": f"+1720555{job:04}"}
        voice = {"call_forwarding": {**forwarding, "forwarding_type": "always"}}
        start = f"+1303555{job * NUMBERS:04}"
        had = {"customer_reference": HAD} if course is Course.TEMPORARY else {}
        lines += stage.telnyx.add_numbers(NUMBERS, start=start, voice=voice, **had)
    if number % 3 == 0:
        pointer = "/customer_reference" if course is Course.TEMPORARY else "/external_pin"
        stage.telnyx.fail(lines[REFUSED].phone_number, detail="The field is invalid.", pointer=pointer)
    return lines


def _at_close(stage: Stage, drawn: list[Course]) -> list[Line]:
    if stage.close is None or Course.CLOSE not in drawn:
        return []
    furnish(stage.close, shared=drawn.count(Course.CLOSE) * JOBS * NUMBERS, own=0)
    return [Named(number.number, number.id) for number in stage.close.numbers.values() if number.is_group_number]


def _besides(course: Course, chance: random.Random) -> dict[str, str]:
    """Return what is typed besides values: when it is to end or to begin, and in which waves it goes."""
    besides = {"until": "in 4 hours"} if course is Course.TEMPORARY else {}
    if course is Course.WAVES:
        typed = {"canary": WAVES, "pause": chance.choice(PAUSES), "threshold": chance.choice(THRESHOLDS)}
        besides |= {name: text for name, text in typed.items() if text}
    if course is not Course.PLAIN and chance.random() < LATER:
        besides["start"] = "in 1 minute"
    return besides
