"""What a rule lets nobody do, whoever requests and whoever approves.

It is asked of the rule of the moment wherever something is let go: a rule that has become stricter counts for what
waits, too. Whoever adds such a term to a rule asks it here, and every place that lets something go asks it with that.
"""

from __future__ import annotations

from bot.changes.policy.terms import Policy


def forbidden(policy: Policy, kind: str, size: int, *, unseen: bool) -> str:
    """Return why ``policy`` allows no change of ``size`` numbers of ``kind``, as sentences; empty when it allows it.

    ``unseen`` tells that a job finds the numbers by a filter that nobody could preview.
    """
    if not policy.allowed:
        return f"The rule {policy.name} does not allow this change{f': {policy.why}' if policy.why else '.'}"
    if unseen and not policy.unpreviewable:
        return blind(policy)
    return too_large(policy, kind, size)


def too_large(policy: Policy, kind: str, size: int) -> str:
    """Return that a change of ``size`` numbers of ``kind`` is larger than ``policy`` allows; empty when it is not."""
    if size <= policy.max_numbers:
        return ""
    return f"This change has {size:,} numbers and one {kind} change may have at most {policy.max_numbers:,}: split it."


def blind(policy: Policy) -> str:
    """Return why ``policy`` does not let a job find the numbers of a filter that nobody can see beforehand."""
    return (
        f"The rule {policy.name} does not allow filters that cannot be previewed. "
        "Whoever runs Linesman can allow them with unpreviewable_filters in the policy file."
    )
