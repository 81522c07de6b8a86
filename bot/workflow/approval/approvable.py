"""Whether anybody could ever approve a change; asked before approval is requested."""

from __future__ import annotations

from collections.abc import Collection

from bot.changes.model.change import Change
from bot.changes.policy import ApprovalStage, Policy, UnknownGroup, broken, unsatisfiable, who_may_approve
from bot.changes.text.counts import counted
from bot.errors import NotAuthorized
from bot.workflow.context import Context


async def approvable(context: Context, policy: Policy, change: Change) -> None:
    """Raise NotAuthorized when nobody could ever approve ``change``, in one of its stages."""
    for stage in policy.stages:
        await _in_stage(context, policy, change, stage)
    nobody = () if policy.self_approval else (change.requester,)
    short = unsatisfiable(policy.stages, nobody)
    if short is not None:
        raise NotAuthorized(_too_few(short, nobody))


def _too_few(stage: ApprovalStage, nobody: Collection[str]) -> str:
    """Return the problem that ``stage`` can never be complete when ``nobody`` of the requester's may approve in it."""
    if stage.name:
        return (
            f"Nobody could approve this in the stage “{stage.name}”: one person's approval counts in one stage "
            "only, and its approvers are needed in others, or are only you. Ask whoever runs Linesman to add "
            "approvers to it."
        )
    count = len(stage.everyone.users.difference(nobody))
    people = f"{counted(count, 'person', 'people')}{' besides you' if nobody else ''}"
    return (
        f"This could never be approved: it needs {stage.approvals_required:,} approvals, and only {people} may give "
        "one. Ask whoever runs Linesman to add approvers (LINESMAN_APPROVERS)."
    )


async def _in_stage(context: Context, policy: Policy, change: Change, stage: ApprovalStage) -> None:
    """Raise NotAuthorized when nobody could ever approve ``change`` in ``stage``."""
    audience = who_may_approve(policy, change.requester, stage.everyone)
    if audience.users:
        return
    membership = await context.directory.membership(audience.groups, fresh=True)
    lasting = {group: each for group, each in membership.items() if isinstance(each, UnknownGroup) and each.trouble}
    if len(lasting) < len(audience.groups):
        return
    where = f" in the stage “{stage.name}”" if stage.name else ""
    if lasting:
        raise NotAuthorized(f"Nobody could approve this{where}. {broken('approvers', lasting)}")
    add = "to it" if stage.name else "(LINESMAN_APPROVERS)"
    raise NotAuthorized(
        f"Nobody could approve this{where}: the list of approvers is empty or names only you. "
        f"Ask whoever runs Linesman to add approvers {add}."
    )
