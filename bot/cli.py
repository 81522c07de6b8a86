"""The door: ``linesman COMMAND``.

A command's module is imported only for that command: listing the commands needs nothing of their code.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Final

from bot.changes.text.counts import counted
from bot.commands import FAILED, MISCONFIGURED
from bot.errors import ConfigurationError, InputError, LinesmanError

#: Each command, which is a module of :mod:`bot.commands`, and its purpose.
COMMANDS: Final[Mapping[str, str]] = {
    "serve": "Run the bot.",
    "demo": "Play two changes against stand-ins for Slack, Telnyx and Close; needs no account.",
    "sandbox": "Play it yourself, in the browser, against the same stand-ins; needs no account.",
    "manifest": "Print the Slack app manifest, ready to paste.",
    "check": "Check the configuration, Slack and the providers.",
    "policy": "Print a policy file to begin with.",
    "migrate": "Upgrade the database to this version, or move everything from SQLite to PostgreSQL.",
    "backup": "Copy the SQLite database to a file, also while the bot runs.",
    "restore": "Put a backup in the place of the SQLite database.",
    "export": "Export the audit log, or prove that nobody changed it.",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status; ``sys.argv`` when ``arguments`` is None."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        parsed = _parser(next((each for each in given if each in COMMANDS), "")).parse_args(given)
        status: int = parsed.run(parsed)
    except ConfigurationError as error:
        for problem in error.problems:
            _say(f"✗ {problem}")
        count = len(error.problems)
        _say(f"\n{counted(count, 'problem')} to fix; nothing was started.")
        return MISCONFIGURED
    except InputError as error:
        _say(f"✗ {error.message}")
        return MISCONFIGURED
    except LinesmanError as error:
        _say(f"✗ {error.message}")
        return FAILED
    except KeyboardInterrupt:
        return 130
    return status


def _parser(chosen: str) -> argparse.ArgumentParser:
    """Return the parser of the command line, with all commands and the options of the ``chosen`` one."""
    parser = argparse.ArgumentParser(
        prog="linesman", description="Change phone numbers in bulk from Slack: approved, verified, accounted for."
    )
    parser.add_argument("--version", action="version", version=f"linesman {version('linesman')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        sub = commands.add_parser(name, help=text, description=text)
        if name == chosen:
            module = import_module(f"bot.commands.{name}")
            sub.set_defaults(run=module.run)
            if hasattr(module, "options"):
                module.options(sub)
    return parser


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
