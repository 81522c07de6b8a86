"""The policy in plain words, for people who must be sure of what they wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.changes.policy import ApprovalStage, OnStale, Policies, Policy, Rule
from bot.changes.policy.windows import describe
from bot.changes.text.counts import counted
from bot.config.policy.spans import spoken


def explain(policies: Policies) -> list[str]:
    """Return one numbered sentence for each rule in order, and a last one for changes that no rule governs."""
    sentences = [f"{rule.name}: {_scope(rule)}; {_terms(rule, policies)}" for rule in policies.rules]
    rest = "every other change" if policies.rules else "every change"
    if policies.fallback_governs:
        sentences.append(f"{policies.fallback.name}: {rest}; {_allowed(policies.fallback)}")
    off = [kind for kind in sorted(policies.off_by_default) if not _allowing(kind, policies)]
    if off:
        sentences.append(
            f"off by default: {_listed(off, 'and')} changes; nobody may make them, because no rule allows it"
        )
    return [f"{place}. {sentence}." for place, sentence in enumerate(sentences, 1)]


def explain_reading(policies: Policies) -> str:
    """Return who may view changes and numbers, as a sentence."""
    everyone = policies.all_readers.everyone
    others = "" if policies.readers.empty else f", and {policies.readers}"
    who = "every active full member of the workspace" if everyone else f"requesters, approvers and operators{others}"
    return f"Who may look at changes and numbers: {who}; never guests and people of other workspaces."


def _allowing(kind: str, policies: Policies) -> bool:
    return any(rule.allow and rule.governs(kind, policies.off_by_default) for rule in policies.rules)


def _scope(rule: Rule) -> str:
    """Return "telnyx.emergency changes of at least 100 numbers that touch emergency_enabled"."""
    what = f"{_listed(rule.kinds, 'and')} changes" if rule.kinds else "changes of every kind"
    touching = f" that touch {_listed(sorted(rule.settings), 'or')}" if rule.settings else ""
    return f"{what} of {_size(rule)}{touching}"


def _size(rule: Rule) -> str:
    fewest, most = rule.min_numbers, rule.max_numbers
    if most is None:
        return "any size" if fewest <= 1 else f"at least {fewest:,} numbers"
    if fewest <= 1:
        return f"at most {counted(most, 'number')}"
    return f"{fewest:,} to {most:,} numbers" if fewest < most else counted(most, "number")


def _terms(rule: Rule, policies: Policies) -> str:
    if rule.allow is False:
        return "nobody may make them" + (f", because {rule.why.rstrip('.')}" if rule.why else "")
    outcomes = dict(policies.outcomes(rule))
    if not outcomes:
        return "nobody may make them, because they are off by default and the rule does not say allow = true"
    usual = outcomes.pop("") if "" in outcomes else outcomes.popitem()[1]
    more_approvals = "".join(f" ({policy.approvals_required:,} for {kind})" for kind, policy in outcomes.items())
    return "; ".join([_allowed(usual, more_approvals), *_routes(usual, policies.fallback)])


def _allowed(policy: Policy, more_approvals: str = "") -> str:
    return "; ".join(_parts(policy, more_approvals))


def _parts(policy: Policy, more_approvals: str) -> Iterator[str]:
    yield f"may be requested by {policy.requesters}"
    yield ", then ".join(f"{_stage(stage, more_approvals)}" for stage in policy.stages)
    if policy.self_approval:
        yield "requesters who are approvers may approve their own"
    yield f"expires after {spoken(policy.approval_ttl)}"
    yield f"first reminder after {spoken(policy.reminder)}" if policy.reminder else "no reminders"
    yield f"refused above {counted(policy.max_numbers, 'number')}"
    yield f"sent {describe(policy.windows)}"
    if policy.unpreviewable:
        yield "filters whose numbers the provider does not list may be handed to it"
    if policy.on_stale is OnStale.CONTINUE:
        yield "continues without numbers that are stale"


def _stage(stage: ApprovalStage, more_approvals: str) -> str:
    """Return "1 approval from S0SAFETY (stage safety), after 2 h also from U0BOSS"."""
    required = stage.approvals_required
    approvals = f"{counted(required, 'approval')}{more_approvals} from {stage.approvers}"
    named = f" (stage {stage.name})" if stage.name else ""
    if stage.fallback_after is None:
        return f"{approvals}{named}"
    return f"{approvals}{named}, after {spoken(stage.fallback_after)} also from {stage.fallback_approvers}"


def _routes(policy: Policy, fallback: Policy) -> Iterator[str]:
    """Yield where and whom ``policy`` notifies, if different from ``fallback``."""
    if policy.approval_channel != fallback.approval_channel:
        yield f"approval is requested in {policy.approval_channel}"
    if policy.mention is not None:
        yield f"requests for approval mention {policy.mention}"
    if policy.failure_channel != fallback.failure_channel:
        yield f"failures are reported in {policy.failure_channel}"


def _listed(words: Sequence[str], last: str) -> str:
    return f" {last} ".join(", ".join(part) for part in (words[:-1], words[-1:]) if part)
