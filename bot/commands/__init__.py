"""The commands of the command line: one module each, imported on demand.

A module has ``run(parsed) -> int``, which returns the exit status, and ``options(parser)`` if it has any.
"""

from __future__ import annotations

#: Exit statuses.
OK, FAILED, MISCONFIGURED = 0, 1, 2
