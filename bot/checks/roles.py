"""The lists of the policy, and the rights that they give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.changes.policy import (
    ApprovalStage,
    Grant,
    Membership,
    Person,
    Policy,
    Reason,
    Verdict,
    may_approve,
    may_operate,
    may_read,
    may_request,
)
from bot.config import Settings

#: List of the policy -> the variable for it, where no rule says otherwise.
_VARIABLES: Final[Mapping[str, str]] = {
    "requesters": "LINESMAN_REQUESTERS",
    "approvers": "LINESMAN_APPROVERS",
    "operators": "LINESMAN_OPERATORS",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Role:
    """One list of the policy."""

    variable: str
    #: The right that the list gives: "approve changes".
    deed: str
    grant: Grant
    judge: Callable[[Person, Membership], Verdict]


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleList:
    """The lists of people in one rule, or in the variables."""

    policy: Policy
    #: Each stage with the role of its possible approvers, which has the list's name, such as ``LINESMAN_APPROVERS``.
    stages: tuple[tuple[ApprovalStage, Role], ...]
    #: The lists that were not checked with another listing.
    roles: tuple[Role, ...]
    #: Whether it sets the approvers itself, or how many are required.
    decides: bool = True
    #: A suffix that tells its changes from all others: `` under policy.toml, rule 2 “emergency”``.
    where: str = ""


def listings(settings: Settings) -> Sequence[RoleList]:
    """Return the lists of people in the variables, then the own ones of each rule of the policy file."""
    policies, file = settings.policies, settings.policy_file
    own = _roles(settings.policy, _VARIABLES)
    [stage] = settings.policy.stages
    found = [RoleList(policy=settings.policy, stages=((stage, own[1]),), roles=own, decides=policies.fallback_governs)]
    for rule in file.rules if file else ():
        if file is None or rule.allow is False:
            continue
        place = file.place(rule)
        # A kind that is off by default needs more approvals; the strictest case is the one that may fail.
        policy = max(policies.outcomes(rule).values(), key=lambda each: each.approvals_required, default=None)
        if policy is None:
            continue
        said = {key: f"{place}, {key}," for key in _VARIABLES if getattr(rule, key, None) is not None}
        roles = _roles(policy, {**_VARIABLES, **said})
        of_stages = tuple(_of_stage(policy, stage, place, said.get("approvers", "")) for stage in policy.stages)
        found.append(
            RoleList(
                policy=policy,
                stages=tuple((stage, able) for stage, able, _ in of_stages),
                roles=(
                    *(role for role, key in zip(roles, _VARIABLES, strict=True) if key in said),
                    *(role for _, _, own in of_stages for role in own),
                ),
                decides=bool(said.keys() & {"requesters", "approvers"}) or policy.stages != settings.policy.stages,
                where=f" under {place}",
            )
        )
    return found


def _of_stage(
    policy: Policy, stage: ApprovalStage, place: str, approvers: str
) -> tuple[ApprovalStage, Role, tuple[Role, ...]]:
    """Return a stage of the rule at ``place``, the role of its possible approvers, and its own lists.

    ``approvers`` is the name of the rule's own list of approvers, which is checked as such.
    """
    where = f"{place}, stage “{stage.name}”" if stage.name else place
    lists = {f"{where}, approvers,": stage.approvers} if stage.name else {}
    lists |= {f"{where}, fallback_approvers,": stage.fallback_approvers} if not stage.fallback_approvers.empty else {}
    called = f"{where}, approvers," if stage.name else approvers or _VARIABLES["approvers"]
    own = tuple(_approving(policy, variable, grant) for variable, grant in lists.items())
    return stage, _approving(policy, called, stage.everyone), own


def _approving(policy: Policy, variable: str, grant: Grant) -> Role:
    return Role(
        variable=variable,
        deed="approve changes",
        grant=grant,
        judge=lambda person, membership: may_approve(policy, person, membership, "", (), grant=grant),
    )


def further_lists(settings: Settings) -> Sequence[Role]:
    """Return the policy file's lists that let nobody change anything: viewers, and people to mention."""
    file, policy = settings.policy_file, settings.policy
    if file is None:
        return ()
    readers = Role(
        variable=f"{file.name}, readers,",
        deed="view changes and numbers",
        grant=file.readers,
        judge=lambda person, membership: may_read(policy, file.readers, person, membership),
    )
    mentions = (
        Role(variable=f"{file.place(rule)}, mention,", deed="be mentioned", grant=rule.mention, judge=_mentionable)
        for rule in file.rules
        if rule.mention is not None and rule.allow is not False
    )
    return (readers, *mentions)


def _mentionable(person: Person, _: Membership) -> Verdict:
    """Say whether ``person`` can read a message that mentions them, which needs no right."""
    reason = Reason.LISTED if person.active else Reason.DEACTIVATED
    return Verdict(allowed=person.active, reason=reason, sentence="", rule="")


def _roles(policy: Policy, called: Mapping[str, str]) -> tuple[Role, Role, Role]:
    return (
        Role(
            variable=called["requesters"],
            deed="request changes",
            grant=policy.requesters,
            judge=lambda person, membership: may_request(policy, person, membership, "", 0),
        ),
        _approving(policy, called["approvers"], policy.approvers),
        Role(
            variable=called["operators"],
            deed="act as an operator",
            grant=policy.operators,
            judge=lambda person, membership: may_operate(policy, person, membership),
        ),
    )
