"""``linesman policy``: an initial policy file."""

from __future__ import annotations

import argparse
import sys

from bot.commands import OK
from bot.config.policy.example import EXAMPLE


def options(parser: argparse.ArgumentParser) -> None:
    """Declare the only thing that can be printed."""
    parser.add_argument("--example", action="store_true", required=True, help="print one that shows every key")


def run(_: argparse.Namespace) -> int:
    """Print the example."""
    sys.stdout.write(EXAMPLE)
    return OK
