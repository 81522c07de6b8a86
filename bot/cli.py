"""The door: ``linesman COMMAND``.

A command's module is imported only for that command: listing the commands needs nothing of their code.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from importlib import import_module
from importlib.metadata import version
from typing import Any, Final, TextIO, cast

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
        with _output():
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


class _Output:
    """Standard output whose failure is a sentence and no traceback: the disk is full, or nobody reads."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write ``text``; raises LinesmanError."""
        with self._explained():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Have everything arrive; raises LinesmanError."""
        with self._explained():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        return getattr(self._stream, name)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            with suppress(OSError, ValueError):  # what is still in its buffer must not fail once more at the end
                os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            raise LinesmanError(f"Cannot write to standard output: {error.strerror}.") from error


@contextmanager
def _output() -> Iterator[None]:
    """Have whatever the block prints arrive before it ends."""
    output = _Output(sys.stdout or _closed())
    with redirect_stdout(cast("TextIO", output)):
        try:
            yield
        finally:
            output.flush()


def _closed() -> TextIO:
    """Return what takes nothing, in the place of the closed output: the next file would be taken for it otherwise."""
    while (place := os.open(os.devnull, os.O_RDONLY)) < 1:
        pass
    return os.fdopen(place, "w", encoding="utf-8")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
