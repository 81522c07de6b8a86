"""The lists of the policy, and what each of them lets somebody do."""

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

#: List of the policy -> the variable that has it where no rule says otherwise.
_VARIABLES: Final[Mapping[str, str]] = {
    "requesters": "LINESMAN_REQUESTERS",
    "approvers": "LINESMAN_APPROVERS",
    "operators": "LINESMAN_OPERATORS",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Role:
    """One list of the policy."""

    variable: str
    #: What the list allows: "approve changes".
    deed: str
    grant: Grant
    judge: Callable[[Person, Membership], Verdict]


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleList:
    """What one rule, or the variables, say about people."""

    policy: Policy
    #: Each stage, and who may come to approve in it: what the list is called, ``LINESMAN_APPROVERS``.
    stages: tuple[tuple[ApprovalStage, Role], ...]
    #: The lists that have not been looked at with another listing.
    roles: tuple[Role, ...]
    #: Whether it says itself who approves, or how many have to.
    decides: bool = True
    #: Where its changes are told apart from all others: `` under policy.toml, rule 2 “emergency”``.
    where: str = ""


def listings(settings: Settings) -> Sequence[RoleList]:
    """Return what the variables say about people, then what each rule of the policy file says itself."""
    policies, file = settings.policies, settings.policy_file
    own = _roles(settings.policy, _VARIABLES)
    [stage] = settings.policy.stages
    found = [RoleList(policy=settings.policy, stages=((stage, own[1]),), roles=own, decides=policies.fallback_governs)]
    for rule in file.rules if file else ():
        if file is None or rule.allow is False:
            continue
        place = file.place(rule)
        # A kind that is off by default takes more approvals; the strictest case is the one that may not work out.
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
    """Return a stage of the rule at ``place``, who may come to approve in it, and the lists that are its own.

    ``approvers`` is what the rule's own list of approvers is called, which is looked at as such.
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
    """Return the lists of the policy file that let nobody change anything: who may look, too, and whom to mention."""
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
    """Say whether ``person`` reads what mentions them, which asks for no right."""
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
