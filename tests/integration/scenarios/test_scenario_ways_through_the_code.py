"""How many files somebody reads who follows one thing through the code: a count, taken with the interpreter's hook.

A file counts when something in it is called besides a constructor, for the thing itself: the messages that tell of it,
the Home tab, the care for leases and the sweep go on beside it. The bounds are what was counted, 88 and 90, and a few
more, for a wait or a second attempt in between; they may be lowered. The storage, the provider's client and the policy
are most of both. The files of either hold some 14,000 lines, so that with modules of at most 250 lines it cannot be
below 55 files.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Final

import pytest

import bot
from tests.integration.scenarios.stage import Stage

ROOT: Final = f"{Path(bot.__file__).parent}/"
#: The stand-ins run in the same process, and are no part of the product.
STAND_INS: Final = f"{ROOT}sandbox/"
#: What runs in tasks of its own beside any walk.
BESIDE: Final = frozenset(
    {
        "Background._repeat",
        "Worker._loop",
        "Worker._renew",
        "ClaimedMessages.send",
        "ClockWatch.run",
        "Connections._accept",
    }
)
#: Files from the press of the form's button to the plan that is ready, and from Approve to the first job.
TO_THE_PLAN: Final = 92
TO_THE_FIRST_JOB: Final = 97


class Walk:
    """Notes the files of the product that are passed through, in whichever thread."""

    def __init__(self) -> None:
        self.passed: set[str] = set()
        self.under_way = False

    def note(self, frame: FrameType, event: str, _: object) -> None:
        """Take one event of the interpreter."""
        file = frame.f_code.co_filename
        if self.under_way and event == "call" and file.startswith(ROOT) and not file.startswith(STAND_INS):
            made = frame.f_code.co_name in {"__init__", "__post_init__", "<lambda>", "<module>"}
            if not made and _task() not in BESIDE:
                self.passed.add(file.removeprefix(ROOT))


def _task() -> str:
    try:
        task = asyncio.current_task()
    except RuntimeError:  # a thread without a loop
        return ""
    return getattr(task.get_coro(), "__qualname__", "") if task else ""


@pytest.fixture
def walk() -> Iterator[Walk]:
    """Watch the interpreter from before the bot starts, so that each of its threads is watched."""
    made = Walk()
    threading.setprofile(made.note)
    sys.setprofile(made.note)
    try:
        yield made
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


async def test_the_walk_from_a_pasted_list_to_a_plan(walk: Walk, stage: Stage) -> None:
    """Reading the form, the numbers, the provider and the policy, and what becomes of them."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    await stage.open()
    await stage.fill(numbers, {"customer_reference": "Denver"}, "why")
    walk.under_way = True

    await stage.send()
    await stage.planned()

    walk.under_way = False
    assert len(walk.passed) <= TO_THE_PLAN, "\n".join(sorted(walk.passed))


async def test_the_walk_from_an_approve_click_to_the_first_job(walk: Walk, stage: Stage) -> None:
    """The decision, the start with its checks, and the submission."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    change = await stage.ask(numbers)
    await stage.quiet()
    card = stage.request_card(change)
    walk.under_way = True

    await stage.max.click("approve", message=card)
    await stage.telnyx.wait_for(lambda: bool(stage.created()))

    walk.under_way = False
    assert len(walk.passed) <= TO_THE_FIRST_JOB, "\n".join(sorted(walk.passed))
