"""Delegations: their list with its buttons, and the answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.changes.model.delegation import WHAT_ENDS, Delegation
from bot.changes.text.counts import counted
from bot.slack.views.elements import (
    Block,
    actions,
    beside,
    button,
    confirmation,
    context,
    paragraphs,
    person,
    section,
    when,
)

END: Final = "end_delegation"
#: Prefix of the names of the paging buttons.
PAGES: Final = "delegations"
#: Delegations on one page: Slack accepts 50 blocks (API.md, "Lengths of texts and elements").
SHOWN: Final = 40
_HOW: Final = "`/numbers delegate @max until Mon 08:00` lends your right to approve changes to somebody else."


def delegation_list(
    delegations: Sequence[Delegation], reader: str, *, everybodys: bool, first: str = "", skipped: int = 0
) -> tuple[str, list[Block]]:
    """Return a page of who lends their right to approve to whom, and until when.

    ``first`` is shown above it; the first ``skipped`` delegations are on earlier pages. If a page no longer exists, the
    last one is shown.
    """
    blocks = paragraphs([first]) if first else []
    if not delegations:
        none = "There are no active delegations."
        text = none if everybodys else "You have no delegations, given or received."
        return first or text, [*blocks, section(text), context(_HOW)]
    skipped = min(skipped, len(delegations) - 1) // SHOWN * SHOWN
    page = delegations[skipped : skipped + SHOWN]
    which = "" if len(page) == len(delegations) else f", {skipped + 1:,} to {skipped + len(page):,} of "
    blocks.append(section(f"*Delegations*{f'{which}{len(delegations):,}' if which else ''}"))
    blocks += [beside(section(_line(each, reader)), _end_button(each, skipped)) for each in page]
    blocks += _turns(skipped, len(delegations))
    blocks.append(context(_HOW))
    return first or counted(len(delegations), "delegation"), blocks


def _turns(skipped: int, total: int) -> list[Block]:
    """Return the buttons to the previous and next pages, if there are any."""
    turns = []
    if skipped:
        turns.append(button("Previous", f"{PAGES}_previous", str(skipped - SHOWN)))
    if (following := skipped + SHOWN) < total:
        turns.append(button(f"Next ({total - following:,} more)", f"{PAGES}_next", str(following)))
    return [actions(PAGES, turns)] if turns else []


def _line(delegation: Delegation, reader: str) -> str:
    until = f"until {when(delegation.until.at)}"
    if delegation.delegator == reader:
        return f"{person(delegation.delegate)} can approve for you {until}"
    if delegation.delegate == reader:
        return f"You can approve for {person(delegation.delegator)} {until}"
    return f"{person(delegation.delegate)} can approve for {person(delegation.delegator)} {until}"


def ends(value: str) -> tuple[int, int]:
    """Return the delegation that a button ends, and how many were on earlier pages."""
    delegation, _, skipped = value.partition(" ")
    return int(delegation), int(skipped or 0)


def _end_button(delegation: Delegation, skipped: int) -> Block:
    question = confirmation(
        "End this delegation?",
        f"Approvals given under it no longer count, unless the change has started. {WHAT_ENDS}",
        "End",
    )
    return button("End", END, f"{delegation.id} {skipped}", style="danger", confirm=question)


def lent_text(delegation: Delegation) -> str:
    """Return the answer to a person who has lent their right."""
    return (
        f"🤝 {person(delegation.delegate)} can approve changes for you until *{delegation.until}*, except changes "
        "that either of you requested. Only one approval counts for both of you. `/numbers delegate` lists "
        "delegations, with buttons to end them."
    )


def ended_text(delegation: Delegation, reader: str) -> str:
    """Return the answer to a person who has ended a delegation."""
    if delegation.delegator == reader:
        return f"⏹️ {person(delegation.delegate)} can no longer approve for you."
    if delegation.delegate == reader:
        return f"⏹️ You can no longer approve for {person(delegation.delegator)}."
    return f"⏹️ {person(delegation.delegate)} can no longer approve for {person(delegation.delegator)}."
