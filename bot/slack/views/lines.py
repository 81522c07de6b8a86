"""The lines of a thread, and the notices in the failure channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.changes.records import Verb
from bot.slack.views.elements import Block, code, counted, person, section, when
from bot.slack.views.pieces import audience_text, decision_text, failure_lines, wanted_lines
from bot.workflow.ports import Story


def line(story: Story, data: Mapping[str, Any]) -> tuple[str, list[Block]]:
    """Return text and blocks of one line of history; the counts are those of the moment it tells of."""
    text = _line(story, data)
    blocks = [section(text)]
    if data["what"] == "finished" and story.failures:
        blocks.append(section(failure_lines(story.failures, limit=8)))
    return text, blocks


def _line(story: Story, data: Mapping[str, Any]) -> str:
    change = story.change
    match data["what"]:
        case "approved":
            return f"🟢 Approved ({decision_text(story.decisions, change.approvals_required)}). Starting now."
        case "rejected":
            rejection = next((d for d in story.decisions if d.verb is Verb.REJECT), None)
            if rejection is None:
                return "⛔ Rejected. Nothing was changed."
            return (
                f"⛔ Rejected by {person(rejection.person)}: {code(rejection.reason, 500)} Nothing was changed. "
                f"{person(change.requester)} can ask again."
            )
        case "expired":
            return f"⌛ Expired: nobody decided in time. Nothing was changed. {person(change.requester)} can ask again."
        case "cancelled":
            return f"⚪ Cancelled. {code(change.problem, 500)}"
        case "stale":
            return f"⚠️ Stale. {code(change.problem, 1500)} {person(change.requester)} can plan again on the card."
        case "stopped":
            return f"✋ {code(change.problem, 200)} {counted(data['numbers'], 'number')} will not be sent."
        case "submitted":
            jobs = data["batches"]
            return f"▶️ {jobs:,} {'job is' if jobs == 1 else 'jobs are'} at {story.provider}; watching to the end."
        case "finished":
            return f"🏁 Done: {_counts(data)} {person(change.requester)}"
        case what:
            return f"{what.replace('_', ' ')}."


def _counts(data: Mapping[str, Any]) -> str:
    parts = [f"{data['succeeded']:,} succeeded", f"{data['failed']:,} failed"]
    if data["not_attempted"]:
        parts.append(f"{data['not_attempted']:,} not attempted")
    return ", ".join(parts) + "."


def failure(story: Story, data: Mapping[str, Any], link: str) -> tuple[str, list[Block]]:
    """Return text and blocks of a notice in the failure channel; ``link`` leads to the card."""
    change = story.change
    where = f"<{link}|{change.public_id}>" if link else f"*{change.public_id}*"
    match data["what"]:
        case "failed":
            what = f"❌ {where}: {data['failed']:,} of {story.tally.total:,} numbers failed{_spared(story, data)}."
        case "expired":
            what = f"⌛ {where} expired: nobody approved or rejected it in time. Nothing was changed."
        case _:
            what = f"⚠️ {where} was stopped: {code(change.problem, 500)}"
    text = f"{what} {person(change.requester)}, please look."
    blocks = [section(text)]
    if change.summary is not None:
        blocks.append(section(wanted_lines(story.kind, change.summary)))
    if data["what"] == "failed" and story.failures:
        blocks.append(section(failure_lines(story.failures, limit=5)))
    return text, blocks


def _spared(story: Story, data: Mapping[str, Any]) -> str:
    """Return how many numbers were never sent although they should have been; empty when none."""
    spared = data["not_attempted"] - (story.change.summary.unchanged if story.change.summary else 0)
    return f", and {spared:,} {'was' if spared == 1 else 'were'} not attempted" if spared > 0 else ""


def reminder(story: Story) -> tuple[str, list[Block]]:
    """Return text and blocks of a word to the approvers who have not answered."""
    change = story.change
    answered = {decision.person for decision in story.decisions}
    waiting = replace(story.audience, users=tuple(user for user in story.audience.users if user not in answered))
    until = f" It expires {when(change.expires_at)}." if change.expires_at else ""
    text = f"⏰ {change.public_id} still waits for a decision: {audience_text(waiting)}.{until}"
    return text, [section(text)]
