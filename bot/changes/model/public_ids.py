"""The id of a change as people write and read it."""

from __future__ import annotations

import re
from typing import Final

#: Prefix of a change's number wherever a person reads it.
PREFIX = "CHG-"
_QUOTES: Final = "`*_\"'\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb("
_DASHES: Final = "\\-_\u2010-\u2015\u2212"
#: An id as people type and paste it: with any dash, blanks, quotation marks, or a full stop after it.
_WRITTEN: Final = re.compile(
    rf"[\s{_QUOTES}]*(?:{PREFIX.rstrip('-')}[\s{_DASHES}]*)?#?([0-9]{{1,11}})(?!\d)[{_QUOTES}.,;:!?)]*(?:\s+(.*)|$)",
    re.IGNORECASE | re.DOTALL,
)


def public_id(change: int) -> str:
    """Return the id that people use: ``CHG-42``."""
    return f"{PREFIX}{change}"


def read_public_id(text: str) -> int | None:
    """Return the number in ``CHG-42``, ``chg 42``, ``“CHG-42”.``, ``#42`` or ``42``; None for anything else."""
    change, rest = named_first(text)
    return None if rest else change


def named_first(text: str) -> tuple[int | None, str]:
    """Return the number of the change at the beginning of ``text``, None without one, and the rest."""
    found = _WRITTEN.match(text)
    return (int(found[1]), (found[2] or "").strip()) if found else (None, text.strip())
