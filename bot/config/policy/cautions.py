"""Policies that are allowed but probably not meant, one sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from bot.changes.policy import Grant, Policies, Policy, Rule, unsatisfiable
from bot.changes.text.counts import counted
from bot.config.policy.document import PolicyFile
from bot.config.policy.spans import spoken

#: Fields of a rule that have no effect where nobody may make a change, by their key in the file.
_TERMS: Final = {
    "requesters": "requesters",
    "approvers": "approvers",
    "approvals_required": "approvals_required",
    "fallback_approvers": "fallback_approvers",
    "fallback_after": "fallback_after",
    "stages": "stages",
    "self_approval": "self_approval",
    "approval_channel": "approval_channel",
    "failure_channel": "failure_channel",
    "mention": "mention",
    "approval_ttl": "deadline",
    "reminder": "reminder",
    "largest": "largest",
    "windows": "windows",
    "unpreviewable": "unpreviewable_filters",
    "on_stale": "on_stale",
}


def rule_cautions(file: PolicyFile, policies: Policies) -> tuple[str, ...]:
    """Return one sentence for each oddity of the rules in ``file``, in the order of the rules."""
    if not file.rules and file.readers.empty:
        return (f"{file.name} has no [[rule]]: the variables alone decide who may do what.",)
    shadows = _shadows(policies)
    return tuple(
        f"{file.place(rule)}: {sentence}"
        for rule in file.rules
        for sentence in ([shadows[rule]] if rule in shadows else _of(rule, policies))
    )


def variable_cautions(policies: Policies) -> Iterator[str]:
    """Yield one sentence for each oddity in the variables about people."""
    if policies.fallback_governs:
        which = " outside of the rules" if policies.rules else ""
        variables = ("LINESMAN_REQUESTERS", "LINESMAN_APPROVERS", "LINESMAN_APPROVALS_REQUIRED")
        yield from _lists(policies.fallback, *variables, which)
    if policies.fallback.operators.empty:
        yield "LINESMAN_OPERATORS is empty: nobody can unlock numbers, freeze submissions or resolve unknown jobs."


def _shadows(policies: Policies) -> Mapping[Rule, str]:
    """Return rule -> the caution about it, for rules that govern nothing."""
    places = {rule: place for place, rule in enumerate(policies.rules, 1)}
    return {
        rule: (
            f"no change reaches this rule, because rule {places[earlier]} “{earlier.name}” governs all "
            f"its changes: move it further up, or remove it."
        )
        for rule, earlier in policies.shadowed()
    }


def _of(rule: Rule, policies: Policies) -> Iterator[str]:
    if rule.allow is None:
        for kind in sorted(policies.off_by_default & set(rule.kinds)):
            yield f"{kind} is off by default and stays off: set allow = true if the rule should allow it."
    if rule.allow is False:
        idle = [key for field, key in _TERMS.items() if getattr(rule, field) is not None]
        if idle:
            yield f"with allow = false, {', '.join(idle)} has no effect: remove allow = false, or the rest."
        return
    if rule.why:
        yield "why has no effect without allow = false: nobody reads it."
    for kind, policy in policies.outcomes(rule).items():
        yield from _people(rule, policy, kind)
    policy = policies.under(rule, "")
    if _strangers(policy):
        yield "mention names none of the approvers: whoever is notified cannot approve."
    if policy.max_numbers < rule.min_numbers:
        limit = "largest" if rule.largest is not None else "LINESMAN_MAX_NUMBERS"
        yield f"min_numbers is {rule.min_numbers:,} and {limit} is {policy.max_numbers:,}: every change is too large."
    if rule.reminder and rule.reminder >= policy.approval_ttl:
        yield f"no reminders: requests expire after {spoken(policy.approval_ttl)}. Set a shorter reminder."
    yield from _too_late(policy)


def _too_late(policy: Policy) -> Iterator[str]:
    """Yield fallback approvers who may never approve, because requests have expired by then."""
    for stage in policy.stages:
        if stage.fallback_after is not None and stage.fallback_after >= policy.approval_ttl:
            where = f"stage “{stage.name}”: " if stage.name else ""
            expire = f"requests expire after {spoken(policy.approval_ttl)}"
            yield f"{where}no fallback approver ever may approve: {expire}. Set a shorter fallback_after."


def _strangers(policy: Policy) -> bool:
    """Return whether none of the people whom a request mentions can approve; group members are unknown here."""
    mention, approvers = policy.mention or Grant(), Grant.union(stage.everyone for stage in policy.stages)
    unsure = bool(mention.groups or approvers.groups)
    return bool(mention.users) and not unsure and mention.users.isdisjoint(approvers.users)


def _people(rule: Rule, policy: Policy, kind: str) -> Iterator[str]:
    requesters = "requesters" if rule.requesters is not None else "LINESMAN_REQUESTERS"
    approvers = "approvers" if rule.approvers is not None else "LINESMAN_APPROVERS"
    # Nobody said how many approvals a kind that is off by default needs; the caution names the key for it.
    required = "approvals_required" if rule.approvals_required or kind else "LINESMAN_APPROVALS_REQUIRED"
    which = f" of the kind {kind} under this rule" if kind else " under this rule"
    if rule.stages is None:
        yield from _lists(policy, requesters, approvers, required, which)
        return
    if policy.requesters.empty:
        yield f"{requesters} is empty: nobody can request a change{which}."
    yield from _short(policy, which)


def _short(policy: Policy, which: str) -> Iterator[str]:
    """Yield the stages of ``policy`` that can never be complete, because a person counts in only one stage."""
    stage = unsatisfiable(policy.stages)
    if stage is not None and stage.everyone.empty:
        yield f"stage “{stage.name}”: approvers is empty: no change{which} can be approved."
        return
    if stage is not None:
        needs = counted(stage.approvals_required, "approval")
        yield (
            f"stage “{stage.name}” needs {needs} and has too few people besides those whom earlier stages need, "
            f"because a person counts in one stage only: no change{which} can be approved."
        )
        return
    named = Grant.union(stage.everyone for stage in policy.stages).users
    own = named if policy.requesters.everyone else named & policy.requesters.users
    for person in sorted(own) if not policy.self_approval else ():
        if (stage := unsatisfiable(policy.stages, {person})) is not None:
            yield (
                f"stage “{stage.name}” has nobody left for what {person} requests: nobody approves their own, and a "
                "person counts in one stage only."
            )


def _lists(policy: Policy, requesters: str, approvers: str, required: str, which: str) -> Iterator[str]:
    """Yield oddities about the people of ``policy``; the texts are the names of its lists and changes."""
    if policy.requesters.empty:
        yield f"{requesters} is empty: nobody can request a change{which}."
    everyone = Grant.union(stage.everyone for stage in policy.stages)
    needed, named = policy.approvals_required, len(everyone.users)
    approvers_may_request = policy.requesters.everyone or policy.requesters.users & everyone.users
    if everyone.empty:
        yield f"{approvers} is empty: no change{which} can be approved."
    elif everyone.groups:
        return
    elif needed > named:
        yield f"{required} is {needed:,} and {approvers} names {named}: no change{which} can be approved."
    elif needed == named and approvers_may_request and not policy.self_approval:
        yield (
            f"{required} is {needed:,} and {approvers} names {named}: a change{which} that an approver requests "
            f"cannot be approved, because nobody approves their own."
        )
