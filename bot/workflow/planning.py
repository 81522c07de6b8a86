"""From a request to a plan that can be approved, or to why there is none."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from bot.changes.drafts import Request
from bot.changes.filters import show_condition
from bot.changes.kinds import Kind
from bot.changes.lifecycle import ChangeState
from bot.changes.plans import Plan, build, ids_to_name, summarise
from bot.changes.records import Change, Held, Summary
from bot.changes.snapshots import Snapshot, Target
from bot.errors import InputError, LinesmanError, NotAllowed, NotFound, ProviderError, SecretError, Superseded
from bot.providers.base import Provider
from bot.store.work import Claim, Task
from bot.workflow.announcements import Announcements
from bot.workflow.authority import Authority
from bot.workflow.context import Context
from bot.workflow.proposing import Proposals

#: How often planning is tried when it ends in a fault that nobody foresaw.
ATTEMPTS = 3
#: How many unusable numbers are named before the rest is only counted.
NAMED = 20


class Unplannable(LinesmanError):
    """The request cannot be planned as it is."""

    def __init__(self, message: str, *, unusable: Sequence[str] = ()) -> None:
        super().__init__(message)
        #: Identifiers without which it could be.
        self.unusable = tuple(unusable)


class Planning:
    """Plans what was requested."""

    def __init__(
        self, context: Context, authority: Authority, announcements: Announcements, proposals: Proposals
    ) -> None:
        self._context = context
        self._authority = authority
        self._say = announcements
        self._proposals = proposals

    async def plan(self, claim: Claim) -> None:
        """Carry out the task: read the numbers, make the plan, show it; or say why there is none."""
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(claim.subject)
        if change.state is not ChangeState.PLANNING:
            async with self._context.database.transaction() as tx:
                await tx.work.done(claim)
            return
        if claim.attempts > ATTEMPTS:
            await self._give_up(claim, change, "It could not be planned because of a fault on our side; see the log.")
            return
        try:
            plan, summary = await self._make(change)
        except InputError as error:
            await self._give_up(claim, change, " ".join(error.problems.values()))
        except Unplannable as error:
            await self._give_up(claim, change, error.message, unusable=error.unusable)
        except (NotAllowed, NotFound, ProviderError, SecretError) as error:
            await self._give_up(claim, change, error.message)
        else:
            await self._write(claim, change, plan, summary)

    async def _make(self, change: Change) -> tuple[Plan, Summary]:
        kind = self._context.catalogue.kind(change.kind)
        provider = self._context.catalogue.provider(kind)
        request = await self._proposals.read(change.draft)
        if not request.identifiers and not request.conditions:
            raise Unplannable("All numbers were left out, so there is nothing to do. Edit the numbers, or close this.")
        await self._authority.request(change.requester, kind.name, len(request.identifiers), tuple(request.wanted))
        snapshots = await self._snapshots(provider, kind, request)
        plan = await asyncio.to_thread(build, kind, request.wanted, snapshots)
        return plan, await self._summarise(provider, kind, request, plan, change)

    async def _snapshots(self, provider: Provider, kind: Kind, request: Request) -> Sequence[Snapshot]:
        """Return the snapshots: numbers that were given in their order, then those that the filter found."""
        names = [setting.name for setting in kind.touched(request.wanted)]
        most = self._context.policies.largest(kind.name)
        target = Target(
            identifiers=request.identifiers, conditions=request.conditions, excluded=request.excluded, limit=most
        )
        found: dict[str, Snapshot] = {}
        # Nothing is used before the stream ends: only then has the provider shown that it applied the filter.
        async for snapshot in provider.find(target, names, kind):
            found[snapshot.id] = snapshot
        if len(found) > most:
            raise Unplannable(
                f"That is more than {most:,} numbers, the most that one change may have. "
                "Narrow the filter, or split the change."
            )
        usable = {key: s for s in found.values() if s.editable for key in (s.id, s.e164)}
        missing = [identifier for identifier in request.identifiers if identifier not in usable]
        missing += [s.e164 for s in found.values() if not s.editable and not {s.id, s.e164} & set(missing)]
        if missing:
            raise Unplannable(
                _not_ours(provider.title, missing, max(len(found), len(request.identifiers))), unusable=missing
            )
        if not found:
            raise Unplannable("No number is like that, so there is nothing to do. Change the filter, or close this.")
        # A number given once by id and once in E.164 is one number.
        given = {usable[identifier].id: usable[identifier] for identifier in request.identifiers}
        rest = sorted((s for s in found.values() if s.id not in given), key=lambda s: s.e164)
        return [*given.values(), *rest]

    async def _conditions(self, provider: Provider, kind: Kind, request: Request) -> list[str]:
        """Return the filter as people read it, ids with their names."""
        shown = []
        fields = {field.name: field for field in kind.filters}
        for condition in request.conditions:
            field, label = fields[condition.field], None
            if field.lookup and isinstance(condition.value, str):
                label = (await provider.labels(kind, field.lookup, [condition.value])).get(condition.value)
            shown.append(show_condition(field, condition, label))
        return shown

    async def _summarise(self, provider: Provider, kind: Kind, request: Request, plan: Plan, change: Change) -> Summary:
        if not plan.batches:
            raise Unplannable(
                f"Nothing to do: all {len(plan.numbers):,} numbers already have these values. "
                "Change a value, or close this window."
            )
        labels = {
            name: await provider.labels(kind, name, ids)
            for name, ids in ids_to_name(kind, request.wanted, plan).items()
        }
        for name, value in request.wanted.items():
            setting = kind.setting(name)
            if setting.lookup and value and value not in labels.get(name, {}):
                raise Unplannable(
                    f"{provider.title} has no {setting.label.lower()} with the id {value}; choose another."
                )
        return summarise(
            kind,
            plan,
            request.wanted,
            labels,
            repeats=request.repeats + max(len(request.identifiers) - len(plan.numbers), 0),
            left_out=request.left_out,
            locked=await self._locked(kind, plan, change),
            conditions=await self._conditions(provider, kind, request),
        )

    async def _locked(self, kind: Kind, plan: Plan, change: Change) -> list[Held]:
        """Return who holds numbers of the plan; a plan can be looked at all the same."""
        changing = [number.id for number in plan.numbers if number.batch is not None]
        async with self._context.database.reading() as tx:
            held = await tx.locks.holders(kind.provider, changing, besides=change.id)
            counts = Counter(held.values())
            locks = {lock.change: lock for lock in await tx.locks.list()} if counts else {}
        return [
            Held(change=holder, requester=locks[holder].requester, since=locks[holder].since, numbers=numbers)
            for holder, numbers in counts.most_common()
        ]

    async def _write(self, claim: Claim, change: Change, plan: Plan, summary: Summary) -> None:
        now = self._context.clock()
        policy = self._authority.policy(change.kind, summary.numbers, tuple(summary.wanted))
        async with self._context.database.transaction() as tx:
            try:
                await tx.changes.move(
                    change.id,
                    ChangeState.PLANNED,
                    summary=summary,
                    digest=plan.digest,
                    approvals_required=policy.approvals_required,
                )
            except Superseded:
                await tx.work.done(claim)
                return
            await tx.operations.add(change.id, plan.numbers)
            await tx.batches.add(change.id, change.kind, plan.batches)
            await tx.events.add(
                change.id, "planned", at=now, digest=plan.digest, numbers=summary.numbers, batches=summary.batches
            )
            await tx.work.done(claim)
            await tx.work.add(Task.DISCARD, change.id, now + self._context.timing.plan_ttl)
            await self._say.preview(tx, change.id)
        self._context.ring()

    async def _give_up(self, claim: Claim, change: Change, problem: str, *, unusable: tuple[str, ...] = ()) -> None:
        async with self._context.database.transaction() as tx:
            await tx.work.done(claim)
            await self._proposals.give_up(tx, change.id, problem, unusable=unusable, editing=True)
            await self._say.preview(tx, change.id)
        self._context.ring()

    async def forget(self, claim: Claim) -> None:
        """Carry out the task: give up a plan that nobody asked approval for in time."""
        problem = "Nobody asked for approval of this plan in time; ask again."
        async with self._context.database.transaction() as tx:
            await tx.work.done(claim)
            if await self._proposals.give_up(tx, claim.subject, problem):
                await self._say.preview(tx, claim.subject)
        self._context.ring()


def _not_ours(provider: str, missing: Sequence[str], total: int) -> str:
    named = ", ".join(missing[:NAMED])
    more = f" and {len(missing) - NAMED:,} more" if len(missing) > NAMED else ""
    return (
        f"{len(missing):,} of {total:,} numbers are not in the {provider} account, or cannot be changed there now: "
        f"{named}{more}. Take them out, or correct them, and plan again."
    )
