"""All rules in their order, and the one that governs a change."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from bot.changes.policy.people import Grant, Membership, Person
from bot.changes.policy.rules import Rule
from bot.changes.policy.terms import Policy
from bot.changes.policy.verdicts import Reason, Verdict, kind_off, may_request


@dataclass(frozen=True, slots=True)
class Policies:
    """Ordered rules, of which the first that fits governs, over the policy of the environment."""

    rules: tuple[Rule, ...]
    #: Governs what no rule does, and lends every rule what it does not say.
    fallback: Policy
    #: Kinds that the fallback does not govern: nobody may, unless a rule that names them says ``allow``.
    off_by_default: frozenset[str] = frozenset()
    #: Who may view changes and numbers besides those who have a part in any rule.
    readers: Grant = field(default_factory=Grant)

    def governing(self, kind: str, size: int, settings: Collection[str]) -> Policy | None:
        """Return the policy of a change of ``size`` numbers of ``kind`` that touches ``settings`` (their names).

        When the numbers cannot be known beforehand, ``size`` is the most that they can come to.
        None when the kind is off by default and no rule speaks of this change: then nobody may (:func:`kind_off`).
        """
        for rule in self.rules:
            if rule.governs(kind, self.off_by_default) and rule.fits(size, settings):
                return self.under(rule, kind)
        return None if kind in self.off_by_default else self.fallback

    def may_start(self, kind: str, person: Person, membership: Membership) -> Verdict:
        """Say whether ``person`` may begin a change of ``kind``, while its size and settings are not known.

        Allowed when any rule that could come to govern it lets them request. ``membership`` has to know
        the groups of :meth:`all_requesters`, until one has the person.
        """
        refusals = []
        for _, policy in self._possible(kind):
            verdict = may_request(policy, person, membership, kind, 0)
            if verdict.allowed:
                return verdict
            refusals.append(verdict)
        # What could be different in a minute is the better answer; next, what the most general rule says.
        unsure = [verdict for verdict in refusals if verdict.reason is Reason.GROUP_UNREADABLE]
        return next(iter([*unsure, *reversed(refusals)]), kind_off(kind))

    def all_requesters(self, kind: str) -> Grant:
        """Return whoever may request a change of ``kind`` under any rule."""
        return Grant.union(policy.requesters for _, policy in self._possible(kind) if policy.allowed)

    @property
    def all_readers(self) -> Grant:
        """Who may view changes and numbers: whoever may request, approve or operate under any rule, and readers."""
        own = (self.readers, self.fallback.requesters, self.fallback.approvers, self.fallback.operators)
        said = (grant for rule in self.rules for grant in (rule.requesters, rule.approvers) if grant is not None)
        return Grant.union((*own, *said))

    def largest(self, kind: str) -> int:
        """Return the most numbers that any change of ``kind`` may have, whoever asks; 0 when nobody may."""
        sizes = [
            policy.max_numbers if most is None else min(most, policy.max_numbers)
            for most, policy in self._possible(kind)
            if policy.allowed
        ]
        return max(sizes, default=0)

    def unpreviewable(self, kind: str) -> bool:
        """Return whether any change of ``kind`` may use a filter whose numbers nobody can see beforehand."""
        return any(policy.allowed and policy.unpreviewable for _, policy in self._possible(kind))

    def under(self, rule: Rule, kind: str) -> Policy:
        """Return the policy of a change of ``kind`` that ``rule`` governs."""
        return rule.over(self.fallback, off_by_default=kind in self.off_by_default)

    def outcomes(self, rule: Rule) -> Mapping[str, Policy]:
        """Return every policy that ``rule`` can come to, by kind; the empty text stands for all kinds that are on.

        Kinds that are off by default are there when the rule governs them otherwise than those that are on.
        """
        off = sorted(self.off_by_default)
        found = {} if rule.kinds and set(rule.kinds) <= set(off) else {"": self.under(rule, "")}
        for kind in off:
            if rule.governs(kind, off) and self.under(rule, kind) != found.get(""):
                found[kind] = self.under(rule, kind)
        return found

    def shadowed(self) -> Iterator[tuple[Rule, Rule]]:
        """Yield each rule that never governs anything, with the earlier rule that leaves it nothing."""
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
        """Yield what could govern a change of ``kind``: most numbers that the rule fits, None for any; its policy."""
        for rule in self.rules:
            if rule.governs(kind, self.off_by_default):
                yield rule.max_numbers, self.under(rule, kind)
                if rule.everything:
                    return
        if kind not in self.off_by_default:
            yield None, self.fallback
