"""Checking that the people and user groups of the policy can do what they are listed for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from slack_sdk.web.async_client import AsyncWebClient

from bot.changes.policy import (
    ApprovalStage,
    Grant,
    Membership,
    Person,
    Policy,
    Reason,
    UnknownGroup,
    Verdict,
    may_approve,
    may_operate,
    may_read,
    may_request,
)
from bot.checks.asking import answers
from bot.checks.findings import Finding, counted, fail, ok, warn
from bot.config import Settings
from bot.errors import DeliveryError
from bot.slack.directory import GROUP_TROUBLE, SlackDirectory, unread
from bot.slack.web_api import call

#: User id -> who that is, or why Slack did not say.
People: TypeAlias = Mapping[str, Person | DeliveryError]
#: Group id -> ids of its users, or why Slack did not say.
Groups: TypeAlias = Mapping[str, frozenset[str] | DeliveryError]

_WHY_NOT: Final[Mapping[Reason, str]] = {
    Reason.DEACTIVATED: "whose account is deactivated",
    Reason.BOT: "which is a bot",
    Reason.FOREIGN: "who belongs to another workspace",
    Reason.INVITED: "who has not accepted the invitation to the workspace",
    Reason.GUEST: "who is a guest",
}
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


async def people(
    found: Sequence[RoleList], further: Sequence[Role], client: AsyncWebClient, directory: SlackDirectory
) -> Sequence[Finding]:
    """Ask Slack for everybody who is listed, and for as many members of groups as the approvals need."""

    async def members(group: str) -> frozenset[str]:
        return frozenset((await call(client.usergroups_users_list(usergroup=group)))["users"])

    approving = (role for listing in found for _, role in listing.stages)
    roles = [*(role for listing in found for role in listing.roles), *approving, *further]
    groups = await answers({group for role in roles for group in role.grant.groups}, members)
    ask = partial(directory.person, fresh=False)
    known = dict(await answers({user for role in roles for user in role.grant.users}, ask))
    findings: list[Finding] = []
    for listing in found:
        for role in listing.roles:
            if role.variable == "LINESMAN_OPERATORS":
                continue
            findings += _listed(role, known, groups)
        for stage, approvers in listing.stages if listing.decides else ():
            able = await _able(approvers, groups, known, directory, enough=stage.approvals_required + 1)
            findings += _enough(listing, stage, approvers, able, groups)
    last = [role for role in roles if role.variable == "LINESMAN_OPERATORS"]
    return [*findings, *(finding for role in (*last, *further) for finding in _listed(role, known, groups))]


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


def _membership(groups: Groups) -> Membership:
    return {group: unread(users) if isinstance(users, DeliveryError) else users for group, users in groups.items()}


def _listed(role: Role, known: People, groups: Groups) -> Sequence[Finding]:
    """Return what is wrong with the entries of a list, or that nothing is; an empty list is warned of elsewhere."""
    if role.grant.empty:
        return []
    if problems := [*_users(role, known), *_user_groups(role, groups)]:
        return problems
    named = [
        *(["every active full member of the workspace"] if role.grant.everyone else []),
        *([counted(len(role.grant.users), "person", "people")] if role.grant.users else []),
        *([counted(len(role.grant.groups), "user group")] if role.grant.groups else []),
    ]
    return [ok(f"{role.variable} is valid: {' and '.join(named)} may {role.deed}.")]


def _users(role: Role, known: People) -> Iterator[Finding]:
    unsaid = defaultdict(list)
    for user in sorted(role.grant.users):
        match known[user]:
            case DeliveryError(code="user_not_found" | "user_not_visible"):
                yield fail(
                    f"{role.variable} names {user}, who is unknown in this workspace: "
                    f"copy the id from the person's profile in Slack."
                )
            case DeliveryError() as error:
                unsaid[error.message].append(user)
            case Person() as person:
                verdict = role.judge(person, {})
                if not verdict.allowed:
                    yield warn(
                        f"{role.variable} names {person.name} ({user}), {_WHY_NOT[verdict.reason]} "
                        f"and may not {role.deed}: remove the id."
                    )
    for message, users in unsaid.items():
        yield fail(f"{role.variable} names {', '.join(users)}, and Slack did not say who that is. {message}")


def _user_groups(role: Role, groups: Groups) -> Iterator[Finding]:
    for group in sorted(role.grant.groups):
        match groups[group]:
            case DeliveryError() as error:
                trouble = GROUP_TROUBLE.get(error.code, f"which cannot be read. {error.message}").rstrip(".")
                yield fail(f"{role.variable} names the user group {group}, {trouble}.")
            case users if not users:
                yield warn(f"{role.variable} names the user group {group}, which has no members, so it allows nobody.")


async def _able(
    approvers: Role, groups: Groups, known: dict[str, Person | DeliveryError], directory: SlackDirectory, *, enough: int
) -> Sequence[Person]:
    """Return who can approve; not everybody is looked up, for groups can be large, but ``enough`` if there are."""
    membership = _membership(groups)
    listed = (membership[group] for group in approvers.grant.groups)
    members = frozenset[str]().union(*(users for users in listed if not isinstance(users, UnknownGroup)))
    able: list[Person] = []
    for user in sorted(approvers.grant.users | members, key=lambda user: (user not in known, user)):
        if user not in known:
            if len(able) >= enough:
                break
            known |= await answers([user], partial(directory.person, fresh=False))
        person = known[user]
        if isinstance(person, Person) and approvers.judge(person, membership).allowed:
            able.append(person)
    return able


def _enough(
    listing: RoleList, stage: ApprovalStage, approvers: Role, able: Sequence[Person], groups: Groups
) -> Iterator[Finding]:
    """Say whether the approvers suffice; ``able`` is all of them unless it is longer than what is required."""
    required, grant = stage.approvals_required, approvers.grant
    where = f" in the stage “{stage.name}”{listing.where}" if stage.name else listing.where
    called = approvers.variable.rstrip(",")
    who, needs = counted(len(able), "person", "people"), counted(required, "approval")
    if len(able) < required:
        yield fail(
            f"No change{where} can be approved: {who if able else 'nobody'} can approve and a change needs {needs}. "
            f"Add ids of active full members, or of user groups that have some, to {called}."
        )
        return
    more = "At least " if grant.groups and len(able) > required else ""
    yield ok(f"{more}{who} can approve{where}, and a change needs {needs}.")
    said_by_the_configuration = not grant.groups and len(grant.users) == required
    if len(able) == required and not said_by_the_configuration and not listing.policy.self_approval:
        membership, policy = _membership(groups), listing.policy
        own = [person.name for person in able if may_request(policy, person, membership, "", 0).allowed]
        if own:
            yield warn(
                f"Nobody can approve what {' or '.join(own)} requests{where}, because nobody approves their own "
                f"changes and no other approver is left: add somebody to {called}."
            )
