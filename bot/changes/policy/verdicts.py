"""The answers to "may this person do this?" under one policy."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.changes.policy.people import Audience, Grant, Membership, Person, UnknownGroup
from bot.changes.policy.terms import ENVIRONMENT, Policy, because, too_large

#: The rule that a verdict names when no rule allows a kind that is off by default.
_OFF: Final = "off by default"
_MINUTE: Final = 60


class Reason(StrEnum):
    """Why a verdict is what it is."""

    #: A list names the person, or a group that the person is in.
    LISTED = "listed"
    #: Allowed, and the person requested the change: the policy permits it, and the card must say so.
    SELF_APPROVAL = "self_approval"
    #: No list names the person.
    NOT_LISTED = "not_listed"
    #: The list is empty: it names nobody at all.
    NOBODY_LISTED = "nobody_listed"
    #: The person is in no group that could be read, and at least one could not be read just now.
    GROUP_UNREADABLE = "group_unreadable"
    #: The person is in no group that could be read, and at least one cannot be read until somebody repairs it.
    GROUP_GONE = "group_gone"
    #: The person requested this change.
    OWN_CHANGE = "own_change"
    #: The person has approved this change before.
    ALREADY_APPROVED = "already_approved"
    #: The person has approved this change in another stage than the one that is open.
    COUNTS_ELSEWHERE = "counts_elsewhere"
    #: The person's stage comes after the one that is open.
    LATER_STAGE = "later_stage"
    #: The person's stage is complete, and another one is open.
    COMPLETE_STAGE = "complete_stage"
    #: The person is a fallback approver of the open stage, which has not waited long enough.
    FALLBACK_LATER = "fallback_later"
    #: The change has more numbers than the policy allows.
    TOO_LARGE = "too_large"
    #: The person's Slack account is deactivated.
    DEACTIVATED = "deactivated"
    #: The person is a guest of the workspace.
    GUEST = "guest"
    #: The person belongs to another workspace (Slack Connect).
    FOREIGN = "foreign"
    #: The person has not accepted the invitation to the workspace.
    INVITED = "invited"
    #: The "person" is a bot.
    BOT = "bot"
    #: The rule allows nobody to do this.
    FORBIDDEN = "forbidden"
    #: The kind is off by default, and no rule allows it.
    KIND_OFF = "kind_off"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The answer to "may this person do this?"."""

    allowed: bool
    reason: Reason
    #: For the person who asked; ends with a full stop.
    sentence: str
    #: Name of the policy rule that decided.
    rule: str
    #: Name of the stage in which an approval counts; empty where the rule has only one, and for other questions.
    stage: str = ""
    #: Whether the person may approve only because the stage has waited too long for others.
    fallback: bool = False


def may_request(policy: Policy, person: Person, membership: Membership, kind: str, size: int) -> Verdict:
    """Say whether ``person`` may request a change of ``size`` numbers of ``kind``; size 0 while it is not known."""
    reason = _barred(policy, person) or _listing(policy.requesters, person, membership)
    if reason is Reason.LISTED and (large := too_large(policy, kind, size)):
        return Verdict(
            allowed=False,
            reason=Reason.TOO_LARGE,
            sentence=large,
            rule=policy.name,
        )
    return _verdict(policy, reason, "request changes", "requesters", _unread(policy.requesters, membership))


def may_approve(
    policy: Policy,
    person: Person,
    membership: Membership,
    requester: str,
    already: Collection[str],
    *,
    grant: Grant | None = None,
) -> Verdict:
    """Say whether ``person`` may decide on a change that the user ``requester`` requested.

    ``already`` holds the ids of users whose approval of this change counts so far. A rejection asks with nobody in
    ``already``: people who have approved may still change their mind. ``grant`` names who may decide, by default the
    approvers of all stages. :func:`bot.changes.policy.turns.may_approve_now` says whether an approval counts now.
    """
    grant = policy.approvers if grant is None else grant
    own = person.id == requester
    reason = _barred(policy, person)
    if reason is None and own and not policy.self_approval:
        reason = Reason.OWN_CHANGE
    if reason is None:
        reason = _listing(grant, person, membership)
    if reason is Reason.LISTED and person.id in already:
        reason = Reason.ALREADY_APPROVED
    elif reason is Reason.LISTED and own:
        reason = Reason.SELF_APPROVAL
    return _verdict(policy, reason, "approve or reject changes", "approvers", _unread(grant, membership))


def may_operate(policy: Policy, person: Person, membership: Membership) -> Verdict:
    """Say whether ``person`` may unlock numbers, freeze submissions, resolve unknown jobs and export."""
    reason = _standing(person) or _listing(policy.operators, person, membership)
    return _verdict(policy, reason, "act as an operator", "operators", _unread(policy.operators, membership))


def may_stop_own(policy: Policy, person: Person) -> Verdict:
    """Say whether ``person`` may stop a change of their own: every active full member of the workspace may."""
    return _verdict(policy, _standing(person) or Reason.LISTED, "cancel changes", "members", {})


def may_delegate(policy: Policy, approvers: Grant, person: Person, membership: Membership) -> Verdict:
    """Say whether ``person`` may lend the right to approve; ``approvers`` are all who may approve under any rule."""
    reason = _standing(person) or _listing(approvers, person, membership)
    return _verdict(policy, reason, "delegate approvals", "approvers", _unread(approvers, membership))


def may_stand_in(policy: Policy, person: Person) -> Verdict:
    """Say whether ``person`` may approve on behalf of somebody else: every active full member may."""
    return _verdict(policy, _standing(person) or Reason.LISTED, "approve for somebody else", "members", {})


def may_read(policy: Policy, readers: Grant, person: Person, membership: Membership) -> Verdict:
    """Say whether ``person`` may view changes and numbers; ``readers`` are all who may under any rule.

    Guests and people from other workspaces may not, whatever the list says.
    """
    reason = _standing(person) or _listing(readers, person, membership)
    role = "requesters, approvers or operators"
    return _verdict(policy, reason, "view changes and numbers", role, _unread(readers, membership))


def who_may_approve(policy: Policy, requester: str, grant: Grant | None = None) -> Audience:
    """Return the people of ``grant`` to show as approvers; the requester only if that approval would count.

    Without ``grant``, they are the approvers of all stages.
    """
    if not policy.allowed:
        return Audience(users=(), groups=())
    grant = policy.approvers if grant is None else grant
    users = grant.users if policy.self_approval else grant.users - {requester}
    return Audience(users=tuple(sorted(users)), groups=tuple(sorted(grant.groups)))


def whom_to_mention(policy: Policy, requester: str, grant: Grant | None = None) -> Audience:
    """Return the people whom a request mentions: those of ``grant`` who may approve, unless the policy names others."""
    if policy.mention is None or not policy.allowed:
        return who_may_approve(policy, requester, grant)
    return Audience(users=tuple(sorted(policy.mention.users)), groups=tuple(sorted(policy.mention.groups)))


def kind_off(kind: str) -> Verdict:
    """Refuse a change of ``kind`` that no rule governs, because the kind is off by default."""
    return Verdict(
        allowed=False,
        reason=Reason.KIND_OFF,
        sentence=(
            f"Changes of the kind {kind} are off unless a rule of the policy file allows them, and none allows this "
            f"one. Whoever runs Linesman can add a rule."
        ),
        rule=_OFF,
    )


def _barred(policy: Policy, person: Person) -> Reason | None:
    """Return why ``person`` may not do it, whatever the lists say."""
    return _standing(person) or (None if policy.allowed else Reason.FORBIDDEN)


def _standing(person: Person) -> Reason | None:
    """Return why ``person`` never counts, under any policy."""
    if not person.active:
        return Reason.DEACTIVATED
    if person.bot:
        return Reason.BOT
    if person.foreign:
        return Reason.FOREIGN
    if person.invited:
        return Reason.INVITED
    if person.guest:
        return Reason.GUEST
    return None


def lists(grant: Grant, person: Person, membership: Membership) -> bool:
    """Tell whether ``grant`` certainly names ``person``, or a group that they are in."""
    return _listing(grant, person, membership) is Reason.LISTED


def _listing(grant: Grant, person: Person, membership: Membership) -> Reason:
    if grant.names(person.id):
        return Reason.LISTED
    if grant.empty:
        return Reason.NOBODY_LISTED
    groups = [membership.get(group, UnknownGroup()) for group in grant.groups]
    if any(not isinstance(users, UnknownGroup) and person.id in users for users in groups):
        return Reason.LISTED
    unread = [users for users in groups if isinstance(users, UnknownGroup)]
    if any(not each.trouble for each in unread):
        return Reason.GROUP_UNREADABLE  # the answer may be different in a minute
    return Reason.GROUP_GONE if unread else Reason.NOT_LISTED


def _unread(grant: Grant, membership: Membership) -> Mapping[str, UnknownGroup]:
    """Return the groups of ``grant`` that could not be read."""
    found = {group: membership.get(group, UnknownGroup()) for group in sorted(grant.groups)}
    return {group: users for group, users in found.items() if isinstance(users, UnknownGroup)}


def broken(role: str, unread: Mapping[str, UnknownGroup]) -> str:
    """Return lasting problems with the groups of the list ``role``, and who must repair them, as sentences."""
    named = [f"the user group {group}, {each.trouble}" for group, each in unread.items() if each.trouble]
    return f"The list of {role} names {'; and '.join(named)}. Only whoever runs Linesman can fix that."


def in_a_while(seconds: float) -> str:
    """Return when trying again is worthwhile: "in a minute"."""
    return "in a minute" if seconds <= _MINUTE else f"in {math.ceil(seconds / _MINUTE)} minutes"


def _verdict(policy: Policy, reason: Reason, deed: str, role: str, unread: Mapping[str, UnknownGroup]) -> Verdict:
    # Everybody knows the rule of the environment variables; other rules are named, as they differ between changes.
    under = "" if policy.name == ENVIRONMENT else f" under the rule “{policy.name}”"
    sentences = {
        Reason.LISTED: f"You may {deed}.",
        Reason.SELF_APPROVAL: f"You requested this change, and the rule {policy.name} lets you approve it yourself.",
        Reason.NOT_LISTED: (
            f"You may not {deed}{under}: you are not one of the {role}. Whoever runs Linesman can add you."
        ),
        Reason.NOBODY_LISTED: (
            f"Nobody may {deed}{under}: the list of {role} is empty. Whoever runs Linesman can fill it."
        ),
        Reason.GROUP_UNREADABLE: (
            f"Slack did not say who is in the user groups of the {role}, so you may not {deed}{under} right now. "
            f"Try again {in_a_while(max((each.wait for each in unread.values()), default=0))}."
        ),
        Reason.GROUP_GONE: f"You may not {deed}{under} right now. {broken(role, unread)}",
        Reason.FORBIDDEN: f"Nobody may {deed}{under}{because(policy)}",
        Reason.OWN_CHANGE: "You requested this change, so somebody else must approve it.",
        Reason.ALREADY_APPROVED: "You have already approved this change; somebody else must give the next approval.",
        Reason.DEACTIVATED: f"A deactivated Slack account may not {deed}.",
        Reason.GUEST: f"Guests of this workspace may not {deed}.",
        Reason.FOREIGN: f"People from another workspace may not {deed}.",
        Reason.INVITED: f"People who have not accepted the invitation to this workspace may not {deed}.",
        Reason.BOT: f"Bots may not {deed}.",
    }
    return Verdict(
        allowed=reason in {Reason.LISTED, Reason.SELF_APPROVAL},
        reason=reason,
        sentence=sentences[reason],
        rule=policy.name,
    )
