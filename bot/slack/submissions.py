"""Submissions of modals: answered in the ack while that can wait, and in the modal after it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck

from bot.errors import DeliveryError, ModalClosed
from bot.slack.interactions import ModalSubmission
from bot.slack.services import Services
from bot.slack.views.elements import View, escape
from bot.slack.views.preview import notice

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a submission is answered with: a view in the place of the modal, or problems of its inputs."""

    view: View | None = None
    #: Block id of an input -> sentence about it.
    errors: Mapping[str, str] = field(default_factory=dict)
    #: What is done instead once the ack is out. Without it the view is shown, or the problems as a notice.
    later: Callable[[], Awaitable[None]] | None = None

    @property
    def in_ack(self) -> dict[str, Any]:
        """The body of the ack."""
        if self.errors:
            return {"response_action": "errors", "errors": dict(self.errors)}
        return {"response_action": "update", "view": self.view}

    @property
    def late(self) -> View:
        """What is shown in the modal when the ack could not wait."""
        return self.view or notice("\n".join(f"🚫 {escape(text)}" for text in self.errors.values()))


async def answer_submission(
    services: Services,
    ack: AsyncAck,
    sent: ModalSubmission,
    work: Callable[[Services, ModalSubmission], Awaitable[Reply]],
    *,
    refused: Callable[[Services, ModalSubmission, str], Reply],
    waiting: View,
    what: str,
) -> None:
    """Run ``work`` and answer with its reply, or, when it raises, with what ``refused`` makes of the sentence.

    When that takes longer than the ack may wait, the ack shows ``waiting``, and the reply comes as soon as no ack can
    cover it any more. ``what`` names it in the log.
    """
    services.modals.submitted(sent.view.id)
    reply: Reply | None = None
    waits = True

    async def deliver(made: Reply) -> None:
        nonlocal reply
        reply = made
        if not waits:
            await _late(services, sent, made)

    async def run() -> None:
        await deliver(await work(services, sent))

    async def refuse(text: str) -> None:
        await deliver(refused(services, sent, text))

    await services.clicks.within_ack(run(), refuse, what)
    # From here to the ack nothing is awaited: the reply is either in it, or comes later.
    waits = False
    await ack(**(reply.in_ack if reply else {"response_action": "update", "view": waiting}))


async def _late(services: Services, sent: ModalSubmission, reply: Reply) -> None:
    try:
        if reply.later is not None:
            await reply.later()
        else:
            await services.show(sent.view.id, reply.late)
    except DeliveryError as error:
        # Whoever has closed the modal, or cannot be reached in it, is told all the same.
        log.info(
            "answered outside of a modal that cannot be reached",
            why=error.message,
            closed=isinstance(error, ModalClosed),
        )
        await services.say(sent, _text_of(reply.late))


def _text_of(view: View) -> str:
    return "\n".join(str(block["text"]["text"]) for block in view["blocks"] if block["type"] == "section")
