"""``linesman check``: whether everything is in place."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from bot.checks import check
from bot.commands import environment
from bot.config import name_cautions


def run(_: argparse.Namespace) -> int:
    """Print a line for each check."""
    return asyncio.run(check(environment.settings(), sys.stdout.write, cautions=name_cautions(os.environ)))
