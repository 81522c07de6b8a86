"""Registering listeners with the Bolt app: each payload is read once, and its person gets an answer.

Submissions of modals are answered in the ack if there is time, and otherwise in the modal.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.errors import DeliveryError, ModalClosed
from bot.slack.click_runner import Answer
from bot.slack.interactions import Click, Interaction, MenuQuery, ModalSubmission, Shortcut, SlashCommand
from bot.slack.services import Services
from bot.slack.views.answers import full_boxes
from bot.slack.views.elements import View, escape
from bot.slack.views.preview import notice

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """The answer to a submission: a view that replaces the modal, or problems of its inputs."""

    view: View | None = None
    #: Block id of an input -> sentence about it.
    errors: Mapping[str, str] = field(default_factory=dict)
    #: An action to take instead once the ack is out. Without it the view is shown, or the problems as a notice.
    later: Callable[[], Awaitable[None]] | None = None

    @property
    def in_ack(self) -> dict[str, Any]:
        """The body of the ack."""
        if self.errors:
            return {"response_action": "errors", "errors": dict(self.errors)}
        return {"response_action": "update", "view": self.view}

    @property
    def late(self) -> View:
        """The modal's content when the ack could not wait."""
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
    """Run ``work`` and answer with its reply or, if it raises, with the result of ``refused`` for the sentence.

    If that takes longer than the ack may wait, the ack shows ``waiting``, and the reply follows as soon as no ack can
    cover it. ``what`` names it in the log.
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
    # Nothing is awaited from here to the ack: the reply is either in it, or comes later.
    waits = False
    await ack(**(reply.in_ack if reply else {"response_action": "update", "view": waiting}))


async def _late(services: Services, sent: ModalSubmission, reply: Reply) -> None:
    try:
        if reply.later is not None:
            await reply.later()
        else:
            await services.show(sent.view.id, reply.late)
    except DeliveryError as error:
        # A person who has closed the modal, or cannot be reached in it, is told all the same.
        log.info(
            "answered outside of a modal that cannot be reached",
            why=error.message,
            closed=isinstance(error, ModalClosed),
        )
        await services.say(sent, _text_of(reply.late))


def _text_of(view: View) -> str:
    return "\n".join(str(block["text"]["text"]) for block in view["blocks"] if block["type"] == "section")


_Act = TypeVar("_Act", bound=Interaction)
#: The work for an interaction. Its faults are reported to the person.
Work: TypeAlias = Callable[[Services, _Act], Coroutine[Any, Any, object]]


class Registry:
    """Registers handlers by what they handle. ``what`` names one in the log."""

    def __init__(self, app: AsyncApp, services: Services) -> None:
        self._app = app
        self._services = services

    def on_click(
        self,
        action: str | re.Pattern[str],
        work: Work[Click],
        what: str,
        *,
        before_ack: bool = False,
        in_modal: bool = False,
    ) -> None:
        """Listen to a button or a menu. Faults are reported where the person clicked, or ``in_modal``.

        With ``before_ack``, a decision is in the database before Slack learns that the click arrived, if three seconds
        suffice.
        """

        async def listen(ack: AsyncAck, body: dict[str, Any]) -> None:
            click = Click.of(body)
            self._services.modals.clicked(click.view)
            answer = self._services.in_modal(click) if in_modal else self._services.to_person(click)
            if before_ack:
                await self._services.clicks.within_ack(work(self._services, click), answer, what)
                await ack()
            else:
                await ack()
                self._services.clicks.hand_over(work(self._services, click), answer, what)

        self._app.block_action(action)(listen)

    def on_submit(
        self,
        callback: str,
        work: Callable[[Services, ModalSubmission], Awaitable[Reply]],
        what: str,
        *,
        refused: Callable[[Services, ModalSubmission, str], Reply],
        waiting: Callable[[ModalSubmission], View],
    ) -> None:
        """Listen to the submission of a modal; see :func:`bot.slack.registry.answer_submission`.

        ``work`` never receives a text that may have been cut off.
        """

        async def listen(ack: AsyncAck, body: dict[str, Any]) -> None:
            sent = ModalSubmission.of(body)
            if full := full_boxes(sent.view):
                await ack(response_action="errors", errors=full)
                return
            await answer_submission(self._services, ack, sent, work, refused=refused, waiting=waiting(sent), what=what)

        self._app.view_submission(callback)(listen)

    def on_close(self, callback: str, work: Work[ModalSubmission], what: str) -> None:
        """Listen to a modal being closed without a submission."""
        self._app.view_closed(callback)(self._after_ack(ModalSubmission, work, what))

    def on_command(
        self,
        command: str,
        work: Work[SlashCommand],
        what: str,
        *,
        refused: Callable[[Services, SlashCommand], Answer],
    ) -> None:
        """Listen to a slash command; ``refused`` returns the way to say that it did not work."""

        async def listen(ack: AsyncAck, body: dict[str, Any]) -> None:
            act = SlashCommand.of(body)
            await ack()
            self._services.clicks.hand_over(work(self._services, act), refused(self._services, act), what)

        self._app.command(command)(listen)

    def on_shortcut(self, callback: str, work: Work[Shortcut], what: str) -> None:
        """Listen to a shortcut, either global or on a message."""
        self._app.shortcut(callback)(self._after_ack(Shortcut, work, what))

    def on_search(self, action: str, work: Callable[[Services, MenuQuery], Awaitable[list[dict[str, Any]]]]) -> None:
        """Listen to typing into a menu; ``work`` returns its options in time."""

        async def listen(ack: AsyncAck, body: dict[str, Any]) -> None:
            await ack(options=await work(self._services, MenuQuery.of(body)))

        self._app.options(action)(listen)

    def on_home_opened(self, work: Callable[[Services, str], Coroutine[Any, Any, None]]) -> None:
        """Listen to people opening the Home tab; ``work`` gets the person's id."""

        async def answer(text: str) -> None:
            """Nobody waits for an answer to opening a tab; the log has it."""

        async def listen(body: dict[str, Any]) -> None:
            event = body["event"]
            if event.get("tab") == "home":
                self._services.clicks.hand_over(work(self._services, event["user"]), answer, "home")

        self._app.event("app_home_opened")(listen)

    def _after_ack(
        self, sort: type[_Act], work: Work[_Act], what: str
    ) -> Callable[[AsyncAck, dict[str, Any]], Awaitable[None]]:
        async def listen(ack: AsyncAck, body: dict[str, Any]) -> None:
            act = sort.of(body)
            await ack()
            self._services.clicks.hand_over(work(self._services, act), self._services.to_person(act), what)

        return listen
