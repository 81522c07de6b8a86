"""Numbers given under one name and excluded under the other, and exclusions that leave nothing out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.changes.model.kinds import Kind
from bot.changes.model.snapshots import Snapshot, Target
from bot.providers.base import Provider


async def excluded_by_other_name(
    provider: Provider, kind: Kind, target: Target, found: Iterable[Snapshot]
) -> frozenset[str]:
    """Return those identifiers of ``target`` whose number is excluded under its other name.

    ``found`` are the numbers of the target that the provider found. It skips excluded numbers like numbers that the
    account does not have, so missing ones are looked up once more.
    """
    excluded, known = frozenset(target.excluded), {name for each in found for name in (each.id, each.e164)}
    missing = tuple(each for each in target.identifiers if each not in known)
    if not missing or not excluded:
        return frozenset()
    wanted = Target(identifiers=missing, editable_asked=False)
    names = [(each.id, each.e164) async for each in provider.find(wanted, (), kind)]
    return frozenset(name for both in names if not excluded.isdisjoint(both) for name in both).intersection(missing)


async def without_effect(
    provider: Provider, kind: Kind, exclusions: Sequence[str], dropped: frozenset[str]
) -> Sequence[str]:
    """Return those of ``exclusions`` that leave no number out; ``dropped`` has one name of each that is left out.

    An exclusion may be the other name of such a number, so it is looked up.
    """
    doubtful = tuple(each for each in exclusions if each not in dropped)
    if not doubtful:
        return ()
    wanted = Target(identifiers=doubtful, editable_asked=False)
    names = [(each.id, each.e164) async for each in provider.find(wanted, (), kind)]
    known = {name for both in names if not dropped.isdisjoint(both) for name in both}
    return tuple(each for each in doubtful if each not in known)
