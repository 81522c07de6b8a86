"""``linesman sandbox``: a workspace in the browser, with the real bot in it."""

from __future__ import annotations

import argparse
import asyncio
import errno
from typing import Final

from bot.clients import OFFERS
from bot.commands import OK
from bot.errors import LinesmanError, PortUnavailable
from bot.slack.commands import COMMAND, COMMANDS
from bot.slack.manifest import manifest

PORT: Final = 8080
LAST_PORT: Final = 65_535


def options(parser: argparse.ArgumentParser) -> None:
    """Declare the port of the page, and whether it opens by itself."""
    parser.add_argument(
        "--port", type=_port, default=PORT, help="port of the page (default: %(default)s; 0: any free one)"
    )
    parser.add_argument("--no-browser", action="store_true", help="do not open the page")


def run(parsed: argparse.Namespace) -> int:
    """Serve the page; raises LinesmanError if the stand-ins are not installed, as in the image."""
    try:
        from bot.sandbox.page import run as page  # noqa: PLC0415 - what is not there is said, below
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("bot.sandbox"):
            raise
        raise LinesmanError(
            "The sandbox is not part of a server's image: start it from a clone, see the README."
        ) from error
    serving = page.run(
        port=parsed.port,
        browser=not parsed.no_browser,
        shortcuts=declared_shortcuts(),
        commands=declared_commands(),
    )
    try:
        asyncio.run(serving)
    except OSError as error:
        raise _unavailable(parsed.port, error) from error
    return OK


def declared_shortcuts() -> list[dict[str, str]]:
    """Return the app's shortcuts, for the page."""
    shortcuts = manifest(socket_mode=True, url=None)["features"]["shortcuts"]
    return [{"callback_id": each["callback_id"], "name": each["name"], "kind": each["type"]} for each in shortcuts]


def declared_commands() -> list[dict[str, str]]:
    """Return all texts for the slash command, for the page's hints."""
    kinds = [(kind.command, "", kind.title) for offer in OFFERS for kind in offer.kinds]
    words = [(command.word, command.arguments, command.help) for command in COMMANDS]
    return [
        {"text": f"{COMMAND} {word}", "arguments": arguments, "help": meaning}
        for word, arguments, meaning in (*kinds, *words)
    ]


def _port(text: str) -> int:
    """Return the port; raises ArgumentTypeError for an impossible number."""
    if not text.isdecimal() or int(text) > LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: give a number from 0 to {LAST_PORT}")
    return int(text)


def _unavailable(port: int, error: OSError) -> OSError | PortUnavailable:
    """Return the error for a port that is not available."""
    match error.errno:
        case errno.EADDRINUSE:
            return PortUnavailable(
                f"Another program uses port {port}: stop it, or give another one, such as --port {port + 1}."
            )
        case errno.EACCES | errno.EPERM:
            return PortUnavailable(f"This user may not listen on port {port}: give one above 1023, as {PORT}.")
        case _:
            return error
