"""Counts in sentences: a number with its noun, and the first few of many things."""

from __future__ import annotations

from collections.abc import Sequence


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return ``1 number`` or ``1,200 numbers``.

    ``plural`` is needed if it takes more than an s: ``counted(2, "number waits", "numbers wait")``.
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def first_few(things: Sequence[str], most: int, *, between: str = ", ", more: int | None = None) -> str:
    """Return the first ``most`` of ``things`` and how many more there are: ``a, b and 1,200 more``.

    ``more`` is the number of further things, if it is not the rest of ``things``. A separator other than a comma is
    also used before the count: ``a; b; and 1,200 more``.
    """
    left = len(things) - most if more is None else more
    end = "" if left <= 0 else f" and {left:,} more" if between == ", " else f"{between}and {left:,} more"
    return f"{between.join(things[:most])}{end}"


def first_lines(things: Sequence[str], most: int, *, more: int | None = None) -> list[str]:
    """Return the first ``most`` of ``things`` for a list, and a last line such as ``and 1,200 more``.

    ``more`` is as in :func:`first_few`.
    """
    left = len(things) - most if more is None else more
    return [*things[:most], *([f"and {left:,} more"] if left > 0 else [])]


def examples(things: Sequence[str], total: int) -> str:
    """Return ``things``, with an ellipsis if they are fewer than ``total``: ``a, b, …``."""
    return ", ".join([*things, *(["…"] if total > len(things) else [])])
