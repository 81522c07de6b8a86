"""Reading the numbers of batches again, and what that shows."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.changes.model.change import Change
from bot.changes.model.kinds import Kind
from bot.changes.planning.differences import ChangedValue, same
from bot.changes.planning.plan import PlannedNumber
from bot.workflow.context import Context
from bot.workflow.execution.freshness import Names, change_line, differences, names_of

#: As many numbers are read again well within the time that a check may be old. Of more, those that go first are read
#: last.
SOON: Final = 5000


@dataclass(frozen=True, kw_only=True, slots=True)
class StalenessCheck:
    """What reading numbers again has shown."""

    #: What is not as the plan found it, and what the ids in it are called.
    changed: Sequence[ChangedValue] = ()
    names: Names
    #: Position of a batch in the plan -> position of each number of it that has changed, and how.
    stale: Mapping[int, Mapping[int, str]]
    #: Positions of batches some number of which has got just what was wanted.
    done: frozenset[int] = frozenset()
    #: Positions of batches whose numbers were read after all others, and when that began; None when all were read
    #: together.
    last: frozenset[int] = frozenset()
    last_at: datetime | None = None


async def read_again(
    context: Context, change: Change, numbers: Mapping[int, PlannedNumber], first: Collection[int] = ()
) -> StalenessCheck:
    """Read ``numbers`` (by position in the plan) again; raises :class:`bot.errors.ProviderError`.

    To read many takes longer than a look may be old. So those of the batches at the positions ``first``, which are
    sent as soon as all were read, are read last, where that takes no more calls; or they had to be read once more.
    """
    kind = context.catalogue.kind(change.kind)
    others, last = await asyncio.to_thread(_parted, numbers, frozenset(first))
    changed = await differences(context, change, others)
    last_at = context.clock() if last else None
    if last:
        changed = [*await differences(context, change, last), *changed]
    names = await names_of(context, kind, changed)
    at = {number.e164: position for position, number in numbers.items()} if changed else {}
    stale: dict[int, dict[int, str]] = {}
    done: set[int] = set()
    for difference in changed:
        number = numbers[at[difference.e164]]
        if number.batch is not None:
            lines = stale.setdefault(number.batch, {})
            line = change_line(kind, difference, names)
            lines[at[difference.e164]] = "; ".join(filter(None, (lines.get(at[difference.e164]), line)))
            if _as_wanted(kind, number, difference):
                done.add(number.batch)
    return StalenessCheck(
        changed=changed,
        names=names,
        stale=stale,
        done=frozenset(done),
        last=frozenset(first) if last else frozenset(),
        last_at=last_at,
    )


def _parted(
    numbers: Mapping[int, PlannedNumber], first: Collection[int]
) -> tuple[Sequence[PlannedNumber], Sequence[PlannedNumber]]:
    """Return what is read before and what is read last: the numbers of the batches at ``first``, or none.

    A provider lists numbers by number. Where those that go first lie among the others, both are on the same pages.
    """
    changing = [number for number in numbers.values() if number.batch is not None]
    last = [number for number in changing if number.batch in first]
    others = [number for number in changing if number.batch not in first]
    if len(changing) < SOON or not last or not others:
        return changing, ()
    ends, begins = max(number.e164 for number in last), min(number.e164 for number in others)
    return (others, last) if ends < begins else (changing, ())


def _as_wanted(kind: Kind, number: PlannedNumber, difference: ChangedValue) -> bool:
    """Tell whether a number has got just what was wanted of it."""
    if difference.name is None:
        return kind.removes
    wanted = number.after
    return difference.name in wanted and same(kind.setting(difference.name), wanted[difference.name], difference.now)
