"""The acts: what Ana and Max do in Slack, and what they see."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from bot.sandbox.demo.evidence import Clicks
from bot.sandbox.demo.screen import Screen
from bot.sandbox.demo.second import SecondAct
from bot.sandbox.demo.sheet import sheet_shown
from bot.sandbox.demo.sights import Sights, has_input, question
from bot.sandbox.demo.stage import DemoStage
from bot.sandbox.demo.world import CHOSEN, OPS
from bot.sandbox.slack import StandInRefused

#: Numbers for one box, which holds 3000 characters: 12 for a number, and a line break.
IN_A_BOX: Final = 229
#: The box, counted from 0, in which Ana loses the last digit of the last number.
MISTYPED: Final = 6
REASON: Final = "The Dallas PBX closes on Friday. <!channel> *please* note."
CONNECTION: Final = "value:connection_id"
SCREENING: Final = "voice.inbound_call_screening"


class Acts:
    """The story, act by act."""

    def __init__(self, stage: DemoStage, screen: Screen) -> None:
        self._stage = stage
        self._screen = screen
        self._see = Sights(stage)
        self._world = stage.world

    async def play(self) -> Clicks:
        """Play all acts; raises TimeoutError, BotEndedError or StandInRefused when the bot leaves its part."""
        await self._opening()
        await self._fill_the_form()
        await self._send_the_form()
        await self._ask()
        clicks = await self._decide()
        await self._follow()
        await self._look_back()
        team = await SecondAct(self._stage, self._screen).play()
        return replace(clicks, team=team)

    async def _opening(self) -> None:
        screen = self._screen
        screen.scene(f"Linesman changes {CHOSEN:,} phone numbers")
        screen.tell(
            f"The real bot runs as process {self._stage.bot.pid}, with a new database, between a stand-in for Slack "
            f"and stand-ins for Telnyx and Close, all on this machine. The account at Telnyx has "
            f"{len(self._world.before):,} numbers, {len(self._world.failing)} of them are going to make trouble, and "
            f"{len(self._world.dropped)} more is not going to be changed as Telnyx says."
        )
        await self._stage.connected()
        await screen.beat(2)

    async def _fill_the_form(self) -> None:
        screen, ana, pastes = self._screen, self._world.ana, self._pastes()
        screen.scene("1. Ana asks for a change")
        screen.act(ana, "types /numbers update in #number-ops, and a form opens")
        self._stage.answered(await ana.command("/numbers", "update", channel=OPS))
        await self._see.modal(ana, lambda view: view.callback_id == "change_form", "the form")
        screen.act(ana, f"adds {len(pastes) - 1} boxes for numbers and pastes {CHOSEN:,} into them")
        for box in range(len(pastes)):
            if box > 0:
                self._stage.answered(await ana.click("more_numbers"))
            block = f"numbers:{box}"
            await self._see.modal(ana, partial(has_input, block=block), f"box {box + 1} for numbers")
            await ana.type(block, pastes[box][:-1] if box == MISTYPED else pastes[box])
        screen.act(ana, "chooses three settings, and their inputs appear")
        await ana.choose("settings", list(self._world.wanted))
        await self._see.modal(ana, partial(has_input, block=f"value:{SCREENING}"), "the inputs of the settings")
        offered = await ana.suggest(CONNECTION, "denver")
        wanted = str(self._world.wanted["connection_id"])
        names = {option["value"]: f"“{option['text']['text']}”" for option in offered}
        await ana.choose(CONNECTION, wanted)
        screen.act(
            ana, f"types “denver” to find a connection, sees {' and '.join(names.values())}, and takes {names[wanted]}"
        )
        await ana.type("value:tags", "denver")
        await ana.choose(f"value:{SCREENING}", str(self._world.wanted[SCREENING]))
        await ana.type("reason", REASON)
        await screen.beat(2)

    async def _send_the_form(self) -> None:
        screen, ana = self._screen, self._world.ana
        screen.act(ana, "presses Preview, but one of the numbers has lost its last digit")
        errors = (await ana.submit()).errors or {}
        if not any(block.startswith("numbers:") for block in errors):
            raise StandInRefused(f"the mistyped number was not reported on its field; the errors are {errors}")
        screen.modal(await self._see.modal(ana, lambda view: bool(view.errors), "the error on the field"))
        await screen.beat(4)
        screen.act(ana, "corrects it and presses Preview again")
        await ana.type(f"numbers:{MISTYPED}", self._pastes()[MISTYPED])
        submission = await ana.submit()
        if submission.errors:
            raise StandInRefused(f"the corrected form was refused: {submission.errors}")
        self._stage.answered(submission.delivery)

    async def _ask(self) -> None:
        screen, ana = self._screen, self._world.ana
        ready = "the preview with its button Request approval"
        screen.modal(
            await self._see.modal(
                ana, lambda view: view.callback_id == "preview" and bool(view.content.get("submit")), ready
            )
        )
        await screen.beat(4)
        screen.act(ana, "presses Request approval")
        self._stage.answered((await ana.submit()).delivery)
        await self._see.requested()
        screen.message(self._see.card)
        await screen.beat(2)

    async def _decide(self) -> Clicks:
        screen, ana, boss = self._screen, self._world.ana, self._world.max
        screen.scene("2. Somebody else has to approve")
        request = self._see.request
        screen.message(request)
        await screen.beat(3)
        screen.act(ana, "may approve changes too, and tries it with her own")
        refused = self._stage.answered(await ana.click("approve", message=request))
        screen.whisper(await self._see.whisper(ana), ana)
        await screen.beat(2)
        screen.act(boss, "presses Details first")
        self._stage.answered(await boss.click("details", message=request))
        details = await self._see.modal(boss, lambda view: view.callback_id == "details", "the details")
        screen.modal(details, since="History")
        await boss.close()
        await screen.beat(4)
        screen.act(boss, f"presses Approve, is asked “{question(request, 'approve')}”, and confirms")
        approved = self._stage.answered(await boss.click("approve", message=request))
        screen.whisper(await self._see.whisper(boss), boss)
        return Clicks(refused=refused, approved=approved)

    async def _follow(self) -> None:
        """Follow the card until everything has been said."""
        screen = self._screen
        screen.scene("3. Telnyx works, and the card tells")
        screen.show("")
        edits = 0
        with screen.following(self._see.card) as edited:
            while not self._see.all_said():
                edited()
                edits = await self._see.moved(edits)

    async def _look_back(self) -> None:
        screen = self._screen
        screen.scene("4. What is left to read")
        screen.tell("The request in #number-approvals says who decided, and has no buttons any more:")
        screen.message(self._see.request, most=7)
        await screen.beat(2)
        screen.tell("The card's thread is the history of the change:")
        screen.thread(self._see.thread)
        await screen.beat(3)
        screen.tell("Only failures leave the thread, and they call the person who asked:")
        screen.message(self._see.notice)
        await screen.beat(3)
        sheet = self._see.sheets[0]
        screen.act(self._world.ana, f"opens {sheet.name}")
        screen.show("", *sheet_shown(sheet, screen.console.width))
        await screen.beat(3)

    def _pastes(self) -> list[str]:
        """Return the numbers, split over boxes."""
        chosen = self._world.chosen
        return ["\n".join(chosen[first : first + IN_A_BOX]) for first in range(0, len(chosen), IN_A_BOX)]
