"""``linesman serve``: run the bot until it is asked to stop."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import threading

import structlog

from bot.commands import FAILED, OK, environment
from bot.config import Settings, cautions_of, name_cautions
from bot.process import keep_little, replica_name
from bot.wiring import running

log = structlog.get_logger(__name__)

#: Seconds for which ``/readyz`` reports the stop before anything is refused, so that load balancers send clicks
#: elsewhere. Work is wound down meanwhile.
NOTICE = 1.0
#: Longest time in seconds for a stop. A hanging name server or disk is not waited for: supervisors kill the process
#: after ten, and being killed at any instant loses nothing.
STOPS_WITHIN = 9.0


def run(_: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT; 1 when the worker broke."""
    keep_little()
    replica = replica_name()
    settings = environment.settings(replica)
    log.info("configuration", variables=settings.redacted())
    for warning in (*cautions_of(settings), *name_cautions(os.environ)):
        log.warning(warning)
    return asyncio.run(_until_signal(settings, replica))


async def _until_signal(settings: Settings, replica: str) -> int:
    stop = asyncio.Event()
    started = asyncio.Event()
    loop, me = asyncio.get_running_loop(), asyncio.current_task()

    def asked_to_stop() -> None:
        log.info("stopping")
        _insist(loop)
        stop.set()
        if not started.is_set() and me is not None:
            me.cancel()  # still starting, perhaps waiting for Slack: there is no work to wind down

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked_to_stop)
    try:
        async with running(settings, replica=replica) as bot:
            started.set()
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({stopping, bot.working}, return_when=asyncio.FIRST_COMPLETED)
            broke = not stop.is_set()
            stopping.cancel()
            bot.retire()
            if not broke:
                await asyncio.sleep(NOTICE)
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
        return OK
    return FAILED if broke else OK


def _insist(loop: asyncio.AbstractEventLoop) -> None:
    """End the process if it has not stopped in time, and log what it was doing."""

    def end() -> None:
        frames = [frame for task in asyncio.all_tasks(loop) for frame in task.get_stack(limit=1)]
        at = sorted({f"{frame.f_code.co_qualname} ({frame.f_code.co_filename}:{frame.f_lineno})" for frame in frames})
        log.error("did not stop in time, and was ended", seconds=STOPS_WITHIN, at=at)
        os._exit(FAILED)

    timer = threading.Timer(STOPS_WITHIN, end)
    timer.daemon = True
    timer.start()
