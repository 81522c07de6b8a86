"""The modal after the form: planning, the plan, or why there is none."""

from __future__ import annotations

import json
from typing import Final

from bot.changes.lifecycle import ChangeState
from bot.changes.records import Change, public_id
from bot.slack.views.elements import (
    View,
    actions,
    button,
    channel,
    code,
    context,
    fields,
    modal,
    quote,
    section,
    when,
)
from bot.slack.views.pieces import audience_text, numbers_text, sample_lines, state_word, wanted_lines, warning_lines
from bot.workflow.ports import Story

PREVIEW: Final = "preview"
EDIT: Final = "edit"
TITLE: Final = "Change phone numbers"


def loading() -> View:
    """Return the modal that is opened at once, within the three seconds that its trigger lives."""
    return modal("loading", TITLE, [section("One moment…")])


def planning(change: int) -> View:
    """Return the modal while the provider is being read."""
    text = f"*{public_id(change)}* is being planned: reading today's values of the numbers. Nothing is changed yet."
    return modal(PREVIEW, TITLE, [section(text)], close="Discard", private=_private(change, ""), notify_on_close=True)


def notice(text: str, *, title: str = TITLE) -> View:
    """Return a modal that says one thing; ``text`` is mrkdwn."""
    return modal("notice", title, [section(text)])


def preview(story: Story) -> View:
    """Return the plan with "Request approval", or what stands in its way with "Edit"."""
    change = story.change
    if change.state is ChangeState.PLANNED and change.summary is not None:
        return _plan(story)
    if change.state is ChangeState.DISCARDED:
        problem = code(change.problem, 2500) if change.problem else "This plan was closed."
        return modal(
            PREVIEW,
            TITLE,
            [
                section(f"⚠️ *No plan yet.* Nothing was changed.\n{problem}"),
                actions(EDIT, [button("Edit", EDIT, str(change.id), style="primary")]),
            ],
            private=_private(change.id, ""),
        )
    if change.state is ChangeState.PLANNING:
        return planning(change.id)
    return asked(change)


def _plan(story: Story) -> View:
    change, summary = story.change, story.change.summary
    if summary is None:  # for the type checker: a planned change has one
        return planning(change.id)
    blocks = [
        section(
            f"*{change.public_id}* · {story.provider}: {story.kind.title}\nNothing is changed before somebody approves."
        ),
        fields([("Numbers", numbers_text(summary)), ("Jobs", f"{summary.batches:,}")]),
        section(f"*New values*\n{wanted_lines(story.kind, summary)}"),
        section(f"*For example*\n{sample_lines(story.kind, summary, limit=5)}"),
    ]
    if warnings := warning_lines(story.kind, summary):
        blocks.append(section(f"*Mind*\n{warnings}"))
    blocks += [
        quote(change.draft.reason),
        section(
            f"*Needs {change.approvals_required} {'approval' if change.approvals_required == 1 else 'approvals'}* "
            f"from {audience_text(story.audience)}. "
            f"If nobody decides before {when(story.expires_if_asked_now)}, the request expires."
        ),
        actions(EDIT, [button("Edit", EDIT, str(change.id))]),
        context(f"Plan `{change.digest[:12]}`"),
    ]
    return modal(
        PREVIEW,
        TITLE,
        blocks,
        submit="Request approval",
        close="Discard",
        private=_private(change.id, change.digest),
        notify_on_close=True,
    )


def asked(change: Change) -> View:
    """Return the modal after approval was asked for."""
    where = channel(change.card.channel) if change.card.channel else "Slack"
    text = f"*{change.public_id}*: {state_word(change)}. Follow it on its card in {where}."
    return notice(text)


def asking(change: int) -> View:
    """Return the modal while the request is on its way."""
    return notice(f"Asking for approval of *{public_id(change)}*…")


def _private(change: int, digest: str) -> str:
    return json.dumps({"change": change, "digest": digest})
