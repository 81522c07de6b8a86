"""Whether anybody could ever approve a change; asked before approval is requested."""

from __future__ import annotations

from bot.changes.model.change import Change
from bot.changes.policy import ApprovalStage, Policy, UnknownGroup, broken, unsatisfiable, who_may_approve
from bot.errors import NotAuthorized
from bot.workflow.context import Context


async def approvable(context: Context, policy: Policy, change: Change) -> None:
    """Raise NotAllowed when nobody could ever approve ``change``, in one of its stages."""
    for stage in policy.stages:
        await _in_stage(context, policy, change, stage)
    nobody = () if policy.self_approval else (change.requester,)
    short = unsatisfiable(policy.stages, nobody) if len(policy.stages) > 1 else None
    if short is not None:
        raise NotAuthorized(
            f"Nobody could approve this in the stage “{short.name}”: one person's approval counts in one stage "
            "only, and its approvers are needed in others, or are only you. Ask whoever runs Linesman to add "
            "approvers to it."
        )


async def _in_stage(context: Context, policy: Policy, change: Change, stage: ApprovalStage) -> None:
    """Raise NotAllowed when nobody could ever approve ``change`` in ``stage``."""
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
