"""Delegations: the list of them with its buttons, and the answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.changes.model.delegation import Delegation
from bot.slack.views.elements import (
    Block,
    beside,
    button,
    confirmation,
    context,
    counted,
    paragraphs,
    person,
    section,
    when,
)

END: Final = "end_delegation"
#: Delegations in one list: Slack takes 50 blocks (API.md, "Lengths of texts and elements").
SHOWN: Final = 40
_HOW: Final = "`/numbers delegate @max until Mon 08:00` lends your right to approve changes to somebody else."


def delegation_list(
    delegations: Sequence[Delegation], reader: str, *, everybodys: bool, first: str = ""
) -> tuple[str, list[Block]]:
    """Return who lends their right to approve to whom until when; ``first`` stands above it."""
    blocks = paragraphs([first]) if first else []
    if not delegations:
        none = "Nobody lends a right to approve now."
        text = none if everybodys else "You lend no right to approve, nor borrow one."
        return first or text, [*blocks, section(text), context(_HOW)]
    blocks.append(section("*Delegations*"))
    blocks += [beside(section(_line(each, reader)), _end_button(each)) for each in delegations[:SHOWN]]
    if (more := len(delegations) - SHOWN) > 0:
        blocks.append(context(f"… and {more:,} more"))
    blocks.append(context(_HOW))
    return first or counted(len(delegations), "delegation"), blocks


def _line(delegation: Delegation, reader: str) -> str:
    until = f"until {when(delegation.until.at)}"
    if delegation.delegator == reader:
        return f"{person(delegation.delegate)} can approve for you {until}"
    if delegation.delegate == reader:
        return f"You can approve for {person(delegation.delegator)} {until}"
    return f"{person(delegation.delegate)} can approve for {person(delegation.delegator)} {until}"


def _end_button(delegation: Delegation) -> Block:
    question = confirmation(
        "End this delegation?",
        "What was approved under it no longer counts, unless it has started. Waves that wait are not sent.",
        "End",
    )
    return button("End", END, str(delegation.id), style="danger", confirm=question)


def lent_text(delegation: Delegation) -> str:
    """Return the answer to whoever has lent their right."""
    return (
        f"🤝 {person(delegation.delegate)} can approve changes for you until *{delegation.until}*, except what one of "
        "you two requested. Your right counts once, whoever uses it. `/numbers delegate` shows and ends it."
    )


def ended_text(delegation: Delegation, reader: str) -> str:
    """Return the answer to whoever has ended a delegation."""
    if delegation.delegator == reader:
        return f"⏹️ {person(delegation.delegate)} can no longer approve for you."
    if delegation.delegate == reader:
        return f"⏹️ You can no longer approve for {person(delegation.delegator)}."
    return f"⏹️ {person(delegation.delegate)} can no longer approve for {person(delegation.delegator)}."
