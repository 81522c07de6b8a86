"""``linesman demo``: two changes against stand-ins."""

from __future__ import annotations

import argparse
import asyncio

from bot.sandbox.demo.story import play


def run(_: argparse.Namespace) -> int:
    """Play the story to its end."""
    return asyncio.run(play())
