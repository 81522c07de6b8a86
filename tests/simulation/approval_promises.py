"""Promises about approvals, each with the way in which it is broken in a copy."""

from __future__ import annotations

from typing import Final

from tests.broken import Broken

MUTANTS: Final = (
    Broken(
        "nobody approves their own change",
        "bot/changes/policy/verdicts.py",
        "if reason is None and own and not policy.self_approval:",
        "if False:",
    ),
    Broken(
        "only approvers approve",
        "bot/changes/policy/verdicts.py",
        "        reason = _listing(grant, person, membership)\n",
        "        reason = Reason.LISTED\n",
    ),
    Broken(
        "as many approve as have to",
        "bot/workflow/approval/recording.py",
        "None if missing else beginning)",
        "beginning)",
    ),
    Broken(
        "the end of a request is written down",
        "bot/workflow/approval/expiry.py",
        '            await tx.events.add(change_id, "expired", at=now)\n',
        "",
    ),
    Broken(
        "a request that has ended has no buttons",
        "bot/workflow/approval/expiry.py",
        '"expired", at=now)\n            await self._notify.cards(tx, change_id)\n',
        '"expired", at=now)\n',
    ),
    Broken(
        "a comment is kept with its approval",
        "bot/slack/listeners/decisions.py",
        "            reason=sent.view.typed(COMMENT),\n            at_once",
        '            reason="",\n            at_once',
    ),
    Broken(
        "approvals fall when a plan is sent back",
        "bot/changes/planning/plan.py",
        '    return hashlib.sha256(canonical({"version": 1, "revises": former, "plan": plan}).encode()).hexdigest()\n',
        "    return plan\n",
    ),
    Broken(
        "the stages of an approval are gone through in their order",
        "bot/changes/policy/stages.py",
        "    return next((each for each in progress if not each.complete), progress[-1])\n",
        "    return next((each for each in reversed(progress) if not each.complete), progress[-1])\n",
    ),
    Broken(
        "every stage of an approval is gone through",
        "bot/workflow/approval/recording.py",
        "sum(stage.missing for stage in progress)",
        "sum(stage.missing for stage in progress[:1])",
    ),
    Broken(
        "fallback approvers wait for their time",
        "bot/changes/policy/stages.py",
        "return self.fallback_at is not None and now >= self.fallback_at",
        "return self.fallback_at is not None",
    ),
    Broken(
        "a right that is taken back at the moment of a decision decides nothing",
        "bot/workflow/approval/rights.py",
        "    if right.delegation is not None and not (await tx.delegations.hold(right.delegation.id)).active(now):\n",
        "    if False:\n",
    ),
    Broken(
        "what was approved with a right that is taken back counts no more",
        "bot/workflow/approval/delegations.py",
        "in await tx.decisions.lent(delegation.delegator, delegation.delegate):",
        "in ():",
    ),
    Broken(
        "a right is lent until the time that was said",
        "bot/changes/input/delegations.py",
        "    return End(at=read.at, zone=read.zone)\n",
        "    return End(at=read.at + (read.at - now), zone=read.zone)\n",
    ),
    Broken(
        "a lent right counts once",
        "bot/changes/model/delegation.py",
        "    return frozenset[str]().union(*(each.approvers for each in approvals))\n",
        "    return frozenset(each.person for each in approvals)\n",
    ),
)
