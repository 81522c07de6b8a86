"""The requests that somebody may approve now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.changes.model.decisions import Decision
from bot.changes.model.list_rows import ListRow
from bot.changes.policy import too_large
from bot.errors import NotAuthorized
from bot.workflow.approval.rights import ApprovalRights
from bot.workflow.authorization import Authorization
from bot.workflow.context import Context

#: Most waiting requests checked for whether the person may approve them, longest-waiting first.
ASKED: Final = 50


class UndecidedRequests:
    """Finds requests that wait for somebody, in their own right or in a lent one."""

    def __init__(self, context: Context, authorization: Authorization, approval_rights: ApprovalRights) -> None:
        self._context = context
        self._authorization = authorization
        self._approval_rights = approval_rights

    async def of(self, user: str) -> Sequence[int]:
        """Return the requests that ``user`` may approve now; empty when Slack does not say who they are."""
        kinds = {kind.name for kind in self._context.catalogue.kinds}
        async with self._context.database.reading() as tx:
            undecided = await tx.list_rows.undecided(user, kinds, limit=ASKED)
            decided = await tx.decisions.of_each([list_row.id for list_row in undecided])
        return [row.id for row in undecided if await self._may_approve(user, row, decided.get(row.id, ()))]

    async def _may_approve(self, user: str, list_row: ListRow, decisions: Sequence[Decision]) -> bool:
        try:
            policy = self._authorization.policy(list_row.kind, list_row.size, list_row.settings)
            if too_large(policy, list_row.kind, list_row.size):
                return False
            await self._approval_rights.under(
                policy, user, list_row.requester, decisions, list_row.waits_since, fresh=False
            )
        except NotAuthorized:
            return False
        return True
