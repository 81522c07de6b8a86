"""How listeners are given to the Bolt app: each payload is read once, and whoever is behind it gets an answer."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias, TypeVar

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.slack.click_runner import Answer
from bot.slack.interactions import Click, Interaction, MenuQuery, ModalSubmission, Shortcut, SlashCommand
from bot.slack.services import Services
from bot.slack.submissions import Reply, answer_submission
from bot.slack.views.elements import View

_Act = TypeVar("_Act", bound=Interaction)
#: What is done about an interaction. What goes wrong in it is told to the person.
Work: TypeAlias = Callable[[Services, _Act], Coroutine[Any, Any, object]]


class Registry:
    """Takes handlers, by what they handle. ``what`` names one in the log."""

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
        """Listen to a button or a menu. Faults are told where the person clicked, or with ``in_modal`` in its modal.

        With ``before_ack`` a decision is in the database before Slack hears that the click arrived, whenever three
        seconds allow it.
        """

        async def listen(ack: AsyncAck, body: dict[str, Any]) -> None:
            click = Click.of(body)
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
        """Listen to a modal that is sent off; see :func:`bot.slack.submissions.answer_submission`."""

        async def listen(ack: AsyncAck, body: dict[str, Any]) -> None:
            sent = ModalSubmission.of(body)
            await answer_submission(self._services, ack, sent, work, refused=refused, waiting=waiting(sent), what=what)

        self._app.view_submission(callback)(listen)

    def on_close(self, callback: str, work: Work[ModalSubmission], what: str) -> None:
        """Listen to a modal that is closed without being sent."""
        self._app.view_closed(callback)(self._after_ack(ModalSubmission, work, what))

    def on_command(
        self,
        command: str,
        work: Work[SlashCommand],
        what: str,
        *,
        refused: Callable[[Services, SlashCommand], Answer],
    ) -> None:
        """Listen to a slash command; ``refused`` returns how to tell that it did not work."""

        async def listen(ack: AsyncAck, body: dict[str, Any]) -> None:
            act = SlashCommand.of(body)
            await ack()
            self._services.clicks.hand_over(work(self._services, act), refused(self._services, act), what)

        self._app.command(command)(listen)

    def on_shortcut(self, callback: str, work: Work[Shortcut], what: str) -> None:
        """Listen to a shortcut, be it a global one or a message's."""
        self._app.shortcut(callback)(self._after_ack(Shortcut, work, what))

    def on_search(self, action: str, work: Callable[[Services, MenuQuery], Awaitable[list[dict[str, Any]]]]) -> None:
        """Listen to what is typed into a menu; ``work`` returns its options, in time."""

        async def listen(ack: AsyncAck, body: dict[str, Any]) -> None:
            await ack(options=await work(self._services, MenuQuery.of(body)))

        self._app.options(action)(listen)

    def on_home_opened(self, work: Callable[[Services, str], Coroutine[Any, Any, None]]) -> None:
        """Listen to people opening the Home tab; ``work`` gets the person's id."""

        async def answer(text: str) -> None:
            """Nobody waits for an answer to looking; the log has it."""

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
