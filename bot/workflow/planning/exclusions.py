"""Numbers that are given by one name and excluded by the other."""

from __future__ import annotations

from collections.abc import Iterable

from bot.changes.model.kinds import Kind
from bot.changes.model.snapshots import Snapshot, Target
from bot.providers.base import Provider


async def excluded_by_other_name(
    provider: Provider, kind: Kind, target: Target, found: Iterable[Snapshot]
) -> frozenset[str]:
    """Return those identifiers of ``target`` whose number is excluded by its other name.

    ``found`` is what the provider has found of the target. It passes over what is excluded as it does over what the
    account does not have, so whatever is missing is looked up once more.
    """
    excluded, known = frozenset(target.excluded), {name for each in found for name in (each.id, each.e164)}
    missing = tuple(each for each in target.identifiers if each not in known)
    if not missing or not excluded:
        return frozenset()
    wanted = Target(identifiers=missing, editable_asked=False)
    names = [(each.id, each.e164) async for each in provider.find(wanted, (), kind)]
    return frozenset(name for both in names if not excluded.isdisjoint(both) for name in both).intersection(missing)
