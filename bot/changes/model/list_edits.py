"""Adding entries to a number's list, and removing some."""

from __future__ import annotations

from collections.abc import Mapping

from bot.changes.model.settings import Setting, Shape, show_value
from bot.changes.model.values import EditMode, ListEdit, Value, Values, WantedValue, WantedValues


def key(setting: Setting, entry: str) -> str:
    """Return a key that is equal for entries of ``setting`` that count as the same.

    Telnyx keeps the casing of a tag's first use anywhere, so two casings are one tag
    (providers/telnyx/API.md, "Lists of numbers").
    """
    return entry.casefold() if setting.shape is Shape.TAGS else entry


def keys(setting: Setting, value: Value) -> frozenset[str]:
    """Return the keys of every entry of a list; empty for other values."""
    return frozenset(key(setting, entry) for entry in value) if isinstance(value, tuple) else frozenset()


def ordered(value: Value) -> Value:
    """Return a list in a fixed order, so that equal lists make equal sentences, which are counted together."""
    return tuple(sorted(value, key=lambda entry: (entry.casefold(), entry))) if isinstance(value, tuple) else value


def applied(setting: Setting, wanted: WantedValue, current: Value) -> Value:
    """Return the value that fulfils ``wanted`` for a number whose value is ``current``.

    An edit keeps the order and the spelling of present entries, and adds at the end.
    """
    if not isinstance(wanted, ListEdit):
        return wanted
    present = current if isinstance(current, tuple) else ()
    meant = keys(setting, wanted.entries)
    if wanted.way is EditMode.REMOVE:
        return tuple(entry for entry in present if key(setting, entry) not in meant)
    there = keys(setting, present)
    return (*present, *(entry for entry in wanted.entries if key(setting, entry) not in there))


def all_applied(settings: Mapping[str, Setting], wanted: WantedValues, current: Values) -> dict[str, Value]:
    """Return the values that fulfil all of ``wanted`` for a number whose values are ``current``."""
    return {name: applied(settings[name], value, current.get(name)) for name, value in wanted.items()}


def show_wanted(setting: Setting, wanted: WantedValue, labels: Mapping[str, str] | None = None) -> str:
    """Return ``wanted`` as a person reads it; ``labels`` names ids."""
    if isinstance(wanted, ListEdit):
        verb = "add" if wanted.way is EditMode.ADD else "remove"
        return f"{verb} {show_value(setting, wanted.entries, labels)}"
    return show_value(setting, wanted, labels)
