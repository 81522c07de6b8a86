"""From what a person typed to a plan that can be approved."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from bot.changes.drafts import Request, read_draft
from bot.changes.kinds import Kind
from bot.changes.lifecycle import ChangeState
from bot.changes.plans import Plan, build, ids_to_name, summarise
from bot.changes.records import Change, Draft, Summary
from bot.changes.settings import Unreadable, read_value
from bot.changes.snapshots import Snapshot, Target
from bot.changes.values import Value
from bot.errors import InputError, LinesmanError, NotAllowed, NotFound, ProviderError, SecretError, Superseded
from bot.providers.base import Provider
from bot.store.transaction import Transaction
from bot.store.work import Claim, Task
from bot.workflow.announcements import Announcements
from bot.workflow.authority import Authority
from bot.workflow.context import Context

#: How often planning is tried when it ends in a fault that nobody foresaw.
ATTEMPTS = 3
#: How many unusable numbers are named before the rest is only counted.
NAMED = 20


class Unplannable(LinesmanError):
    """The request cannot be planned as it is."""


class Planning:
    """Takes requests in and plans them."""

    def __init__(self, context: Context, authority: Authority, announcements: Announcements) -> None:
        self._context = context
        self._authority = authority
        self._say = announcements

    def seal(self, draft: Draft) -> Draft:
        """Return ``draft`` with its secrets sealed; raises InputError when one cannot be used."""
        kind = self._context.catalogue.kind(draft.kind)
        typed: dict[str, Value] = dict(draft.typed)
        problems: dict[str, str] = {}
        for name, value in draft.typed.items():
            setting = kind.by_name.get(name)
            if setting is None or not setting.secret or not isinstance(value, str):
                continue
            try:
                clear = read_value(setting, value)
            except Unreadable as error:
                problems[name] = str(error)
                del typed[name]
                continue
            if self._context.vault is None:
                raise SecretError("Secrets cannot be kept safely here: LINESMAN_SECRET_KEY is not set.")
            typed[name] = self._context.vault.seal(str(clear))
        if problems:
            raise InputError(problems)
        return replace(draft, typed=typed)

    async def read(self, draft: Draft) -> Request:
        """Return what ``draft`` means; raises :class:`bot.errors.InputError` with every problem at once."""
        kind = self._context.catalogue.kind(draft.kind)
        provider = self._context.catalogue.provider(kind)
        # A long paste takes a while to read; the loop has clicks to answer meanwhile.
        return await asyncio.to_thread(
            read_draft, kind, draft, is_id=provider.is_id, max_numbers=self._context.policy.max_numbers
        )

    async def propose(self, draft: Draft, *, requester: str, origin: str, view: str, submission: str) -> int:
        """Write the change down, make its planning due and return its id.

        ``submission`` names the press of the button: delivered twice, it makes one change.
        """
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            present = await tx.changes.submitted_as(submission)
            if present is not None:
                return present
            change = await tx.changes.add(
                draft, requester=requester, origin=origin, view=view, submission=submission, now=now
            )
            await tx.work.add(Task.PLAN, change, now)
            await tx.events.add(change, "proposed", at=now, actor=requester, kind=draft.kind)
        self._context.ring()
        return change

    async def plan(self, claim: Claim) -> None:
        """Carry out the task: read the numbers, make the plan, show it; or say why there is none."""
        async with self._context.database.reading() as tx:
            change = await tx.changes.get(claim.subject)
        if change.state is not ChangeState.PLANNING:
            await self._drop(claim)
            return
        if claim.attempts > ATTEMPTS:
            await self._give_up(claim, change, "It could not be planned because of a fault on our side; see the log.")
            return
        try:
            kind = self._context.catalogue.kind(change.kind)
            provider = self._context.catalogue.provider(kind)
            request = await self.read(change.draft)
            await self._authority.request(change.requester, kind.name, len(request.identifiers))
            snapshots = await self._snapshots(provider, kind, request)
            plan = await asyncio.to_thread(build, kind, request.wanted, snapshots)
            summary = await self._summarise(provider, kind, request, plan)
        except InputError as error:
            await self._give_up(claim, change, " ".join(error.problems.values()))
        except (NotAllowed, NotFound, ProviderError, SecretError, Unplannable) as error:
            await self._give_up(claim, change, error.message)
        else:
            await self._write(claim, change, plan, summary)

    async def _snapshots(self, provider: Provider, kind: Kind, request: Request) -> Sequence[Snapshot]:
        """Return the snapshots in the order in which the numbers were given."""
        names = [setting.name for setting in kind.touched(request.wanted)]
        found: dict[str, Snapshot] = {}
        async for snapshot in provider.find(Target(identifiers=request.identifiers), names, kind):
            if snapshot.editable:
                found[snapshot.id] = found[snapshot.e164] = snapshot
        missing = [identifier for identifier in request.identifiers if identifier not in found]
        if missing:
            raise Unplannable(_not_ours(provider.title, missing, len(request.identifiers)))
        # A number given once by id and once in E.164 is one number.
        return list({found[identifier].id: found[identifier] for identifier in request.identifiers}.values())

    async def _summarise(self, provider: Provider, kind: Kind, request: Request, plan: Plan) -> Summary:
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
        repeats = request.repeats + len(request.identifiers) - len(plan.numbers)
        return summarise(kind, plan, request.wanted, labels, repeats=repeats)

    async def _write(self, claim: Claim, change: Change, plan: Plan, summary: Summary) -> None:
        now = self._context.clock()
        async with self._context.database.transaction() as tx:
            try:
                await tx.changes.move(
                    change.id,
                    ChangeState.PLANNED,
                    summary=summary,
                    digest=plan.digest,
                    approvals_required=self._context.policy.approvals_required,
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

    async def _give_up(self, claim: Claim, change: Change, problem: str) -> None:
        async with self._context.database.transaction() as tx:
            await tx.work.done(claim)
            await self._discard(tx, change.id, problem)
            await self._say.preview(tx, change.id)
        self._context.ring()

    async def discard(self, change: int, *, by: str) -> None:
        """Give up a plan that ``by`` closed; does nothing when approval was asked for meanwhile."""
        async with self._context.database.transaction() as tx:
            await self._discard(tx, change, "", actor=by)

    async def forget(self, claim: Claim) -> None:
        """Carry out the task: give up a plan that nobody asked approval for in time."""
        async with self._context.database.transaction() as tx:
            await tx.work.done(claim)
            if await self._discard(tx, claim.subject, "Nobody asked for approval of this plan in time; ask again."):
                await self._say.preview(tx, claim.subject)
        self._context.ring()

    async def _discard(self, tx: Transaction, change: int, problem: str, *, actor: str = "linesman") -> bool:
        try:
            await tx.changes.move(change, ChangeState.DISCARDED, problem=problem, finished_at=self._context.clock())
        except Superseded:
            return False
        await tx.work.remove(Task.DISCARD, [change])
        await tx.events.add(change, "discarded", at=self._context.clock(), actor=actor)
        return True

    async def _drop(self, claim: Claim) -> None:
        async with self._context.database.transaction() as tx:
            await tx.work.done(claim)


def _not_ours(provider: str, missing: Sequence[str], total: int) -> str:
    named = ", ".join(missing[:NAMED])
    more = f" and {len(missing) - NAMED:,} more" if len(missing) > NAMED else ""
    return (
        f"{len(missing):,} of {total:,} numbers are not in the {provider} account, or cannot be changed there now: "
        f"{named}{more}. Take them out, or correct them, and plan again."
    )
