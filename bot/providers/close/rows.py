"""From a number as Close shows it to the values of settings, and from values to the body of an update.

Absent, null and ``[]`` are three different things: Close's schema requires none of these fields, and its own example of
a single number leaves some out (API.md, "Fields of a number"). A field that is absent, or of another type than
documented, is not in the values; null becomes None; ``[]`` becomes an empty tuple. Fields that nobody asked for are
ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from bot.changes.model.kinds import Kind
from bot.changes.model.settings import Setting, Shape
from bot.changes.model.values import JSON, Value, Values
from bot.changes.planning.plan import same
from bot.errors import Unavailable
from bot.providers.answers import unasked

Row: TypeAlias = dict[str, JSON]

#: The path of numbers; every path ends in a slash.
NUMBERS: Final = "/phone_number/"
ONE_NUMBER: Final = "/phone_number/{id}/"


def values(row: Mapping[str, JSON], names: Iterable[str], kind: Kind) -> dict[str, Value]:
    """Return the values of the settings ``names`` that the row has."""
    told: dict[str, Value] = {}
    for name in names:
        if name in row:
            _take(told, kind.setting(name), row[name])
    return told


def _take(told: dict[str, Value], setting: Setting, found: JSON) -> None:
    match found:
        case None:
            told[setting.name] = None
        case bool() if setting.shape is Shape.BOOL:
            told[setting.name] = found
        case int() if setting.shape is Shape.INTEGER and not isinstance(found, bool):
            told[setting.name] = found
        case list() if setting.listed:
            told[setting.name] = tuple(str(entry) for entry in found)
        case str() if not setting.listed and setting.shape not in {Shape.BOOL, Shape.INTEGER}:
            told[setting.name] = found


def body(wanted: Values) -> dict[str, JSON]:
    """Return the body of an update: only the given values, an emptied text as null."""
    return {name: _sent(value) for name, value in wanted.items()}


def _sent(value: Value) -> JSON:
    match value:
        case tuple():
            return list(value)
        case "" | None:
            return None
        case str() | bool() | int():
            return value
        case _:
            raise TypeError("Close has no secret settings")


def data(answer: JSON) -> list[Row]:
    """Return the objects of a list answer; raises :class:`bot.errors.Unavailable` when it is not a list."""
    listed = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(listed, list):
        raise Unavailable("Close was asked for a list and answered with something else.")
    return [row for row in listed if isinstance(row, dict)]


def has_more(answer: JSON) -> bool | None:
    """Tell whether there is a page after this one; None when Close does not say."""
    more = answer.get("has_more") if isinstance(answer, dict) else None
    return more if isinstance(more, bool) else None


def one(answer: JSON, id_: str) -> Row:
    """Return the requested object ``id_``.

    Raises :class:`bot.errors.Unavailable` without an object, and :class:`bot.errors.UnrequestedData` for another one.
    """
    if not isinstance(answer, dict) or not answer.get("id"):
        raise Unavailable("Close was asked for one object and answered with something else.")
    if answer["id"] != id_:
        raise unasked("Close", str(answer.get("number") or answer["id"]))
    return answer


def has(kind: Kind, told: Values, wanted: Values) -> bool:
    """Tell whether ``told`` has every value of ``wanted``."""
    return all(name in told and same(kind.setting(name), told[name], value) for name, value in wanted.items())


def conflicts(kind: Kind, told: Values, before: Values, wanted: Values) -> list[str]:
    """Return the settings of ``wanted`` that changed since the plan, and have neither the planned nor wanted value.

    A list that is not returned now counts as changed, as nobody can see what would be overwritten. Other settings that
    are not returned, now or at planning, cannot hold anything that somebody would miss.
    """
    changed = []
    for name, value in wanted.items():
        setting = kind.setting(name)
        if name not in told:
            changed += [name] if setting.listed else []
        elif name in before and not any(same(setting, told[name], each) for each in (before[name], value)):
            changed.append(name)
    return changed
