"""Telling the present request for approval from copies of it that Slack may still show."""

from __future__ import annotations

from bot.changes.model.change import Change, MessageRef
from bot.changes.model.messages import Topic
from bot.errors import Superseded
from bot.store.transaction import Transaction


async def only_the_present(tx: Transaction, change: Change, clicked: MessageRef | None) -> None:
    """Raise Superseded when ``clicked``, the message with the button, is not the present request for approval.

    None is a button that stands in no message of its own, on a Home tab say. While Slack has not said yet where the
    present request is, any message of its channel counts but those that are known to have been left behind.
    """
    if clicked is None or clicked == change.approval_card:
        return
    posted = bool(change.approval_card.ts)
    here = clicked.channel == change.approval_card.channel
    if not posted and here and clicked not in await tx.outbox.former(change.id, Topic.APPROVAL_CARD):
        return
    raise Superseded(
        f"This is an old copy of the approval request for {change.public_id}, so it no longer works. "
        + ("Decide on the current one." if posted else "The current one follows in a moment."),
        instead=change.id,
    )
