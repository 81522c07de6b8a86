"""The modal after the form: planning, the plan, or why there is none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from bot.changes.model.change import Change
from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.public_ids import public_id
from bot.changes.model.summary import Summary
from bot.changes.text.counts import counted
from bot.slack.views.elements import (
    Block,
    View,
    actions,
    beside,
    button,
    channel,
    context,
    escape,
    field,
    fields,
    given_back,
    modal,
    quote,
    section,
    when,
)
from bot.slack.views.fragments import jobs_text, state_word
from bot.slack.views.inputs import text_input
from bot.slack.views.plan_lines import (
    filter_lines,
    locked_lines,
    numbers_text,
    sample_lines,
    wanted_lines,
    warning_lines,
)
from bot.slack.views.problems import problem_block
from bot.slack.views.rollout import rollout_line
from bot.slack.views.stages import needs_text
from bot.slack.views.templates import keep_button
from bot.slack.views.temporary import until_line
from bot.slack.views.times import waiting_lines
from bot.workflow.approval.asking import COUNT
from bot.workflow.ports import ChangeDetails

PREVIEW: Final = "preview"
EDIT: Final = "edit"
AGAIN: Final = "plan_again"
LEAVE_OUT: Final = "leave_out"
TITLE: Final = "Change phone numbers"


def loading() -> View:
    """Return the modal that is opened at once, within the three seconds for which its trigger is valid."""
    return waiting("Loading…")


def waiting(text: str, *, title: str = TITLE) -> View:
    """Return the modal for a longer wait; ``text`` is mrkdwn.

    It also says what to do if nothing follows: a killed process tells nobody.
    """
    said = context("If nothing happens within a minute, close this and check `/numbers list` before you try again.")
    return modal("loading", title, [section(text), said])


def planning(change: int, progress: str = "") -> View:
    """Return the modal while the provider is being read; ``progress`` says how far the reading is."""
    what = escape(progress) or "reading the current values"
    text = f"*{public_id(change)}* is being planned: {what}. Nothing is changed yet."
    return modal(PREVIEW, TITLE, [section(text)], close="Discard", private=_private(change, ""), notify_on_close=True)


def notice(text: str, *, title: str = TITLE, typed: Sequence[str] = ()) -> View:
    """Return a modal with one message; ``text`` is mrkdwn, and ``typed`` is given back below it."""
    return modal("notice", title, [section(text), *given_back(typed)])


def preview(details: ChangeDetails, progress: str = "") -> View:
    """Return the plan with "Request approval", its obstacle with "Edit", or the progress of planning."""
    change = details.change
    if change.state is ChangeState.PLANNED and change.summary is not None:
        return _plan(details)
    if change.state is ChangeState.DISCARDED:
        return _no_plan(change)
    if change.state is ChangeState.PLANNING:
        return planning(change.id, progress)
    return asked(change)


def _no_plan(change: Change) -> View:
    buttons = [button("Edit", EDIT, str(change.id), style="primary")]
    if change.foreign:
        columns = counted(len(change.foreign), "column")
        buttons.append(button(f"Leave out {columns} and plan the rest", LEAVE_OUT, str(change.id)))
    elif change.unusable:
        text = f"Leave out {len(change.unusable):,} and plan the rest"
        buttons.append(button(text, LEAVE_OUT, str(change.id)))
    buttons.append(button("Plan again", AGAIN, str(change.id)))
    return modal(
        PREVIEW,
        TITLE,
        [
            section("⚠️ *No plan yet.* Nothing was changed."),
            problem_block(change.problem or "This plan was closed."),
            actions(EDIT, buttons),
        ],
        private=_private(change.id, ""),
    )


def unshown(change: Change) -> View:
    """Return the modal for when Slack does not accept its content."""
    return in_the_way(
        change.id,
        (f"Slack refused to show the plan of {change.public_id}. Plan again, or start again with fewer numbers."),
    )


def in_the_way(change: int, problem: str) -> View:
    """Return the modal for when approval could not be requested, with a way to a new plan."""
    buttons = [button("Plan again", AGAIN, str(change), style="primary")]
    return modal(
        PREVIEW, TITLE, [section(f"🚫 {escape(problem)}"), actions(EDIT, buttons)], private=_private(change, "")
    )


def _plan(details: ChangeDetails) -> View:
    change, summary = details.change, details.change.summary
    if summary is None:  # for the type checker: a planned change has one
        return planning(change.id)
    heading = "" if details.kind.removes else "*New values*\n"
    blocks = [
        section(
            f"*{change.public_id}* · {details.provider}: {details.kind.title}{_revises(change)}\n"
            "Nothing is changed until somebody approves."
        ),
        fields([("Numbers", numbers_text(summary)), ("Jobs", jobs_text(details))]),
        *([section(f"*Numbers that match*\n{filter_lines(summary)}")] if summary.conditions else []),
        beside(
            section(f"{heading}{wanted_lines(details.kind, summary, details.change.draft)}"),
            keep_button(change.id),
        ),
        *([section(f"*For example*\n{sample_lines(details.kind, summary, limit=5)}")] if summary.sample else []),
    ]
    if waves := rollout_line(details):
        blocks.insert(2, section(waves))
    if until := until_line(details):
        blocks.insert(2, section(until))
    if waits := waiting_lines(details):
        blocks.insert(2, section(waits))
    if summary.locked:
        blocks.insert(1, section(f"🔒 *Locked:* {locked_lines(summary)}"))
    if warnings := warning_lines(details.kind, summary):
        blocks.append(section(f"*Before you approve*\n{warnings}"))
    blocks += [
        quote(change.draft.reason),
        section(
            f"{needs_text(details)} If nobody decides before {when(details.expires_if_asked_now)}, the request expires."
        ),
        *([_count_field()] if details.kind.removes and not summary.locked else []),
        actions(EDIT, _buttons(change, summary)),
        context(f"Plan `{change.digest[:12]}`"),
    ]
    return modal(
        PREVIEW,
        TITLE,
        blocks,
        # Without a submit button, nothing can be pressed while another change holds the numbers.
        submit="" if summary.locked else "Request approval",
        close="Discard",
        private=_private(change.id, change.digest),
        notify_on_close=True,
    )


def _revises(change: Change) -> str:
    """Return the change that the plan is for, if it is for another one."""
    return f"\nThis becomes the plan of *{public_id(change.revises)}*." if change.revises is not None else ""


def _count_field() -> Block:
    """Return the input in which the requester types how many numbers will be removed permanently."""
    element = text_input(COUNT, "", 12)
    return field(COUNT, "How many numbers will be deleted?", element, hint="Type the count to continue.")


def _buttons(change: Change, summary: Summary) -> list[Block]:
    buttons = [button("Edit", EDIT, str(change.id))]
    if summary.locked:
        held = sum(holder.numbers for holder in summary.locked)
        if summary.unknown:
            return [*buttons, button("Plan again", AGAIN, str(change.id))]
        buttons.append(button(f"Leave out {held:,} and plan the rest", LEAVE_OUT, str(change.id), style="primary"))
        buttons.append(button("Plan again", AGAIN, str(change.id)))
    return buttons


def asked(change: Change) -> View:
    """Return the modal after approval was requested."""
    where = channel(change.card.channel) if change.card.channel else "Slack"
    text = f"*{change.public_id}*: {state_word(change)}. Follow it on its card in {where}."
    return notice(text)


def asking(change: int) -> View:
    """Return the modal while the request is on its way."""
    return waiting(f"Requesting approval of *{public_id(change)}*…")


def _private(change: int, digest: str) -> str:
    return json.dumps({"change": change, "digest": digest})
