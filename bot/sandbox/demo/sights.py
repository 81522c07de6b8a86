"""What can be seen in Slack at any moment of the story, and waiting for it to appear."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.sandbox.demo.stage import DemoStage
from bot.sandbox.demo.world import APPROVALS, FAILURES, OPS
from bot.sandbox.slack import File, Message, SlackUser, StandInRefused, View


class Sights:
    """Looks at the stand-in Slack, and at nothing else."""

    def __init__(self, stage: DemoStage) -> None:
        self._stage = stage
        self._slack = stage.world.slack

    async def modal(self, who: SlackUser, wanted: Callable[[View], bool], what: str) -> View:
        """Return the modal that a person has open, once it is the ``wanted`` one."""

        def shown() -> View | None:
            return who.view if who.view is not None and wanted(who.view) else None

        return _there(await self._stage.until(shown, what), what)

    async def whisper(self, to: SlackUser) -> Message:
        """Return the first message that only this person sees, once it is there."""
        what = f"an answer that only {to.profile.name} sees"
        return (await self._stage.until(lambda: self._slack.ephemerals(to.id), what))[0]

    async def requested(self) -> None:
        """Wait for the card and for the request for approval."""
        await self._stage.until(lambda: self._slack.messages(OPS), "the card in #number-ops")
        await self._stage.until(lambda: self._slack.messages(APPROVALS), "the request in #number-approvals")

    @property
    def card(self) -> Message:
        """The card of the change."""
        return self._slack.messages(OPS)[0]

    @property
    def request(self) -> Message:
        """The request for approval."""
        return self._slack.messages(APPROVALS)[0]

    @property
    def notice(self) -> Message:
        """The notice in the failure channel."""
        return self._slack.messages(FAILURES)[0]

    @property
    def thread(self) -> list[Message]:
        """The replies below the card."""
        return self._slack.thread(OPS, self.card.ts)[1:]

    @property
    def sheets(self) -> list[File]:
        """The files below the card."""
        return [file for reply in self.thread for file in reply.files if file.name.endswith("-results.csv")]

    def all_said(self) -> bool:
        """Tell whether everything that belongs to the end is there."""
        ended = all("Partly failed" in message.text for message in (self.card, self.request))
        return ended and bool(self._slack.messages(FAILURES)) and bool(self.sheets)

    async def moved(self, edits: int) -> int:
        """Return how often the card has been edited, once that is no longer ``edits`` or everything was said."""
        card = self.card
        await self._stage.until(lambda: card.edited_count != edits or self.all_said(), "the card to move on")
        return card.edited_count


def has_input(view: View, block: str) -> bool:
    """Tell whether a modal has an input."""
    return any(each["block_id"] == block for each in view.blocks)


def question(message: Message, action: str) -> str:
    """Return what a button asks before it acts."""
    buttons: list[dict[str, Any]] = [
        element for block in message.blocks if block["type"] == "actions" for element in block["elements"]
    ]
    return next(str(each["confirm"]["text"]["text"]) for each in buttons if each["action_id"] == action)


def _there(view: View | None, what: str) -> View:
    if view is None:
        raise StandInRefused(f"{what} is not open")
    return view
