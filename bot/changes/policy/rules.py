"""The rules of the policy file in their order, and the choice of the one that governs a change."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, TypeVar

from bot.changes.policy.people import Grant, Membership, Person
from bot.changes.policy.stages import ApprovalStage
from bot.changes.policy.terms import OnStale, Policy
from bot.changes.policy.verdicts import Reason, Verdict, kind_off, may_request
from bot.changes.policy.windows import Window

_EVERY_KIND: Final = ("*",)
#: Approvals of a kind that is off by default, when the rule that allows it does not say how many.
_TWO: Final = 2

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """Conditions that a change must all meet, and terms; a term that is None is inherited.

    A rule governs a kind that is off by default only if it forbids, or if it names the kind (a pattern will do) and
    allows it.
    """

    name: str
    #: Kinds and patterns (``telnyx.*``; the star stands for any text); empty: every kind.
    kinds: tuple[str, ...] = ()
    #: Fewest numbers of a change that this rule governs.
    min_numbers: int = 0
    #: Most numbers of a change that this rule governs, not a limit; None: any.
    max_numbers: int | None = None
    #: Names of settings, one of which the change must touch; empty: any settings.
    settings: frozenset[str] = frozenset()

    #: False: nobody may make the change.
    allow: bool | None = None
    #: Why nobody may make it.
    why: str = ""
    requesters: Grant | None = None
    approvers: Grant | None = None
    #: Ids of channels.
    approval_channel: str | None = None
    failure_channel: str | None = None
    #: People whom a request for approval mentions; the empty grant: nobody.
    mention: Grant | None = None
    approvals_required: int | None = None
    #: People who may also approve once a request has waited for ``fallback_after``; both or neither.
    fallback_approvers: Grant | None = None
    fallback_after: timedelta | None = None
    #: Named stages, at least two, in place of all terms about approvers and approvals.
    stages: tuple[ApprovalStage, ...] | None = None
    self_approval: bool | None = None
    approval_ttl: timedelta | None = None
    #: Zero: nobody is reminded.
    reminder: timedelta | None = None
    #: Most numbers of a change that may be requested.
    largest: int | None = None
    windows: tuple[Window, ...] | None = None
    unpreviewable: bool | None = None
    on_stale: OnStale | None = None

    @property
    def everything(self) -> bool:
        """Whether neither size nor settings matter."""
        return self.min_numbers <= 1 and self.max_numbers is None and not self.settings

    def governs(self, kind: str, off_by_default: Collection[str]) -> bool:
        """Return whether this rule can govern changes of ``kind``, whatever their size and settings."""
        if not any(_like(kind, pattern) for pattern in self.kinds or _EVERY_KIND):
            return False
        return kind not in off_by_default or self.allow is False or (self.allow is True and bool(self.kinds))

    def fits(self, size: int, settings: Collection[str]) -> bool:
        """Return whether the rule is meant for a change of ``size`` numbers (at least 1) that touches ``settings``."""
        if self.settings and self.settings.isdisjoint(settings):
            return False
        return self.min_numbers <= max(size, 1) and (self.max_numbers is None or size <= self.max_numbers)

    def covers(self, other: Rule, off_by_default: Collection[str]) -> bool:
        """Return whether this rule surely governs all that ``other`` does; False when the two alone do not tell.

        If ``other`` comes later, it never governs anything.
        """
        most = self.max_numbers
        return (
            self.min_numbers <= max(other.min_numbers, 1)
            and (most is None or (other.max_numbers is not None and other.max_numbers <= most))
            and (not self.settings or (bool(other.settings) and other.settings <= self.settings))
            and all(
                any(_like(theirs, pattern) for pattern in self.kinds or _EVERY_KIND)
                for theirs in other.kinds or _EVERY_KIND
            )
            and all(
                self.governs(kind, off_by_default) for kind in off_by_default if other.governs(kind, off_by_default)
            )
        )

    def over(self, fallback: Policy, *, off_by_default: bool) -> Policy:
        """Return the policy of this rule, with missing terms from ``fallback``.

        A kind that is ``off_by_default`` needs at least two approvals, unless the rule says how many. Stages do say so.
        """
        approvals = max(_TWO, fallback.approvals_required) if off_by_default else fallback.approvals_required
        stage = ApprovalStage(
            approvers=_said(self.approvers, fallback.approvers),
            approvals_required=_said(self.approvals_required, approvals),
            fallback_approvers=self.fallback_approvers or Grant(),
            fallback_after=self.fallback_after,
        )
        return Policy(
            name=self.name,
            allowed=self.allow is not False,
            why=self.why,
            requesters=_said(self.requesters, fallback.requesters),
            stages=_said(self.stages, (stage,)),
            operators=fallback.operators,
            approval_channel=_said(self.approval_channel, fallback.approval_channel),
            own_failure_channel=_said(self.failure_channel, fallback.own_failure_channel),
            mention=_said(self.mention, fallback.mention),
            approval_ttl=_said(self.approval_ttl, fallback.approval_ttl),
            max_numbers=_said(self.largest, fallback.max_numbers),
            self_approval=_said(self.self_approval, fallback.self_approval),
            reminder=_said(self.reminder, fallback.reminder) or None,
            windows=_said(self.windows, fallback.windows),
            unpreviewable=_said(self.unpreviewable, fallback.unpreviewable),
            on_stale=_said(self.on_stale, fallback.on_stale),
        )


@dataclass(frozen=True, slots=True)
class Policies:
    """Ordered rules, over the policy of the environment; the first rule that fits a change governs it."""

    rules: tuple[Rule, ...]
    #: Governs changes that no rule governs, and gives every rule its missing terms.
    fallback: Policy
    #: Kinds that the fallback does not govern: nobody may change them, unless a rule that names them says ``allow``.
    off_by_default: frozenset[str] = frozenset()
    #: People who may view changes and numbers, besides those with a part in any rule.
    readers: Grant = field(default_factory=Grant)

    def governing(self, kind: str, size: int, settings: Collection[str]) -> Policy | None:
        """Return the policy of a change of ``size`` numbers of ``kind`` that touches ``settings`` (their names).

        When the numbers cannot be known beforehand, ``size`` is the most that there can be. None when the kind is off
        by default and no rule covers this change: then nobody may make it (:func:`kind_off`).
        """
        for rule in self.rules:
            if rule.governs(kind, self.off_by_default) and rule.fits(size, settings):
                return self.under(rule, kind)
        return None if kind in self.off_by_default else self.fallback

    def terms(self, kind: str, size: int, settings: Collection[str]) -> Policy:
        """Return the same, or the policy of the environment when there is none.

        It says when and how something is done; :meth:`governing` says whether it may be done.
        """
        return self.governing(kind, size, settings) or self.fallback

    def may_start(self, kind: str, person: Person, membership: Membership) -> Verdict:
        """Say whether ``person`` may begin a change of ``kind`` before its size and settings are known.

        Allowed when any rule that could govern it lets them request. ``membership`` must include the groups of
        :meth:`all_requesters`, until one has the person.
        """
        refusals = []
        for _, policy in self._possible(kind):
            verdict = may_request(policy, person, membership, kind, 0)
            if verdict.allowed:
                return verdict
            refusals.append(verdict)
        # An answer that may differ in a minute comes first; next, the answer of the most general rule.
        unsure = [verdict for verdict in refusals if verdict.reason is Reason.GROUP_UNREADABLE]
        return next(iter([*unsure, *reversed(refusals)]), kind_off(kind))

    def all_requesters(self, kind: str) -> Grant:
        """Return the people who may request a change of ``kind`` under any rule."""
        return Grant.union(policy.requesters for _, policy in self._possible(kind) if policy.allowed)

    @property
    def all_readers(self) -> Grant:
        """People who may view changes and numbers: readers, and all who may request, approve or operate."""
        own = (self.readers, self.fallback.requesters, self.fallback.approvers, self.fallback.operators)
        said = (
            grant
            for rule in self.rules
            for grant in (rule.requesters, rule.approvers, rule.fallback_approvers)
            if grant is not None
        )
        staged = (stage.everyone for rule in self.rules for stage in rule.stages or ())
        return Grant.union((*own, *said, *staged))

    @property
    def all_approvers(self) -> Grant:
        """People who may approve changes under any rule."""
        outcomes = (policy for rule in self.rules for policy in self.outcomes(rule).values() if policy.allowed)
        return Grant.union(stage.everyone for policy in (self.fallback, *outcomes) for stage in policy.stages)

    def largest(self, kind: str) -> int:
        """Return the most numbers that any change of ``kind`` may have, whoever asks; 0 when nobody may make one."""
        sizes = [
            policy.max_numbers if most is None else min(most, policy.max_numbers)
            for most, policy in self._possible(kind)
            if policy.allowed
        ]
        return max(sizes, default=0)

    def under(self, rule: Rule, kind: str) -> Policy:
        """Return the policy of a change of ``kind`` under ``rule``."""
        return rule.over(self.fallback, off_by_default=kind in self.off_by_default)

    def outcomes(self, rule: Rule) -> Mapping[str, Policy]:
        """Return every policy that ``rule`` can lead to, by kind; the empty text stands for all kinds that are on.

        Kinds that are off by default are included when the rule governs them differently from those that are on.
        """
        off = sorted(self.off_by_default)
        found = {} if rule.kinds and set(rule.kinds) <= set(off) else {"": self.under(rule, "")}
        for kind in off:
            if rule.governs(kind, off) and self.under(rule, kind) != found.get(""):
                found[kind] = self.under(rule, kind)
        return found

    def shadowed(self) -> Iterator[tuple[Rule, Rule]]:
        """Yield each rule that never governs anything, with the earlier rule that takes its changes."""
        for place, rule in enumerate(self.rules):
            for earlier in self.rules[:place]:
                if earlier.covers(rule, self.off_by_default):
                    yield rule, earlier
                    break

    @property
    def fallback_governs(self) -> bool:
        """Whether the rules leave anything to the fallback."""
        anything = Rule(name=self.fallback.name)
        return not any(rule.covers(anything, self.off_by_default) for rule in self.rules)

    def _possible(self, kind: str) -> Iterator[tuple[int | None, Policy]]:
        """Yield each policy that could govern a change of ``kind``, with the most numbers it is for (None: any)."""
        for rule in self.rules:
            if rule.governs(kind, self.off_by_default):
                yield rule.max_numbers, self.under(rule, kind)
                if rule.everything:
                    return
        if kind not in self.off_by_default:
            yield None, self.fallback


def _said(own: _T | None, inherited: _T) -> _T:
    return inherited if own is None else own


def _like(kind: str, pattern: str) -> bool:
    """Return whether ``pattern`` matches ``kind``, or every kind that ``kind``, itself a pattern, matches."""
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), kind) is not None
