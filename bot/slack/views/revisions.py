"""Changes to a plan requested by an approver: the modal, the lines of history, the way back to the form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.changes.input.decision_words import WORDS_LENGTH
from bot.changes.model.change import Change
from bot.slack.views.elements import Block, View, button, context, field, modal, person, section, words
from bot.slack.views.fragments import called, in_place_of
from bot.slack.views.inputs import text_input
from bot.workflow.ports import ChangeDetails

#: The modal in which an approver says what should be different.
CHANGES: Final = "changes"
WHAT: Final = "what"
#: The button that opens the form with everything from which the plan was made.
REVISE: Final = "revise"


def changes_form(change: Change, ticket: str) -> View:
    """Return the modal that asks what should be different; ``ticket`` identifies the change and the plan."""
    element = text_input(WHAT, "", WORDS_LENGTH, multiline=True)
    hint = "Everybody who sees the change can read this. To have numbers left out, name them here."
    then = (
        f"This plan of {change.public_id} can no longer be approved. Its requester gets the form back as it was "
        "filled in."
    )
    return modal(
        CHANGES,
        "Ask for changes",
        [field(WHAT, "What should be different?", element, hint=hint), context(then)],
        submit="Ask for changes",
        close="Go back",
        private=ticket,
    )


def revise_button(change: Change) -> Block:
    """Return the button that opens the form for the requester."""
    return button("Edit", REVISE, str(change.id), style="primary")


def revision_history(details: ChangeDetails, data: Mapping[str, Any]) -> str:
    """Return a line of history about a new plan; empty when the line is about something else."""
    requester = person(details.change.requester)
    match data["what"]:
        case "changes_requested":
            by = in_place_of(data["by"], data.get("on_behalf_of", ""))
            return (
                f"✏️ {by} asks for changes: {words(data['said'])} Nothing was changed, and the "
                f"numbers are unlocked. {requester}: press *Edit* to change the plan."
            )
        case "still_to_revise":
            still = "an approver is still waiting for another plan"
            return f"⏰ {requester}: {still}. Press *Edit* on the card, or cancel it."
        case "revised":
            return f"🔁 {requester} requests approval of another plan. Earlier approvals do not count for it."
        case "not_revised":
            return f"⌛ Expired: {requester} did not request approval of another plan in time. Nothing was changed."
        case _:
            return ""


def revised_notice(details: ChangeDetails) -> tuple[str, list[Block]]:
    """Return text and blocks of the message to the approvers that there is a new plan to decide on."""
    change = details.change
    text = (
        f"🔁 {called(details.mentioned)}{person(change.requester)} requests approval of another plan of "
        f"{change.public_id}. The request above shows it; earlier approvals do not count for it."
    )
    return text, [section(text)]
