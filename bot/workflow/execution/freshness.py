"""Whether a plan is still the approved one, and its numbers are still as the plan found them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import structlog

from bot.changes.model.change import Change
from bot.changes.model.kinds import Kind
from bot.changes.model.settings import show_value
from bot.changes.model.snapshots import Snapshot, Target
from bot.changes.model.values import WantedValues
from bot.changes.planning.plan import (
    ChangedValue,
    PlannedBatch,
    PlannedNumber,
    changed_values,
    digest,
    ids_in,
    revised_digest,
)
from bot.changes.text.counts import counted, first_few
from bot.errors import ProviderError
from bot.workflow.context import Context

log = structlog.get_logger(__name__)

#: How many changed numbers are named; the rest are only counted.
NAMED = 5


async def stored_plan(context: Context, change: Change) -> tuple[Mapping[int, PlannedNumber], str]:
    """Return the numbers of the plan as now stored, by position, and the digest over all of it.

    The digest is empty when the plan sends what its approvers were not shown, which plans of earlier versions may do.
    """
    async with context.database.reading() as tx:
        batches = [
            PlannedBatch(
                position=batch.position,
                values=batch.values,
                size=batch.size,
                handed=batch.handed,
                wave=batch.wave,
            )
            for batch in await tx.batches.of(change.id)
        ]
        numbers = await tx.operations.planned(change.id)
    rollout = change.summary.rollout if change.summary else None
    sealing = partial(digest, change.kind, numbers.values(), batches, change.start, change.until, rollout=rollout)
    sealed = await asyncio.to_thread(sealing)
    if change.former_digest:
        sealed = revised_digest(change.former_digest, sealed)
    kind, wanted = context.catalogue.kind(change.kind), change.summary.wanted if change.summary else {}
    if change.part_of is None and await asyncio.to_thread(_sends_unread, kind, wanted, numbers.values(), batches):
        sealed = ""
    return numbers, sealed


def _sends_unread(
    kind: Kind, wanted: WantedValues, numbers: Iterable[PlannedNumber], batches: Iterable[PlannedBatch]
) -> bool:
    """Tell whether a stored plan always sends an id that people could not read: in a number's values, or for all.

    Earlier versions left it out of the values of a number that had it already.
    """
    names = [name for name in kind.always if kind.setting(name).lookup]
    sent = {batch.position: {name: batch.values.get(name) for name in names} for batch in batches} if names else {}
    return any(
        value and name not in number.after and wanted.get(name) != value
        for number in numbers
        for name, value in sent.get(number.batch or 0, {}).items()
    )


async def differences(context: Context, change: Change, numbers: Iterable[PlannedNumber]) -> list[ChangedValue]:
    """Return what has changed since the plan was made, among those of ``numbers`` that the plan changes.

    Everything that would be written counts, including siblings in nested objects. So does a number that somebody has
    given exactly the wanted values: that was their decision, the approver did not know of it, and an undo would take it
    back.

    Raises :class:`bot.errors.ProviderError` when the numbers cannot be read.
    """
    kind = context.catalogue.kind(change.kind)
    # A hundred thousand numbers take a while, and the loop has clicks to answer meanwhile.
    planned, names = await asyncio.to_thread(_looked_at, numbers)
    # Nearly all are as planned, and nothing is kept of those.
    found: dict[str, Snapshot] = {}
    target = Target(identifiers=tuple(planned))
    async for snapshot in context.catalogue.provider(kind).find(target, names, kind):
        id_ = snapshot.id
        unchanged = snapshot.editable and snapshot.values == planned[id_].before
        if unchanged or not changed_values(kind, [planned[id_]], {id_: snapshot}):
            del planned[id_]
        else:
            found[id_] = snapshot
    return changed_values(kind, planned.values(), found)


def _looked_at(numbers: Iterable[PlannedNumber]) -> tuple[dict[str, PlannedNumber], Sequence[str]]:
    """Return those of ``numbers`` that the plan changes, by id, and the names of the values known of them."""
    planned = {number.id: number for number in numbers if number.batch is not None}
    return planned, sorted({name for number in planned.values() for name in number.before})


Names = Mapping[str, Mapping[str, str]]


def what_changed(kind: Kind, found: Sequence[ChangedValue], names: Names, *, so: str) -> str:
    """Return what changed, for people; ``so`` is what follows from it: "nothing was sent", "the rest was not sent"."""
    lines = [change_line(kind, difference, names) for difference in found[:NAMED]]
    named = first_few(lines, NAMED, between="; ", more=len(found) - len(lines))
    numbers = counted(len({difference.e164 for difference in found}), "number has", "numbers have")
    return f"{numbers} changed since the plan was made, so {so}: {named}."


def change_line(kind: Kind, difference: ChangedValue, names: Names) -> str:
    """Return the value that a number had when the plan was made, and its value now."""
    if difference.name is None:
        return f"{difference.e164} is no longer in the account, or cannot be changed now"
    setting = kind.setting(difference.name)
    then, now = (show_value(setting, value, names.get(difference.name)) for value in (difference.then, difference.now))
    return f"{setting.label} of {difference.e164} was {then} and is {now}"


async def names_of(context: Context, kind: Kind, found: Sequence[ChangedValue]) -> Names:
    """Return setting -> {id: human name} of the first values that changed; empty when the names cannot be read."""
    ids: dict[str, set[str]] = {}
    for difference in found[:NAMED]:
        if difference.name is not None and kind.setting(difference.name).lookup:
            ids.setdefault(difference.name, set()).update((*ids_in(difference.then), *ids_in(difference.now)))
    try:
        return {name: await context.catalogue.provider(kind).labels(kind, name, each) for name, each in ids.items()}
    except ProviderError as error:
        log.warning("names not read", kind=kind.name, why=error.message)
        return {}
