"""``linesman manifest``: the app's description for Slack."""

from __future__ import annotations

import argparse
import json
import sys

from bot.commands import OK
from bot.slack.manifest import manifest


def options(parser: argparse.ArgumentParser) -> None:
    """Declare how Slack reaches the bot."""
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--socket-mode", action="store_true", help="for Socket Mode, which needs no public address (default)"
    )
    how.add_argument("--url", help="for HTTP: the https address at which Slack reaches the bot")


def run(parsed: argparse.Namespace) -> int:
    """Print the manifest as JSON."""
    shown = manifest(socket_mode=parsed.url is None, url=parsed.url)
    sys.stdout.write(json.dumps(shown, indent=2, ensure_ascii=False) + "\n")
    return OK
