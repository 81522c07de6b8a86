"""Temporary changes: until when they are in effect, the button that ends them, and the fate of their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.changes.input.times import LENGTH, UNTIL
from bot.changes.model.batches import Tally
from bot.changes.model.change import Change
from bot.changes.model.decisions import DecisionVerb
from bot.changes.model.draft import FollowUp
from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.public_ids import public_id
from bot.changes.model.start import End, begins_at
from bot.changes.outcome.restores import Restored, how_late, restored
from bot.changes.text.counts import counted, examples
from bot.slack.views.elements import (
    Block,
    View,
    actions,
    button,
    code,
    confirmation,
    escape,
    field,
    modal,
    person,
    when,
    words,
)
from bot.slack.views.fragments import comment_lines, count_parts, decision_text, trouble
from bot.slack.views.inputs import text_input
from bot.slack.views.problems import problem_lines
from bot.slack.views.times import duration, outside_window
from bot.workflow.ports import ChangeDetails

END_NOW: Final = "end_now"
EXTEND: Final = "extend"
#: The modal that asks until when.
EXTENSION: Final = "extension"
TITLE: Final = "Extend a change"

#: States in which nothing has been changed yet.
_AHEAD: Final = frozenset({ChangeState.PLANNED, ChangeState.AWAITING_APPROVAL, ChangeState.APPROVED})


def until_line(details: ChangeDetails) -> str:
    """Return until when the change is or was in effect, and what follows; empty for a lasting change."""
    change = details.change
    if change.until is None:
        return ""
    until = f"*until {change.until}*; in your time zone, {when(change.until.at)}"
    back = "then each number returns to its current values, unless somebody changed it in the meantime"
    if change.state in _AHEAD:
        return f"⏲️ *Temporary*, {until}: {back}. One approval covers both.{_late(details, change.until)}"
    if change.state is not ChangeState.IN_EFFECT:
        return f"⏲️ *Temporary*, {until}."
    if details.restore is None:
        asked = _asked(details.extension)
        return (
            f"⏲️ *In effect* {until}. Then each number returns to its earlier values; all stay locked until then.{asked}"
        )
    restore = details.restore
    waits = f" {escape(restore.change.waiting_for)}" if restore.change.waiting_for else ""
    began = restore.change.started_at
    late = how_late(change.until.at, began) if began else None
    delay = f", which began {duration(late.total_seconds())} late" if late else ""
    counts = f"{delay}: {' · '.join(_counts(restore))}" if began else ""
    if restore.change.state is ChangeState.APPROVED and restore.opens_at is not None:
        waits = f" It starts at {when(restore.opens_at)}, when its change window opens."
    elif restore.outside_window and restore.opens_at is not None:
        waits = f" {outside_window(restore.outside_window, restore.opens_at)}"
    return f"⏪ *Being restored* by {restore.change.public_id}{counts}.{waits}"


def _asked(extension: Change | None) -> str:
    """Return that a later end waits for approval; empty if none does."""
    if extension is None or extension.state is not ChangeState.AWAITING_APPROVAL:
        return ""
    return f" {extension.public_id} asks for approval to extend it until {extension.until}."


def is_extension(change: Change) -> bool:
    """Tell whether a change requests a later end for another one."""
    return change.draft.base is not None and change.draft.base.what is FollowUp.EXTEND


def extension_line(details: ChangeDetails) -> str:
    """Return the later end that a change requests; empty for every other change."""
    change, whole = details.change, details.whole
    if not is_extension(change) or whole is None or change.until is None:
        return ""
    now = f" It currently ends on {whole.until}." if change.state is ChangeState.AWAITING_APPROVAL else ""
    return (
        f"⏲️ *Extension of {whole.public_id}*: it stays in effect *until {change.until}*; in your time zone, "
        f"{when(change.until.at)}. After that, each number returns to its earlier values.{now}"
    )


def extension_form(change: Change) -> View:
    """Return the modal that asks for a later end of a temporary change."""
    hint = f"In your time zone: tomorrow 08:00, in 4 hours. It currently ends on {change.until}."
    return modal(
        EXTENSION,
        TITLE,
        [field(UNTIL, "Until", text_input(UNTIL, "", LENGTH), hint=hint)],
        submit="Request approval",
        close="Cancel",
        private=str(change.id),
    )


def extension_history(details: ChangeDetails, data: Mapping[str, Any]) -> str:
    """Return a line of history about a request for a later end; empty when the line is about something else."""
    change = details.change
    if not is_extension(change):
        return ""
    name = f"{change.public_id}, an extension until {change.until},"
    match data["what"]:
        case "asked":
            return f"⏲️ {name} waits for approval. {person(change.requester)}"
        case "approved":
            eased = " The current policy requires no further approvals." if data.get("eased") else ""
            told = f"🟢 {name} is approved ({decision_text(details.decisions, change.approvals_required)}).{eased}"
            return "\n".join(filter(None, (told, comment_lines(details.decisions))))
        case "rejected":
            why = next((each.reason for each in details.decisions if each.verb is DecisionVerb.REJECT), "")
            return f"⛔ {name} is rejected: {words(why)} The end stays as it is. {person(change.requester)}"
        case "expired":
            return f"⌛ {name} expired: nobody decided in time. The end stays as it is. {person(change.requester)}"
        case "cancelled":
            return f"⚪ {name} is cancelled. {problem_lines(change.problem, 500)} {person(change.requester)}"
        case _:
            return ""


def _late(details: ChangeDetails, until: End) -> str:
    """Return when the numbers are restored if the change window is closed at ``until``; empty if it is open."""
    begins = begins_at(None, details.policy.windows, until.at)
    return (
        f" Its change window is closed at that time: the numbers are restored when it opens, at {when(begins)}."
        if begins
        else ""
    )


def _counts(restore: ChangeDetails) -> list[str]:
    """Return how many numbers have been restored, and how many have not yet."""
    tally = restore.tally
    return count_parts(
        verified=tally.verified,
        differs=tally.differs,
        unverified=tally.unverified,
        failed=tally.failed,
        pending=tally.pending + tally.unread,
    )


def end_button(details: ChangeDetails) -> Block | None:
    """Return the button that ends a temporary change in effect; None if there is nothing to end."""
    change = details.change
    if change.state is not ChangeState.IN_EFFECT or details.restore is not None:
        return None
    question = confirmation(
        f"End {change.public_id} now?",
        f"{counted(details.tally.changed, 'number')} will be restored, except those changed since.",
        "End now",
    )
    end = button("End now", END_NOW, str(change.id), confirm=question)
    return actions(f"temporary:{change.id}", [end, button("Extend", EXTEND, str(change.id))])


def restore_lines(details: ChangeDetails, limit: int) -> list[tuple[str, str]]:
    """Return (heading, lines) for each sort of number that was not restored."""
    restore = details.restore
    if restore is None:
        return []
    said = [(f"{heading} when they were restored", lines) for heading, lines in trouble(restore, limit=limit)]
    summary = restore.change.summary
    if summary and summary.since:
        said.append(
            (
                "Numbers left as they are, because somebody changed them",
                examples(summary.since_named, summary.since),
            )
        )
    return said


def temporary_history(details: ChangeDetails, data: Mapping[str, Any], counts: Mapping[str, int]) -> str:
    """Return a line of history about a temporary change; empty when the line is about something else.

    The end is the one at the moment that the line is about; a line by an earlier version shows the current one.
    """
    change = details.change
    end = data.get("until") or change.until
    until = f"until {end}" if end else "for a while"
    match data["what"]:
        case "in_effect":
            return f"⏲️ In effect {until}: {', '.join(count_parts(**counts))}. {person(change.requester)}"
        case "ends_soon":
            return f"⏰ {person(change.requester)}: this ends soon; it is in effect {until}."
        case "extended":
            return f"⏲️ Extended until {data['until']}."
        case "ended_early":
            return f"⏹️ {person(data['by'])} ended this early."
        case "ending":
            return f"⏪ End time reached: {public_id(data['restore'])} restores the earlier values."
        case "began_late":
            return f"⏪ {late_restore(data, change.public_id)}"
        case "ended":
            return f"🏁 Over: {restored_text(data)}. {person(change.requester)}"
        case _:
            return ""


def late_restore(data: Mapping[str, Any], who: str) -> str:
    """Return how long after the end a restore began, and what it waited for if known; ``who`` names it."""
    why = f" Reason for the delay: {code(data['why'], 300)}" if data["why"] else ""
    return f"{who} began {duration(data['seconds'])} after the end.{why}"


def restored_text(data: Mapping[str, Any]) -> str:
    """Return how many numbers were restored, left and not restored, in words."""
    parts = [f"{counted(data['restored'], 'number')} restored"]
    if data["left"]:
        parts.append(counted(data["left"], "left because somebody changed it", "left because somebody changed them"))
    if data["failed"]:
        parts.append(f"{data['failed']:,} failed")
    if data["unverified"]:
        parts.append(f"{data['unverified']:,} could not be verified")
    if data["missing"]:
        parts.append(f"{data['missing']:,} not restored")
    return ", ".join(parts)


def how_restored(details: ChangeDetails) -> Restored:
    """Return what became of the numbers of a finished temporary change."""
    restore = details.restore
    summary = restore.change.summary if restore else None
    return restored(details.tally.changed, summary, restore.tally if restore else Tally())


def ended_text(details: ChangeDetails) -> str:
    """Return how many numbers of a finished temporary change were restored; empty for every other change."""
    change = details.change
    if change.until is None or change.state is not ChangeState.FINISHED or not details.tally.changed:
        return ""
    return restored_text(how_restored(details).counts)


def not_restored(details: ChangeDetails, data: Mapping[str, Any], where: str) -> str:
    """Return the notice that numbers were not restored at the end, or cannot be yet; ``where`` names the change."""
    change = details.change
    if data["what"] == "not_restored_yet":
        return (
            f"⏳ {where} cannot be planned yet: {code(data['why'], 300)} Linesman keeps trying. An operator can "
            f"end that with `/numbers cancel {change.public_id}`; what is not restored then stays as it is."
        )
    why = f" {problem_lines(change.problem, 1000)}" if change.problem else ""
    return (
        f"❌ {where} was temporary and is over, but not all its numbers were restored: {restored_text(data)}.{why} "
        f"`/numbers undo {change.public_id}` plans a change that restores the rest."
    )
