"""A policy, its groups and its people, for tests of what policies allow and of what is said of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot.changes.policy import ApprovalStage, Grant, Membership, Person, Policy

POLICY: Final = Policy(
    requesters=Grant(users=frozenset({"U0REQ"})),
    stages=(
        ApprovalStage(
            approvers=Grant(users=frozenset({"U0BOSS", "U0REQ"}), groups=frozenset({"S0LEADS", "S0NIGHT"})),
            approvals_required=1,
        ),
    ),
    operators=Grant(users=frozenset({"U0ROOT"})),
    approval_channel="C0APPROVALS",
    approval_ttl=timedelta(days=1),
    max_numbers=20_000,
)
GROUPS: Final[Membership] = {"S0LEADS": frozenset({"U0LEAD"}), "S0NIGHT": frozenset()}

#: What the variables say, where a file is read over them.
FALLBACK: Final = Policy(
    requesters=Grant(users=frozenset({"U0REQ"})),
    stages=(ApprovalStage(approvers=Grant(users=frozenset({"U0ANN", "U0BOB"})), approvals_required=1),),
    operators=Grant(users=frozenset({"U0ROOT"})),
    approval_channel="C0APPROVALS",
    approval_ttl=timedelta(days=1),
    max_numbers=20_000,
)
#: Kind -> its settings, as the file may name them.
KINDS: Final = {
    "telnyx.settings": ["tags", "connection_id", "billing_group_id"],
    "telnyx.emergency": ["emergency_enabled", "emergency_address_id"],
    "telnyx.delete": [],
    "close.settings": ["label"],
}
OFF: Final = frozenset({"telnyx.delete"})


def person(user: str) -> Person:
    """Return an active full member of the workspace."""
    return Person(id=user, name=user.lower(), active=True, guest=False, foreign=False, bot=False)


def approved_by(policy: Policy, approvers: Grant | None = None, *, required: int | None = None) -> Policy:
    """Return ``policy`` with other ``approvers``, or another number of approvals that are ``required``."""
    [stage] = policy.stages
    changed = replace(stage, approvers=stage.approvers if approvers is None else approvers)
    return replace(policy, stages=(replace(changed, approvals_required=required or stage.approvals_required),))
