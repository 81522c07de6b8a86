"""Reading the current state before a plan is made: the numbers, what a filter finds, and who holds them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from bot.changes.input.requests import Request, by_number, without
from bot.changes.model.change import Change
from bot.changes.model.filter_fields import show_condition
from bot.changes.model.kinds import Kind
from bot.changes.model.locks import Held
from bot.changes.model.snapshots import Snapshot, Target
from bot.changes.outcome.follow_ups import CarriedOver
from bot.changes.planning.plan import Plan
from bot.changes.text.counts import counted
from bot.errors import NothingToPlan, PlanRefused, in_one
from bot.providers.base import Provider
from bot.store.transaction import Transaction
from bot.workflow.context import Context
from bot.workflow.planning.exclusions import excluded_by_other_name
from bot.workflow.planning.progress import Progress
from bot.workflow.planning.validation import as_written, named

#: Numbers read between two reports of progress.
STRIDE = 250
#: The message when the exclusions leave no number.
ALL_EXCLUDED: Final = "All numbers are excluded, so there is nothing to do. Edit the numbers, or close this."


class CurrentState:
    """Reads what a plan is made from."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def snapshots(
        self,
        provider: Provider,
        kind: Kind,
        request: Request,
        progress: Progress,
        taken: CarriedOver,
        *,
        most: int | None,
    ) -> tuple[Request, Sequence[Snapshot]]:
        """Return the snapshots: the given numbers in their order, then those that the filter found.

        For numbers taken over from an earlier change (``taken``), also read fields that are only compared, such as one
        that the provider clears with its switch. Ids in a sheet that the provider does not know give way to the numbers
        beside them, also in the request. Raises PlanRefused when numbers cannot be planned, or there are more than
        ``most``; None means no limit.
        """
        # A hundred thousand numbers take a while, and the loop has clicks to answer meanwhile.
        given, names = await asyncio.to_thread(_asked_for, kind, request, taken)
        known = "" if request.conditions else f" of {len(given):,}"
        # Of a filter the excluded numbers come as well: only then does anybody know which of them it finds.
        besides = frozenset(request.excluded) if request.conditions else frozenset()
        target = Target(
            identifiers=given,
            conditions=request.conditions,
            excluded=() if besides else request.excluded,
            limit=None if most is None else most + len(besides),
            whole_objects=True,
            doubts_asked=True,
        )
        found: dict[str, Snapshot] = {}
        if request.conditions:
            progress.tell(f"{provider.title} is listing the numbers that match the filter")
        # Nothing is used before the stream ends: only then has the provider shown that it applied the filter.
        async for snapshot in provider.find(target, names, kind):
            found[snapshot.id] = snapshot
            if len(found) % STRIDE == 0:
                progress.tell(f"{len(found):,}{known} numbers read from {provider.title}")
        strange = [each for each in request.beside if each in request.rows and each not in found]
        if strange:
            request = by_number(request, strange)
            written = tuple(number for number in request.rows if number.startswith("+"))
            async for snapshot in provider.find(replace(target, identifiers=written, conditions=()), names, kind):
                found[snapshot.id] = snapshot
        for gone in [each for each in found.values() if not besides.isdisjoint((each.id, each.e164))]:
            del found[gone.id]
            if frozenset((*request.dropped, *request.given)).isdisjoint((gone.id, gone.e164)):
                request = replace(request, dropped=request.dropped | {gone.e164})
        as_written(request, found)
        if most is not None and len(found) > most:
            raise PlanRefused(
                f"That is more than {most:,} numbers, the limit for one change. Narrow the filter, or split the change."
            )
        still_given = replace(target, identifiers=request.given, excluded=request.excluded)
        if excluded := await excluded_by_other_name(provider, kind, still_given, found.values()):
            request = without(request, excluded)
        return request, await asyncio.to_thread(_in_order, provider.title, request, found, taken.numbers)

    async def conditions(self, provider: Provider, kind: Kind, request: Request) -> list[str]:
        """Return the filter as people read it, with names for ids."""
        shown = []
        fields = {field.name: field for field in kind.filters}
        for condition in request.conditions:
            field, label = fields[condition.field], None
            if field.lookup and isinstance(condition.value, str):
                label = (await provider.labels(kind, field.lookup, [condition.value])).get(condition.value)
            shown.append(show_condition(field, condition, label))
        return shown

    async def locked(self, kind: Kind, plan: Plan, change: Change) -> list[Held]:
        """Return the changes that hold numbers of the plan; the plan can be viewed all the same."""
        changing = [number.id for number in plan.numbers if number.batch is not None]
        async with self._context.database.reading() as tx:
            held = await tx.locks.holders(kind.provider, changing, besides=change.id)
            return await self.held(tx, Counter(held.values()))

    async def held(self, tx: Transaction, counts: Mapping[int, int]) -> list[Held]:
        """Return the changes of ``counts`` (change -> how many numbers of ours it holds), largest first."""
        locks = {lock.change: lock for lock in await tx.locks.list()} if counts else {}
        return [
            Held(change=holder, requester=locks[holder].requester, since=locks[holder].since, numbers=numbers)
            for holder, numbers in Counter(counts).most_common()
        ]


def _asked_for(kind: Kind, request: Request, taken: CarriedOver) -> tuple[tuple[str, ...], list[str]]:
    """Return the given numbers, and the names of the fields to read of each."""
    compared = {name for left in taken.left.values() for values in left for name in values}
    return request.given, [each.name for each in (*kind.touched({*request.names, *compared}), *kind.statuses)]


def _in_order(
    provider: str, request: Request, found: Mapping[str, Snapshot], numbers: Mapping[str, str]
) -> Sequence[Snapshot]:
    """Return the snapshots in the plan's order; raises when one cannot be planned."""
    usable = {key: s for s in found.values() if s.editable for key in (s.id, s.e164)}
    shut = {key: s for s in found.values() if not s.editable for key in (s.id, s.e164)}
    missing = [identifier for identifier in request.given if identifier not in usable and identifier not in shut]
    busy = [s for s in found.values() if not s.editable]
    if missing or busy:
        total = max(len(found) + len(missing), len(request.given))
        unusable = [*((each,) for each in missing), *((s.e164, s.id) for s in busy)]
        passing = [s for s in busy if not s.final]
        lasting = [s for s in busy if s.final]
        told = [numbers.get(each, each) for each in missing]
        every = _in_the_way(provider, told, busy, total)
        between = "\n" if "\n" in every else " "
        raise PlanRefused(
            f"{every}{between}Remove or correct them, and plan again.",
            unusable=unusable,
            passing=[(s.e164, s.id) for s in passing],
            problem=_in_the_way(provider, told, lasting, total),
        )
    if not found and (request.dropped or not request.conditions):
        raise NothingToPlan(ALL_EXCLUDED)
    if not found:
        raise NothingToPlan("No numbers match, so there is nothing to do. Change the filter, or close this.")
    # A number given once by id and once in E.164 is one number.
    given = {usable[identifier].id: usable[identifier] for identifier in request.given}
    rest = sorted((s for s in found.values() if s.id not in given), key=lambda s: s.e164)
    return [*given.values(), *rest]


def _in_the_way(provider: str, missing: Sequence[str], busy: Sequence[Snapshot], total: int) -> str:
    """Return what is wrong with numbers that cannot be planned: those not found, and those in another state.

    An E.164 number that the provider locks against changes now looks like one that it does not have.
    """
    said = []
    if missing:
        said.append(
            f"{_of(missing, total)} not in the {provider} account, or cannot be changed there now: {named(missing)}."
        )
    if busy:
        shown = [f"{s.e164} ({s.status})" if s.status else s.e164 for s in busy]
        said.append(f"{_of(busy, total)} in a state in which {provider} cannot change them: {named(shown)}.")
    return in_one(said)


def _of(some: Sequence[object], total: int) -> str:
    return f"{len(some):,} of {counted(total, 'number')} {'is' if len(some) == 1 else 'are'}"
