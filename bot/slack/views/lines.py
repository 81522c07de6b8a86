"""The lines of a thread, and the notices in the failure channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from bot.changes.model.change import Change
from bot.changes.model.decisions import DecisionVerb
from bot.changes.model.messages import QUESTION, MessageRef, Topic
from bot.changes.model.public_ids import public_id
from bot.changes.outcome.outcomes import UNCERTAIN
from bot.changes.policy import Audience
from bot.changes.text.counts import counted
from bot.slack.views.elements import (
    Block,
    actions,
    button,
    channel,
    code,
    escape,
    person,
    section,
    when,
    words,
)
from bot.slack.views.fragments import (
    comment_lines,
    count_parts,
    decided_by,
    decision_text,
    mentions,
    state_word,
    trouble,
)
from bot.slack.views.plan_lines import wanted_lines
from bot.slack.views.problems import problem_lines
from bot.slack.views.questions import questions
from bot.slack.views.revisions import revise_button, revised_notice, revision_history
from bot.slack.views.rollout import paused_after, rollout_history
from bot.slack.views.stages import fallback_notice, stage_history, stage_notice
from bot.slack.views.stale import LEFT_OUT, stale_history
from bot.slack.views.temporary import (
    extension_history,
    is_extension,
    late_restore,
    not_restored,
    restore_lines,
    temporary_history,
)
from bot.slack.views.times import late_start, time_history
from bot.workflow.ports import ChangeDetails

#: The button that asks for the results as a workbook.
WORKBOOK: Final = "workbook"
#: The counts in the message about the end of a change.
TOLD: Final = ("verified", "differs", "unverified", "failed", "not_attempted")


def line(details: ChangeDetails, data: Mapping[str, Any]) -> tuple[str, list[Block]]:
    """Return text and blocks of one line of history; its counts are from the moment that it is about."""
    details = details.told or details
    text = (
        rollout_history(details, data, _counts(data))
        or extension_history(details, data)
        or temporary_history(details, data, _counts(data))
        or time_history(details, data)
        or revision_history(details, data)
        or stage_history(details, data)
        or stale_history(details, data)
        or _line(details, data)
    )
    blocks = [section(text)]
    if data["what"] in {"finished", "in_effect"}:
        blocks += [section(f"*{heading}*\n{lines}") for heading, lines in trouble(details, limit=8)]
    if data["what"] == "ended":
        blocks += [section(f"*{heading}*\n{lines}") for heading, lines in restore_lines(details, limit=8)]
    if data["what"] == "changes_requested":
        blocks.append(actions(f"revise:{details.change.id}", [revise_button(details.change)]))
    if data["what"] in {"finished", "ended"}:
        blocks.append(
            actions(f"workbook:{details.change.id}", [button("Results as XLSX", WORKBOOK, str(details.change.id))])
        )
    return text, blocks


#: Lines that are the same for every change.
_ALWAYS: Final[Mapping[str, str]] = {
    "unsure": (
        "⏳ Slack cannot confirm right now that the approvers may still approve, so nothing more is sent yet. Linesman "
        "keeps trying."
    )
}


def _line(details: ChangeDetails, data: Mapping[str, Any]) -> str:
    change = details.change
    match data["what"]:
        case "approved":
            begins = data.get("begins")
            then = f"Starts {when(datetime.fromtimestamp(begins, UTC))}" if begins else "Starting now"
            if data.get("frozen"):
                then = f"{then}, once the freeze is lifted" if begins else "Starts once the freeze is lifted"
            eased = " The current policy requires no further approvals." if data.get("eased") else ""
            told = f"🟢 Approved ({decision_text(details.decisions, change.approvals_required)}).{eased} {then}."
            return "\n".join(filter(None, (told, comment_lines(details.decisions))))
        case "rejected":
            rejection = next((d for d in details.decisions if d.verb is DecisionVerb.REJECT), None)
            if rejection is None:
                return "⛔ Rejected. Nothing was changed."
            return (
                f"⛔ Rejected by {decided_by(rejection)}: {words(rejection.reason)} Nothing was "
                f"changed. {person(change.requester)} can request it again."
            )
        case "expired":
            return (
                f"⌛ Expired: nobody decided in time. Nothing was changed. {person(change.requester)} can "
                "request it again."
            )
        case "taken_back":
            return f"⚠️ {escape(data['why'])} {person(change.requester)}"
        case "cancelled":
            return f"⚪ Cancelled. {problem_lines(change.problem, 500)}"
        case "submitted":
            jobs = data["batches"]
            until = "it until it finishes" if jobs == 1 else "them until they finish"
            return f"▶️ {counted(jobs, 'job is', 'jobs are')} at {details.provider}; watching {until}."
        case "finished":
            return f"🏁 Done: {', '.join(count_parts(**_counts(data)))}. {person(change.requester)}"
        case what:
            # A line by another version of Linesman is shown as the state of the change.
            return _ALWAYS.get(what) or f"{state_word(change)}."


def _counts(data: Mapping[str, Any]) -> dict[str, int]:
    """Return the counts of a message; a message from before read-backs has none of these keys."""
    return {name: data[name] for name in ("succeeded", *TOLD) if name in data}


def failure(details: ChangeDetails, data: Mapping[str, Any], link: str) -> tuple[str, list[Block]]:
    """Return text and blocks of a notice in the failure channel; ``link`` leads to the card."""
    if data["what"] == QUESTION:
        return questions(details, link=link)
    change = details.change
    where = f"<{link}|{change.public_id}>" if link else f"*{change.public_id}*"
    if change.part_of is not None:
        where += f", which {'extends' if is_extension(change) else 'restores'} {public_id(change.part_of)},"
    notice = _late(data, where) or _notice(details, data, where)
    text = f"{notice} {person(change.requester)}, please check."
    blocks = [section(text)]
    if change.summary is not None:
        blocks.append(section(wanted_lines(details.kind, change.summary, change.draft)))
    if data["what"] == "not_restored":
        blocks += [section(f"*{heading}*\n{lines}") for heading, lines in restore_lines(details, limit=5)]
    if data["what"] in {"failed", "paused"}:
        blocks += [section(f"*{heading}*\n{lines}") for heading, lines in trouble(details, limit=5)]
    return text, blocks


def _late(data: Mapping[str, Any], where: str) -> str:
    """Return that a change began late; empty if something else happened."""
    match data["what"]:
        case "started_late":
            return f"⏰ {late_start(data, where)}"
        case "began_late":
            return f"⏪ {late_restore(data, where)}"
        case _:
            return ""


def _notice(details: ChangeDetails, data: Mapping[str, Any], where: str) -> str:
    """Return what happened, and what to do; ``where`` names the change."""
    change = details.change
    match data["what"]:
        case "failed":
            return f"❌ {where}: {_what_went_wrong(details, data)}{_spared(details, data)}."
        case "not_restored" | "not_restored_yet":
            return not_restored(details, data, where)
        case "paused":
            return f"⏸️ {where} is paused after {paused_after(details, data)}: {_what_went_wrong(details, data)}."
        case "not_in_effect":
            which = "this number" if data["numbers"] == 1 else f"these {data['numbers']:,} numbers"
            status = details.kind.statuses[0].label
            word = code(data["word"], 60)
            return f"🚨 {where}: {details.kind.jeopardy} from {which}: {data['named']}. {status} is {word}."
        case "expired":
            return f"⌛ {where} expired: nobody approved or rejected it in time. Nothing was changed."
        case "rerouted" | "moved":  # the name in earlier versions
            return (
                f"📌 The card of {where} can no longer be shown in {channel(data['each'])}: "
                f"{code(data['why'], 300)} It is now in {channel(change.card.channel)}. The change itself "
                "is not affected."
            )
        case "unasked":
            return (
                f"⚠️ The approval request for {where} could not be posted: {code(data['why'], 300)} Invite "
                f"the bot to {channel(details.policy.approval_channel)} and request approval again."
            )
        case "fault":
            name = change.public_id
            return (
                f"🛠️ {where} is stalled by an internal error: “{data['task']}” failed {data['times']} "
                f"times in a row ({code(data['why'], 100)}). Linesman retries every few minutes. "
                f"Operators: search the log for `task failed` and `{name}`. `/numbers status {name}` shows "
                f"what was done; `/numbers cancel {name}` stops what is not sent yet."
            )
        case "no_sheet":
            why = code(data["why"], 300)
            return f"⚠️ The sheet {code(data['each'])} of {where} could not be posted in its thread: {why}"
        case _:
            happened = "continues without numbers that have changed" if data["what"] == LEFT_OUT else "was stopped"
            return f"⚠️ {where} {happened}: {problem_lines(change.problem, 1000)}"


def _what_went_wrong(details: ChangeDetails, data: Mapping[str, Any]) -> str:
    """Return how many numbers failed, differ and could not be verified; an older notice has only failures."""
    failed, differs, unverified = (int(data.get(name, 0)) for name in ("failed", "differs", "unverified"))
    parts = []
    if failed:
        parts.append(f"{failed:,} of {data.get('size', details.tally.total):,} numbers failed")
    if differs:
        told = not any(group.code in UNCERTAIN for group in details.differences)
        reported = f", although {details.provider} reports success" if told else ""
        parts.append(f"{counted(differs, 'number differs', 'numbers differ')} from what was approved{reported}")
    if unverified:
        parts.append(f"{counted(unverified, 'number')} could not be verified")
    if data["what"] == "paused" and (unsent := int(data.get("not_attempted", 0))):
        parts.append(f"{counted(unsent, 'was', 'were')} not attempted")
    return "; ".join(parts)


def _spared(details: ChangeDetails, data: Mapping[str, Any]) -> str:
    """Return how many numbers should have been sent but never were; empty if none."""
    spared = int(data.get("not_attempted", 0)) - (details.change.summary.unchanged if details.change.summary else 0)
    return f", and {counted(spared, 'was', 'were')} not attempted" if spared > 0 else ""


def _unanswered(details: ChangeDetails) -> Audience:
    """Return the mentioned approvers who have not answered, including those whose approval no longer counts."""
    audience = details.mentioned
    answers = [each.approvers for each in details.decisions if each.counts]
    answered = frozenset[str]().union(*answers)
    return replace(
        audience,
        users=tuple(user for user in audience.users if user not in answered),
        delegates=tuple(pair for pair in audience.delegates if answered.isdisjoint(pair)),
    )


def former(change: Change, what: Topic, successor: MessageRef, link: str) -> tuple[str, list[Block]]:
    """Return text and blocks of a card left behind for ``successor``; ``link`` leads there if known."""
    name = "request for approval" if what is Topic.APPROVAL_CARD else "card"
    where = "a direct message" if successor.channel.startswith("D") else channel(successor.channel)
    show = f" <{link}|Show it>" if link else ""
    text = (
        f"📌 The {name} of {change.public_id} is now in {where}. This message is no longer updated, and its "
        f"buttons do nothing.{show}"
    )
    return text, [section(text)]


def reminder(details: ChangeDetails, data: Mapping[str, Any]) -> tuple[str, list[Block]]:
    """Return text and blocks of a message to approvers who have not answered, or have a new plan to decide on."""
    match data.get("what"):
        case "revised":
            return revised_notice(details)
        case "stage":
            return stage_notice(details, data)
        case "fallback":
            return fallback_notice(details, data)
    change = details.change
    waiting = mentions(_unanswered(details))
    whom = f": {waiting}" if waiting else ""
    until = f" It expires {when(change.expires_at)}." if change.expires_at else ""
    passed = change.start is not None and change.start.at <= details.now
    soon = "once the freeze is lifted" if details.freeze else "at once"
    late = f" Its start, {change.start}, has passed: if approved now, it starts {soon}." if passed else ""
    text = f"⏰ {change.public_id} still waits for a decision{whom}.{late}{until}"
    return text, [section(text)]
