"""Checks before a plan is shown: rows that disagree, lists that would be empty, unknown ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.changes.input.requests import Request
from bot.changes.model.kinds import Kind
from bot.changes.model.list_edits import keys
from bot.changes.model.snapshots import Snapshot
from bot.changes.model.values import Values, WantedValues
from bot.changes.outcome.follow_ups import not_restorable, way_back
from bot.changes.planning.plan import Plan, PlannedNumber, emptied, ids_in, meaning, unfit
from bot.changes.text.counts import counted, first_few
from bot.errors import PlanRefused, in_one

#: How many numbers or ids are named; the rest are only counted.
NAMED = 20
#: What can be done about numbers that cannot be restored.
_LASTING = "Leave these settings or numbers out, or leave “Until” empty."


def named(things: Sequence[str]) -> str:
    """Return the first few of ``things`` and how many more there are."""
    return first_few(things, NAMED)


def rows_by_id(request: Request, snapshots: Sequence[Snapshot]) -> dict[str, Values]:
    """Return the values of numbers that have their own, by id; raises when a number has two sets that differ."""
    rows: dict[str, Values] = {}
    if not request.rows:
        return rows
    twice = []
    for snapshot in snapshots:
        keys = [key for key in (snapshot.id, snapshot.e164) if key in request.rows]
        found = [request.rows[key] for key in keys]
        if len(found) == 2 and meaning(request.kind, found[0]) != meaning(request.kind, found[1]):
            twice.append(snapshot)
        elif found:
            rows[snapshot.id] = found[0]
    if twice:
        both = named([f"{snapshot.e164} (also called {snapshot.id})" for snapshot in twice])
        raise PlanRefused(
            f"Two rows of the sheet give different values to one number: {both}. Keep one row for each, and upload "
            "the sheet again."
        )
    return rows


def as_written(request: Request, found: Mapping[str, Snapshot]) -> None:
    """Raise when an id in the sheet belongs to another number than the one beside it: only one of them can be meant.

    ``found`` has id -> snapshot.
    """
    other = [
        f"{each} is {found[each].e164}, not {number}"
        for each, number in request.beside.items()
        if each in found and found[each].e164 != number
    ]
    if other:
        raise PlanRefused(
            f"In {counted(len(other), 'row')} of the sheet, the id belongs to another number: "
            f"{named(other)}. Remove the id column, or fix it, and upload the sheet again."
        )


def varied(kind: Kind, wanted: WantedValues, rows: Mapping[str, Values], plan: Plan) -> dict[str, int]:
    """Return, for each setting that the rows change, how many different values they give to the changed numbers.

    A value that replaces one ``wanted`` for all numbers counts even for a number that has it already. Otherwise people
    would read that this number gets the other value.
    """
    different: dict[str, set[object]] = {}
    for number in plan.numbers if rows else ():
        row = rows.get(number.id, {}) if number.after else {}
        for name, given in row.items():
            if name in number.after or name in wanted:
                value = number.after.get(name, given)
                meant = keys(kind.setting(name), value) if isinstance(value, tuple) else value
                different.setdefault(name, set()).add(meant)
    return {name: len(values) for name, values in different.items()}


def overridden(request: Request, rows: Mapping[str, Values], plan: Plan) -> tuple[str, ...]:
    """Return the settings whose common value no number gets, because each has its own; ``rows`` has these by id."""
    return tuple(
        name for name in request.wanted if rows and all(name in rows.get(each.id, {}) for each in plan.numbers)
    )


def can_be_emptied(kind: Kind, provider: str, plan: Plan) -> None:
    """Raise when an edit removes the last entry of a list and the provider documents no way to send an empty list."""
    for name, numbers in emptied(kind, plan).items():
        label = kind.setting(name).label.lower()
        raise PlanRefused(
            f"{counted(len(numbers), 'number')} would be left without any {label}, which "
            f"{provider} does not document as possible: {named([number.e164 for number in numbers])}. "
            "Exclude them, or keep an entry.",
            unusable=[(number.e164, number.id) for number in numbers],
        )


def are_fit(kind: Kind, plan: Plan) -> None:
    """Raise when numbers of ``plan`` are barred from this kind, or would get values that conflict."""
    found = unfit(kind, plan)
    if not found:
        return
    problem = _per_reason(found)
    raise PlanRefused(
        f"Some numbers cannot be in this change.\n{problem}\nExclude them, or fix them first.",
        unusable=_names(found),
        problem=problem,
    )


def _per_reason(found: Mapping[str, Sequence[PlannedNumber]]) -> str:
    """Return each reason of ``found`` with its numbers."""
    return in_one(
        f"{counted(len(numbers), 'number')}: {why} ({named([number.e164 for number in numbers])})."
        for why, numbers in found.items()
    )


def _names(found: Mapping[str, Sequence[PlannedNumber]]) -> tuple[tuple[str, ...], ...]:
    """Return all numbers of ``found`` once, by all their names."""
    return tuple({(number.e164, number.id): None for numbers in found.values() for number in numbers})


def can_be_restored(kind: Kind, provider: str, plan: Plan) -> None:
    """Raise when a temporary change would give numbers values that cannot be taken back at its end.

    The restore is planned here as it will be then, and checked against the same rules: nobody will be there to ask when
    the numbers are restored.
    """
    _can_be_set(kind, provider, plan)
    back = way_back(kind, plan)
    if found := {**unfit(kind, back), **_without_any(kind, back)}:
        raise PlanRefused(
            "At the end of a temporary change, what these numbers have now could not be restored.\n"
            f"{_per_reason(found)}\n{_LASTING}",
            unusable=_names(found),
        )


def _without_any(kind: Kind, plan: Plan) -> dict[str, list[PlannedNumber]]:
    """Return, for each reason, the numbers that would be left with an empty list, which nobody can send."""
    found = emptied(kind, plan)
    return {f"it would be left without any {kind.setting(name).label.lower()}": found[name] for name in found}


def will_be_known(kind: Kind, provider: str, plan: Plan, labels: Mapping[str, Mapping[str, str]]) -> None:
    """Raise when the end of a temporary change would restore an id that is unknown at the provider even now."""
    found = _unknown(kind, provider, way_back(kind, plan), labels)
    if found:
        raise PlanRefused(
            "At the end of a temporary change, what these numbers have now could not be restored.\n"
            f"{_per_reason(found)}\n{_LASTING}",
            unusable=_names(found),
        )


def _can_be_set(kind: Kind, provider: str, plan: Plan) -> None:
    """Raise when the provider documents no way to set again the current values of numbers."""
    found = not_restorable(kind, plan.numbers)
    if not found:
        return
    said = [
        f"{kind.setting(name).label} of {counted(len(numbers), 'number')}: "
        f"{named([number.e164 for number in numbers])}."
        for name, numbers in found.items()
    ]
    raise PlanRefused(
        f"At the end of a temporary change, {provider} could not be told to restore what these numbers have now.\n"
        f"{in_one(said)}\n{_LASTING}",
        unusable=_names(found),
    )


def are_known(kind: Kind, provider: str, request: Request, plan: Plan, labels: Mapping[str, Mapping[str, str]]) -> None:
    """Raise when a value to be set is an id that is unknown at the provider.

    Numbers with such a value of their own can be left out; a value for all numbers cannot.
    """
    wanted = {
        f"{provider} has no {setting.label.lower()} with the id {each}": ()
        for setting in kind.settings
        if setting.lookup
        for each in ids_in(request.wanted.get(setting.name))
        if each not in labels.get(setting.name, {})
    }
    own = _unknown(kind, provider, plan, labels)
    if not (wanted or own):
        return
    problems = [
        f"{why}{f' (for {own[why][0].e164})' if why not in wanted else ''}" for why in dict.fromkeys((*wanted, *own))
    ]
    more = [f"There are {len(problems) - NAMED:,} more such ids."] if len(problems) > NAMED else []
    raise PlanRefused(
        in_one([*(f"{each}; choose another." for each in problems[:NAMED]), *more]),
        unusable=() if wanted else _names(own),
        problem=in_one([*(f"{each}." for each in problems[:NAMED]), *more]),
    )


def _unknown(
    kind: Kind, provider: str, plan: Plan, labels: Mapping[str, Mapping[str, str]]
) -> dict[str, list[PlannedNumber]]:
    """Return, for each id unknown at the provider, the numbers of ``plan`` that would get it.

    An id that a number has already is harmless, unless its setting is always sent: the provider would refuse it.
    """
    found: dict[str, list[PlannedNumber]] = {}
    for setting in kind.settings:
        known = labels.get(setting.name, {})
        for number in plan.numbers if setting.lookup else ():
            for each in ids_in(number.after.get(setting.name)):
                if each not in known and (setting.always or each not in ids_in(number.before.get(setting.name))):
                    why = f"{provider} has no {setting.label.lower()} with the id {each}"
                    found.setdefault(why, []).append(number)
    return found
