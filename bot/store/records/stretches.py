"""Writing what many numbers of a change are given by few statements."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import bindparam

from bot.store.tables import operations

#: Where a row of :func:`stretches` is written.
STRETCH: Final = operations.c.position.between(bindparam("first"), bindparam("last"))


def stretches(given: Iterable[tuple[int, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return what is written at which positions, in one row for each stretch of neighbours that are given the same.

    Most numbers of a batch are neighbours and fare alike, and a thousand of them are written by one statement.
    """
    rows: list[dict[str, Any]] = []
    same: dict[str, Any] | None = None
    for position, columns in sorted(given, key=itemgetter(0)):
        if columns == same and rows[-1]["last"] == position - 1:
            rows[-1]["last"] = position
        else:
            rows.append({"first": position, "last": position, **columns})
            same = columns
    return rows
