"""Who may request, approve and operate.

Every question fails closed: an empty grant, a group that could not be read, a guest, a bot or a person from
another workspace allow nothing. Group membership arrives as data; reading it is somebody else's work.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, TypeAlias

#: User group id -> ids of its users; None when Slack did not say who is in it. A group that is absent counts as None.
Membership: TypeAlias = Mapping[str, frozenset[str] | None]

_USER: Final = re.compile(r"[UW][A-Z0-9]{2,}")
_GROUP: Final = re.compile(r"S[A-Z0-9]{2,}")
#: A longer entry is not an id, and could be a secret in the wrong place: it is not repeated in a message.
_SHOWN: Final = 24


class Reason(StrEnum):
    """Why a verdict is what it is."""

    #: A list names the person, or a group that the person is in.
    LISTED = "listed"
    #: Allowed, and the person asked for the change: the policy permits it, and the card has to say so.
    SELF_APPROVAL = "self_approval"
    #: No list names the person.
    NOT_LISTED = "not_listed"
    #: The list is empty: it names nobody at all.
    NOBODY_LISTED = "nobody_listed"
    #: The person is in no group that could be read, and at least one could not be read.
    GROUP_UNREADABLE = "group_unreadable"
    #: The person asked for this change.
    OWN_CHANGE = "own_change"
    #: The person has approved this change before.
    ALREADY_APPROVED = "already_approved"
    #: The change has more numbers than the policy allows.
    TOO_LARGE = "too_large"
    #: The person's Slack account is switched off.
    DEACTIVATED = "deactivated"
    #: The person is a guest of the workspace.
    GUEST = "guest"
    #: The person belongs to another workspace (Slack Connect).
    FOREIGN = "foreign"
    #: The person is not a person.
    BOT = "bot"


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """A list of who has one right. The empty grant names nobody."""

    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    #: Every active full member of the workspace.
    everyone: bool = False

    @classmethod
    def parse(cls, text: str, *, everyone_allowed: bool = False) -> Grant:
        """Return the grant that a comma list of user ids ``U…``/``W…``, group ids ``S…`` and ``*`` describes.

        Raises ValueError naming every entry that is none of these; ``*`` is one of them only when
        ``everyone_allowed``.
        """
        entries = {entry.strip() for entry in text.split(",")} - {""}
        users = frozenset(entry for entry in entries if _USER.fullmatch(entry))
        groups = frozenset(entry for entry in entries if _GROUP.fullmatch(entry))
        stars = entries & {"*"}
        bad = sorted(entries - users - groups - stars)
        problems = []
        if stars and not everyone_allowed:
            problems.append("may not be * (everybody): name the people or their user groups")
        if bad:
            problems.append(
                f"has {', '.join(_shown(entry) for entry in bad)}, which is no Slack id: give user ids (U… or W…) "
                f"and user group ids (S…), separated by commas"
            )
        if problems:
            raise ValueError("; it also ".join(problems))
        return cls(users=users, groups=groups, everyone=bool(stars))

    @property
    def empty(self) -> bool:
        """Whether the grant names nobody."""
        return not (self.users or self.groups or self.everyone)

    def __str__(self) -> str:
        if self.everyone:
            return "everyone"
        return ", ".join([*sorted(self.users), *sorted(self.groups)]) or "nobody"


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """The rule that decides about a change."""

    requesters: Grant
    approvers: Grant
    operators: Grant
    #: How many different people have to approve; at least 1.
    approvals_required: int
    #: How long a request waits for its approvals.
    approval_ttl: timedelta
    #: Most numbers in one change.
    max_numbers: int
    #: Whether a requester's own approval counts.
    self_approval: bool = False
    #: What decisions call this rule; the variables of the environment are one rule.
    name: str = "environment"


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Somebody in Slack, as Slack describes them at the moment of the decision (users.info)."""

    id: str
    name: str
    #: False once the account is deactivated.
    active: bool
    #: Single- or multi-channel guest.
    guest: bool
    #: A member of another workspace.
    foreign: bool
    bot: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The answer to "may this person do this?"."""

    allowed: bool
    reason: Reason
    #: For the person who asked; ends with a full stop.
    sentence: str
    #: Name of the policy rule that decided.
    rule: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Audience:
    """Whom a request for approval addresses, as sorted Slack ids."""

    users: tuple[str, ...]
    groups: tuple[str, ...]


def may_request(policy: Policy, person: Person, membership: Membership, kind: str, size: int) -> Verdict:
    """Say whether ``person`` may ask for a change of ``size`` numbers of ``kind``; size 0 while it is not known."""
    reason = _standing(person) or _listing(policy.requesters, person, membership)
    if reason is Reason.LISTED and size > policy.max_numbers:
        return Verdict(
            allowed=False,
            reason=Reason.TOO_LARGE,
            sentence=(
                f"This change has {size:,} numbers and one {kind} change may have at most "
                f"{policy.max_numbers:,}: split it."
            ),
            rule=policy.name,
        )
    return _verdict(policy, reason, deed="request changes", role="requesters")


def may_approve(
    policy: Policy, person: Person, membership: Membership, requester: str, already: Collection[str]
) -> Verdict:
    """Say whether ``person`` may decide about a change that the user ``requester`` asked for.

    ``already`` holds the ids of the users whose approval of this change counts so far. A rejection asks the same
    question with nobody in ``already``: who has approved may still think again.
    """
    own = person.id == requester
    reason = _standing(person)
    if reason is None and own and not policy.self_approval:
        reason = Reason.OWN_CHANGE
    if reason is None:
        reason = _listing(policy.approvers, person, membership)
    if reason is Reason.LISTED and person.id in already:
        reason = Reason.ALREADY_APPROVED
    elif reason is Reason.LISTED and own:
        reason = Reason.SELF_APPROVAL
    return _verdict(policy, reason, deed="approve or reject changes", role="approvers")


def may_operate(policy: Policy, person: Person, membership: Membership) -> Verdict:
    """Say whether ``person`` may unlock numbers, freeze submissions, settle unknown jobs and export."""
    reason = _standing(person) or _listing(policy.operators, person, membership)
    return _verdict(policy, reason, deed="do an operator's work", role="operators")


def who_may_approve(policy: Policy, requester: str) -> Audience:
    """Return whom to show and mention in a request for approval; the requester only if that approval would count."""
    users = policy.approvers.users if policy.self_approval else policy.approvers.users - {requester}
    return Audience(users=tuple(sorted(users)), groups=tuple(sorted(policy.approvers.groups)))


def _standing(person: Person) -> Reason | None:
    """Return why ``person`` never counts, whatever the lists say."""
    if not person.active:
        return Reason.DEACTIVATED
    if person.bot:
        return Reason.BOT
    if person.foreign:
        return Reason.FOREIGN
    if person.guest:
        return Reason.GUEST
    return None


def _listing(grant: Grant, person: Person, membership: Membership) -> Reason:
    if grant.everyone or person.id in grant.users:
        return Reason.LISTED
    if grant.empty:
        return Reason.NOBODY_LISTED
    groups = [membership.get(group) for group in grant.groups]
    if any(users is not None and person.id in users for users in groups):
        return Reason.LISTED
    return Reason.GROUP_UNREADABLE if None in groups else Reason.NOT_LISTED


def _verdict(policy: Policy, reason: Reason, *, deed: str, role: str) -> Verdict:
    sentences = {
        Reason.LISTED: f"You may {deed}.",
        Reason.SELF_APPROVAL: f"You asked for this change, and the rule {policy.name} lets you approve it yourself.",
        Reason.NOT_LISTED: f"You may not {deed}: you are not one of the {role}. Whoever runs Linesman can add you.",
        Reason.NOBODY_LISTED: f"Nobody may {deed}: the list of {role} is empty. Whoever runs Linesman can fill it.",
        Reason.GROUP_UNREADABLE: (
            f"Slack did not say who is in the user groups of the {role}, so you may not {deed} just now. "
            f"Try again in a minute."
        ),
        Reason.OWN_CHANGE: "You asked for this change, so somebody else has to approve it.",
        Reason.ALREADY_APPROVED: "You have already approved this change; the next approval has to be somebody else's.",
        Reason.DEACTIVATED: f"A deactivated Slack account may not {deed}.",
        Reason.GUEST: f"Guests of this workspace may not {deed}.",
        Reason.FOREIGN: f"People from another workspace may not {deed}.",
        Reason.BOT: f"Bots may not {deed}.",
    }
    return Verdict(
        allowed=reason in {Reason.LISTED, Reason.SELF_APPROVAL},
        reason=reason,
        sentence=sentences[reason],
        rule=policy.name,
    )


def _shown(entry: str) -> str:
    return repr(entry) if len(entry) <= _SHOWN else f"an entry of {len(entry)} characters"
