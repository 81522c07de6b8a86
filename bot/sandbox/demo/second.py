"""The second act: a change at Close, which knows no background jobs."""

from __future__ import annotations

from typing import Final

from bot.sandbox.demo.fixtures import LIMIT, TEAM
from bot.sandbox.demo.screen import Screen
from bot.sandbox.demo.sights import Sights, has_input
from bot.sandbox.demo.stage import DemoStage
from bot.sandbox.demo.world import APPROVALS, SALES
from bot.sandbox.slack import Delivery, Message, StandInRefused

LABEL: Final = "filter:label"
PEOPLE: Final = "value:participants"
REASON: Final = "Dev joins the sales desk."


class SecondAct:
    """The same words, form, plan, approval and card, one update at a time."""

    def __init__(self, stage: DemoStage, screen: Screen) -> None:
        self._stage = stage
        self._screen = screen
        self._see = Sights(stage)
        self._slack = stage.world.slack
        self._team = stage.team

    async def play(self) -> Delivery:
        """Play the act and return the click that approved it; raises as :class:`Acts` does."""
        await self._ask()
        approved = await self._approve()
        await self._follow()
        return approved

    async def _ask(self) -> None:
        screen, ana, dev = self._screen, self._stage.world.ana, self._team.colleague
        screen.scene("5. The same at Close, number by number")
        screen.tell(
            f"Close has no call for many numbers and takes {LIMIT} updates a second here. Linesman runs the batch "
            "itself, and reads each number just before its update, as a list is replaced whole."
        )
        screen.act(ana, f"types /numbers close in #sales-ops, and finds the numbers with “{TEAM}” in their label")
        self._stage.answered(await ana.command("/numbers", "close", channel=SALES))
        await self._see.modal(ana, lambda view: view.callback_id == "change_form", "the form")
        await ana.choose("filters", ["label"])
        await self._see.modal(ana, lambda view: has_input(view, LABEL), "the input of the filter")
        await ana.type(LABEL, TEAM)
        screen.act(ana, f"adds {dev.first_name} to the people whom each number rings today")
        await ana.choose("settings", ["participants"])
        await self._see.modal(ana, lambda view: has_input(view, PEOPLE), "the input of the people")
        await ana.choose("way:participants", "add")
        await ana.suggest(PEOPLE, dev.first_name.lower())
        await ana.choose(PEOPLE, [dev.id])
        await ana.type("reason", REASON)
        if errors := (await ana.submit()).errors:
            raise StandInRefused(f"the form for Close was refused: {errors}")
        ready = "the preview of the change at Close"
        wanted = await self._see.modal(
            ana, lambda view: view.callback_id == "preview" and bool(view.content.get("submit")), ready
        )
        screen.modal(wanted)
        await screen.beat(4)
        screen.act(ana, "presses Request approval")
        self._stage.answered((await ana.submit()).delivery)

    async def _approve(self) -> Delivery:
        screen, boss = self._screen, self._stage.world.max
        await self._stage.until(lambda: len(self._slack.messages(APPROVALS)) > 1, "the request for the change at Close")
        await self._stage.until(lambda: self._slack.messages(SALES), "the card in #sales-ops")
        screen.act(boss, "presses Approve")
        return self._stage.answered(await boss.click("approve", message=self._slack.messages(APPROVALS)[-1]))

    async def _follow(self) -> None:
        screen, card = self._screen, self._slack.messages(SALES)[0]
        screen.show("")
        edits = 0
        with screen.following(card) as edited:
            while not self._ended(card):
                edited()
                edits = await self._moved(card, edits)

    async def _moved(self, card: Message, edits: int) -> int:
        await self._stage.until(lambda: card.edited_count != edits or self._ended(card), "the card to move on")
        return card.edited_count

    def _ended(self, card: Message) -> bool:
        """Tell whether the card and the request say how it ended, and the sheet is there."""
        said = all("Succeeded" in message.text for message in (card, self._slack.messages(APPROVALS)[-1]))
        replies = self._slack.thread(SALES, card.ts)
        return said and any(file.name.endswith("-results.csv") for reply in replies for file in reply.files)
