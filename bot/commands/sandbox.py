"""``linesman sandbox``: a workspace in the browser, with the real bot in it."""

from __future__ import annotations

import argparse
import asyncio
import errno
from typing import Final

from bot.commands import OK
from bot.errors import LinesmanError, PortUnavailable
from bot.slack.commands import COMMAND, COMMANDS
from bot.slack.manifest import manifest

PORT: Final = 8080


def options(parser: argparse.ArgumentParser) -> None:
    """Declare where the page is, and whether it opens by itself."""
    parser.add_argument(
        "--port", type=int, default=PORT, help="port of the page (default: %(default)s; 0: any free one)"
    )
    parser.add_argument("--no-browser", action="store_true", help="do not open the page")


def run(parsed: argparse.Namespace) -> int:
    """Serve the page; raises LinesmanError where the stand-ins are not installed, as in the image."""
    try:
        from bot.sandbox.page import run as page  # noqa: PLC0415 - what is not there is said, below
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("bot.sandbox"):
            raise
        raise LinesmanError(
            "The sandbox is not part of a server's image: start it from a clone, see the README."
        ) from error
    commands = [
        {"text": f"{COMMAND} {command.word}", "arguments": command.arguments, "help": command.help}
        for command in COMMANDS
    ]
    shortcuts = [
        {"callback_id": each["callback_id"], "name": each["name"], "kind": each["type"]}
        for each in manifest(socket_mode=True, url=None)["features"]["shortcuts"]
    ]
    serving = page.run(port=parsed.port, browser=not parsed.no_browser, shortcuts=shortcuts, commands=commands)
    try:
        asyncio.run(serving)
    except OSError as error:
        raise _unavailable(parsed.port, error) from error
    return OK


def _unavailable(port: int, error: OSError) -> OSError | PortUnavailable:
    """Return what to say of a port that cannot be had."""
    match error.errno:
        case errno.EADDRINUSE:
            return PortUnavailable(
                f"Another program uses port {port}: stop it, or give another one, such as --port {port + 1}."
            )
        case errno.EACCES | errno.EPERM:
            return PortUnavailable(f"This user may not listen on port {port}: give one above 1023, as {PORT}.")
        case _:
            return error
