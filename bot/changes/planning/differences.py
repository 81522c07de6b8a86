"""What differs: from what is wanted, and from what is found later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.changes.model.kinds import Kind
from bot.changes.model.list_edits import keys
from bot.changes.model.settings import Setting
from bot.changes.model.snapshots import Snapshot
from bot.changes.model.values import Value, Values, canonical
from bot.changes.planning.plan import PlannedNumber


def same(setting: Setting, one: Value, other: Value) -> bool:
    """Tell whether two values of ``setting`` mean the same to the provider.

    Empty text and "not set" are the same. The order of a list means nothing: tags are a set without regard to case
    (providers/telnyx/API.md, "Lists of numbers"), and people and numbers that ring are documented as lists to be among
    (providers/close/API.md, "Settings of a number").
    """
    if setting.listed:
        return keys(setting, one) == keys(setting, other)
    if isinstance(one, bool) or isinstance(other, bool):
        return one == other
    return (one or None) == (other or None)


def meaning(kind: Kind, values: Values) -> str:
    """Return a text that is equal for values that are the :func:`same` to the provider: a list counts as a set."""
    sets = {name: sorted(keys(kind.setting(name), value)) for name, value in values.items() if isinstance(value, tuple)}
    return canonical({**values, **sets})


def difference(kind: Kind, before: Values, wanted: Values) -> dict[str, Value]:
    """Return the part of ``wanted`` that ``before`` does not already have; what it does not tell, it may not have."""
    return {
        name: value
        for name, value in wanted.items()
        if name not in before or not same(kind.setting(name), before[name], value)
    }


def payload(kind: Kind, before: Values, wanted: Values) -> dict[str, Value]:
    """Return what is sent for a number: the wanted values, and current values of their groups' siblings.

    A partly filled nested object may reset its other fields to their defaults (unknown:
    providers/telnyx/API.md, "Nested objects"), so an object is always sent whole. A sibling that is not set today has
    nothing to lose and is left out.
    """
    sent: dict[str, Value] = {}
    for setting in kind.touched(wanted):
        if setting in kind.observed:
            continue
        value = wanted[setting.name] if setting.name in wanted else before.get(setting.name)
        if setting.name in wanted or (value is not None and value != ""):
            sent[setting.name] = value
    return sent


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangedValue:
    """One value that is not as the plan found it."""

    e164: str
    #: The setting; None when the number itself is gone or cannot be changed any more.
    name: str | None
    then: Value = None
    now: Value = None


def changed_values(kind: Kind, planned: Iterable[PlannedNumber], found: Mapping[str, Snapshot]) -> list[ChangedValue]:
    """Return every relevant value that differs between the plan and ``found`` (by number id), in the plan's order."""
    differences: list[ChangedValue] = []
    for number in planned:
        snapshot = found.get(number.id)
        if snapshot is None or not snapshot.editable:
            differences.append(ChangedValue(e164=number.e164, name=None))
            continue
        differences += [
            ChangedValue(e164=number.e164, name=name, then=then, now=snapshot.values.get(name))
            for name, then in number.before.items()
            if not same(kind.setting(name), then, snapshot.values.get(name))
        ]
    return differences
