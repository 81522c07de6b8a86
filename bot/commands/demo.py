"""``linesman demo``: two changes against stand-ins."""

from __future__ import annotations

import argparse
import asyncio

from bot.errors import LinesmanError


def run(_: argparse.Namespace) -> int:
    """Play the story to its end; raises LinesmanError if the stand-ins are not installed, as in the image."""
    try:
        from bot.sandbox.demo.story import play  # noqa: PLC0415 - what is not there is said, below
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith(("bot.sandbox", "rich")):
            raise
        raise LinesmanError(
            "The demo is not part of a server's image: play it from a clone, see the README."
        ) from error
    return asyncio.run(play())
