"""Lists of tables in a rule, as its windows and its stages are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.config.policy.keys import sentence, told


def tables_in(value: object, key: str, like: str, where: str, problems: list[str]) -> list[Mapping[str, object]] | None:
    """Return the tables that are the ``value`` of ``key``, or None and one more of ``problems``.

    ``where`` is what sentences call the rule, and ``like`` is such a table as an example.
    """
    wrong = [value] if not isinstance(value, list) else [entry for entry in value if not isinstance(entry, dict)]
    if wrong or not isinstance(value, list):
        problems.append(f"{where}: {key} must be a list of tables, each like {like}, not {told(wrong[0])}.")
        return None
    return value


def values_of(
    table: Mapping[str, object],
    readers: Mapping[str, Callable[[object], Any]],
    a_key: str,
    where: str,
    problems: list[str],
) -> dict[str, Any]:
    """Return key -> value of those entries of ``table`` that can be read, and add a sentence for each other one.

    ``readers`` has every key with what reads its value, which raises ValueError, and ``a_key`` says what is one of
    them: "a key of a window: they are days, from, to and zone".
    """
    read: dict[str, Any] = {}
    for key, value in table.items():
        if key not in readers:
            problems.append(f"{where}: {told(key)} is not {a_key}.")
            continue
        try:
            read[key] = readers[key](value)
        except ValueError as error:
            problems.append(sentence(where, f"{key} {error}"))
    return read
