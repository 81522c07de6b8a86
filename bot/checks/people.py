"""Checking that the people and user groups of the policy can do what they are listed for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final, TypeAlias

from slack_sdk.web.async_client import AsyncWebClient

from bot.changes.policy import ApprovalStage, Membership, Person, Reason, UnknownGroup, may_request
from bot.changes.text.counts import counted
from bot.checks.asking import answers
from bot.checks.findings import Finding, fail, ok, warn
from bot.checks.roles import Role, RoleList
from bot.errors import DeliveryError
from bot.slack.directory import GROUP_TROUBLE, SlackDirectory, unread
from bot.slack.web_api import call

#: User id -> the person, or why Slack did not answer.
People: TypeAlias = Mapping[str, Person | DeliveryError]
#: Group id -> ids of its users, or why Slack did not answer.
Groups: TypeAlias = Mapping[str, frozenset[str] | DeliveryError]

_WHY_NOT: Final[Mapping[Reason, str]] = {
    Reason.DEACTIVATED: "whose account is deactivated",
    Reason.BOT: "which is a bot",
    Reason.FOREIGN: "who belongs to another workspace",
    Reason.INVITED: "who has not accepted the invitation to the workspace",
    Reason.GUEST: "who is a guest",
}


async def people(
    found: Sequence[RoleList], further: Sequence[Role], client: AsyncWebClient, directory: SlackDirectory
) -> Sequence[Finding]:
    """Ask Slack about everybody who is listed, and about as many group members as the approvals need."""

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


def _membership(groups: Groups) -> Membership:
    return {group: unread(users) if isinstance(users, DeliveryError) else users for group, users in groups.items()}


def _listed(role: Role, known: People, groups: Groups) -> Sequence[Finding]:
    """Return the problems of a list's entries, or that there are none; an empty list is reported elsewhere."""
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
    """Return who can approve; not everybody is looked up, as groups can be large, but ``enough`` if possible."""
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
    """Say whether the approvers suffice; ``able`` is all of them unless there are more than required."""
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
