"""The values that settings take: JSON scalars, lists of strings, and secrets that stay sealed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeAlias, cast

JSON: TypeAlias = "str | int | float | bool | list[JSON] | dict[str, JSON] | None"

#: How a secret is shown wherever a person or a log could read it.
MASK: Final = "••••••"

_SEALED: Final = "$sealed"
_FINGERPRINT: Final = "$fingerprint"


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret value that can be compared and stored, but read only with the key.

    Two secrets are equal when their fingerprints are equal; the sealed text differs at every sealing.
    """

    #: Keyed hash (HMAC) of the clear text: equal values have equal fingerprints, and nobody without the key can guess
    #: it.
    fingerprint: str
    #: The clear text, encrypted; empty once the secret has been wiped.
    sealed: str = ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.fingerprint == self.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret({MASK})"


class EditMode(Enum):
    """How entries change a number's list."""

    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class ListEdit:
    """A wanted change of a list whose result depends on each number: entries to add, or to remove.

    Providers replace lists whole, so an edit is resolved for each number while planning
    (:func:`bot.changes.model.list_edits.applied`) and is never sent.
    """

    way: EditMode
    entries: tuple[str, ...]


#: A setting's value. None means "not set at the provider".
Value: TypeAlias = str | bool | int | tuple[str, ...] | Secret | None
#: Setting name -> value.
Values: TypeAlias = Mapping[str, Value]
#: The wanted value of a setting, or an edit of each number's list.
WantedValue: TypeAlias = Value | ListEdit
#: Setting name -> the value that a number is to get.
WantedValues: TypeAlias = Mapping[str, WantedValue]


def to_json(value: WantedValue, *, sealed: bool = True) -> JSON:
    """Return ``value`` in stored form: tuples as lists; secrets sealed, or by fingerprint only."""
    if isinstance(value, ListEdit):
        return {f"${value.way.value}": list(value.entries)}
    if isinstance(value, Secret):
        return {_FINGERPRINT: value.fingerprint, _SEALED: value.sealed if sealed else ""}
    if isinstance(value, tuple):
        return list(value)
    return value


def from_json(value: JSON) -> Value:
    """Return the value that :func:`to_json` stored."""
    if isinstance(value, dict):
        return Secret(fingerprint=str(value[_FINGERPRINT]), sealed=str(value[_SEALED]))
    if isinstance(value, list):
        return tuple(str(item) for item in value)
    return cast("Value", value)


def wanted_value_from_json(value: JSON) -> WantedValue:
    """Return the wanted value that :func:`to_json` stored."""
    if isinstance(value, dict):
        for way in EditMode:
            entries = value.get(f"${way.value}")
            if isinstance(entries, list):
                return ListEdit(way, tuple(str(entry) for entry in entries))
    return from_json(value)


def values_to_json(values: WantedValues, *, sealed: bool = True) -> dict[str, JSON]:
    """Return all of ``values`` in stored form."""
    return {name: to_json(value, sealed=sealed) for name, value in values.items()}


def without_sealed(stored: JSON) -> JSON:
    """Return a stored document with its secrets wiped: each keeps its fingerprint and can never be opened."""
    if isinstance(stored, list):
        return [without_sealed(item) for item in stored]
    if isinstance(stored, dict):
        if stored.keys() == {_FINGERPRINT, _SEALED}:
            return {**stored, _SEALED: ""}
        return {name: without_sealed(item) for name, item in stored.items()}
    return stored


def values_from_json(stored: Mapping[str, JSON]) -> dict[str, Value]:
    """Return all values that :func:`values_to_json` stored."""
    return {name: from_json(value) for name, value in stored.items()}


def wanted_values_from_json(stored: Mapping[str, JSON]) -> dict[str, WantedValue]:
    """Return all wanted values that :func:`values_to_json` stored."""
    return {name: wanted_value_from_json(value) for name, value in stored.items()}


def canonical(value: Any) -> str:  # noqa: ANN401 - any JSON document
    """Return the one canonical JSON text of ``value``: sorted keys, no spaces; secrets count by their fingerprint.

    Equal documents have equal texts in whatever order they were built, so a hash over the text is a hash over the
    meaning.
    """
    return _CANONICAL.encode(value)


def _canonical_leaf(value: object) -> JSON:
    if isinstance(value, Secret):
        return {_FINGERPRINT: value.fingerprint}
    if isinstance(value, Mapping):
        return dict(value)
    msg = f"{type(value).__name__} has no canonical form"
    raise TypeError(msg)


#: Made once, as json.dumps would make one for every number of a plan.
_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_canonical_leaf)
