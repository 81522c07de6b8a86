"""The story: Ana moves 2,500 numbers to another PBX, Max approves, and every number is accounted for."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.text import Text

from bot.sandbox.bot_process import BotEndedError
from bot.sandbox.demo.acts import Acts
from bot.sandbox.demo.evidence import gather
from bot.sandbox.demo.reckoning import reckon
from bot.sandbox.demo.screen import Screen
from bot.sandbox.demo.stage import DemoStage
from bot.sandbox.slack import StandInRefused

#: Seconds for the whole story; it takes a twelfth of it on a quiet machine.
LONGEST: Final = 240.0
#: Lines of the bot's log that are shown when something went wrong.
TAIL: Final = 25


async def play() -> int:
    """Play the story on standard output and return the exit status: 0 when every promise was kept."""
    with _ended_by_signals() as ended_by:
        try:
            async with DemoStage() as stage:
                return await tell(stage, Screen(sys.stdout, stage.world.slack))
        except asyncio.CancelledError:
            if not ended_by:
                raise
            return 128 + ended_by[0]


async def tell(stage: DemoStage, screen: Screen) -> int:
    """Play the story on a stage and return the exit status; what breaks it off is explained on the screen."""
    acts = Acts(stage, screen)
    try:
        async with asyncio.timeout(LONGEST):
            clicks = await acts.play()
            curtain = await stage.curtain()
    except (TimeoutError, BotEndedError, StandInRefused) as error:
        _explain(stage, screen, error)
        return 1
    evidence = gather(stage.world, stage.team, clicks, secrets=stage.secrets, log=curtain.log, ending=curtain.ending)
    return reckon(evidence, screen)


def _explain(stage: DemoStage, screen: Screen, error: Exception) -> None:
    """Say what was waited for when the story broke off, and what the bot had to say."""
    when = "" if isinstance(error, StandInRefused) else f" while waiting for {stage.awaited}"
    screen.show("", Text(f"✘ The story broke off{when}.", style="bold red"))
    screen.show(Text(str(error) or f"It took longer than {LONGEST:g} seconds in all."))
    tail = stage.bot.log().splitlines()[-TAIL:]
    screen.show("", Text(f"The last {len(tail)} lines of the bot's log:" if tail else "The bot's log is empty."))
    screen.show(*(Text(line, style="bright_black") for line in tail))


@contextmanager
def _ended_by_signals() -> Iterator[list[int]]:
    """Let SIGTERM and SIGHUP end the story as Ctrl-C does, with everything put away; yield which of them came."""
    came: list[int] = []
    loop, me = asyncio.get_running_loop(), asyncio.current_task()

    def end(number: int) -> None:
        came.append(number)
        if me is not None:
            me.cancel()

    numbers = (signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, end, number)
    try:
        yield came
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
