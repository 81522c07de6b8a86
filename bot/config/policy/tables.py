"""Lists of tables in a rule, used for its windows and its stages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.config.policy.keys import sentence, told


def tables_in(value: object, key: str, like: str, where: str, problems: list[str]) -> list[Mapping[str, object]] | None:
    """Return the tables in the ``value`` of ``key``, or None and one more of ``problems``.

    ``where`` is the name of the rule in sentences, and ``like`` is an example of such a table.
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
    """Return key -> value for the readable entries of ``table``, and add a sentence for each other one.

    ``readers`` has a reader for each key, which raises ValueError for a bad value, and ``a_key`` describes the keys: "a
    key of a window: they are days, from, to and zone".
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
