"""The commands of the command line: one module each, imported on demand.

A module has ``run(parsed) -> int``, which returns the exit status, and ``options(parser)`` if it has any.
"""

from __future__ import annotations

import sys

from bot.errors import LinesmanError

#: Exit statuses.
OK, FAILED, MISCONFIGURED = 0, 1, 2


def report(text: str) -> int:
    """Say what was done, and return OK: where standard output takes nothing, on standard error, for it is done."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except LinesmanError as error:
        sys.stderr.write(f"{text}{error.message}\n")
    return OK
