"""What the command line can do: one module a command, imported when it is asked for.

A module has ``run(parsed) -> int``, which returns the exit status, and ``options(parser)`` when it takes any.
"""

from __future__ import annotations

#: Exit statuses.
OK, FAILED, MISCONFIGURED = 0, 1, 2
