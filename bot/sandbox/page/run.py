"""Running the sandbox until somebody has seen enough."""

from __future__ import annotations

import asyncio
import signal
import sys
import webbrowser
from collections.abc import Sequence
from contextlib import suppress

from bot.sandbox.page.sandbox import Sandbox
from bot.sandbox.slack.records import Json


async def run(*, port: int, browser: bool, shortcuts: Sequence[Json], commands: Sequence[Json]) -> None:
    """Serve the page until Ctrl-C, SIGTERM or SIGHUP; raises OSError when the port is taken."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    async with Sandbox(port=port, shortcuts=shortcuts, commands=commands) as sandbox:
        sys.stdout.write(f"The sandbox is at {sandbox.url}\nCtrl-C ends it, and nothing of it stays.\n")
        sys.stdout.flush()
        if browser:
            await asyncio.to_thread(_show, sandbox.url)
        await stop.wait()


def _show(url: str) -> None:
    """Open the page in a window of its own; a browser that would take over the terminal is left alone."""
    with suppress(webbrowser.Error):
        found = webbrowser.get()
        if type(found) is not webbrowser.GenericBrowser:
            found.open(url)
