"""What follows when the provider refuses to list the numbers of a filter: a job over the filter itself, or no plan."""

from __future__ import annotations

from bot.changes.input.requests import Request
from bot.changes.input.wanted_values import without_edits
from bot.changes.model.change import Change
from bot.changes.model.draft import Draft
from bot.changes.model.kinds import Kind
from bot.changes.model.summary import Summary
from bot.changes.planning.builder import handed_over
from bot.changes.planning.plan import Plan, ids_to_name
from bot.changes.planning.summary import summarise
from bot.changes.policy import blind
from bot.errors import FilterRefused, NotAuthorized, PlanRefused, in_one
from bot.providers.base import Provider
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context
from bot.workflow.planning.current_state import CurrentState
from bot.workflow.planning.validation import are_known


class RefusedFilters:
    """Plans over numbers that nobody can see, where a rule allows it: the one exception to invariant 1."""

    def __init__(self, context: Context, authorization: Authorization) -> None:
        self._context = context
        self._survey = CurrentState(context)
        self._authorization = authorization

    async def plan(
        self, provider: Provider, kind: Kind, request: Request, change: Change, refused: FilterRefused
    ) -> tuple[Plan, Summary]:
        """Return the plan of a job that is given the filter itself.

        Raises :class:`bot.errors.NotAuthorized` when no rule allows that, and :class:`bot.errors.PlanRefused` when
        there is no such job, or the rest of the request cannot go with it.
        """
        most = kind.batch_size
        fields = {field.name: field for field in kind.filters}
        if not any(fields[condition.field].can_be_handed for condition in request.conditions):
            raise PlanRefused(f"{refused.message} Choose the numbers in another way.")
        await self._authorization.request(change.requester, kind.name, most, request.names, fresh=False)
        policy = self._authorization.policy(kind.name, most, request.names)
        if not policy.unpreviewable:
            raise NotAuthorized(f"{refused.message} {blind(policy)}")
        if problems := _in_its_way(kind, request, change.draft):
            raise PlanRefused(f"{refused.message} {in_one(problems)}")
        plan = handed_over(kind, without_edits(request.wanted), request.conditions, request.start)
        labels = {
            name: await provider.labels(kind, name, ids)
            for name, ids in ids_to_name(kind, request.wanted, plan).items()
        }
        are_known(kind, provider.title, request, plan, labels)
        async with self._context.database.reading() as tx:
            counts = await tx.locks.everything(kind.provider, besides=change.id)
            locked = await self._survey.held(tx, counts)
        conditions = await self._survey.conditions(provider, kind, request)
        summary = summarise(
            kind, plan, request.wanted, labels, repeats=0, locked=locked, conditions=conditions, unknown=most
        )
        return plan, summary


def _in_its_way(kind: Kind, request: Request, draft: Draft) -> list[str]:
    """Return what cannot go with such a filter: it stands alone, and its job sends all numbers the same values."""
    problems = []
    if len(request.conditions) > 1 or request.given or request.excluded or draft.sheet or draft.base:
        problems.append(
            "A job can be given this filter only alone: remove numbers, sheet, exceptions and other filters, or choose "
            "the numbers in another way."
        )
    if request.waves:
        problems.append("Nobody can see the numbers beforehand, so there is no canary: leave it empty.")
    if request.until:
        problems.append("Nobody can see the numbers beforehand, so they cannot be restored: leave “Until” empty.")
    problems += [
        f"{setting.label} is computed from each number's current value, which cannot be read: remove it, or choose the "
        "numbers in another way."
        for setting in map(kind.setting, request.names)
        if setting.group or draft.ways.get(setting.name)
    ]
    return problems
