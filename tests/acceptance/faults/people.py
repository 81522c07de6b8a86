"""Ana, who asks, and Max, who decides, on a bad day: what does not work they try again, as people do."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.sandbox.slack import Message, SlackUser, StandInRefused
from bot.sandbox.slack.modal import View
from tests.acceptance.stage import RestartingStage
from tests.acceptance.stories import Line
from tests.acceptance.workspace import OPS
from tests.filling import fill

#: How long people wait for something that should come at once, and for something that takes its time; in seconds.
SOON: Final = 3.0
LATER: Final = 8.0
#: After how many seconds a modal that asks for patience says to close it and to look.
A_MINUTE: Final = 60.0

_NAME: Final = re.compile(r"CHG-\d+")
#: How an answer to ``/numbers locks`` reads.
_LOCKS: Final = re.compile(r"No numbers are locked|hold numbers")


@dataclass(frozen=True)
class Wish:
    """What Ana wants: numbers in her order, and the values that they are to get."""

    numbers: Sequence[Line]
    #: By setting; typed, or chosen where the setting offers choices.
    values: Mapping[str, str]
    #: The word behind ``/numbers``.
    command: str = "update"
    #: A filter that finds the numbers, each condition chosen; empty when she types them.
    filters: Mapping[str, str] = field(default_factory=dict)
    #: What else is typed into the form, by block.
    besides: Mapping[str, str] = field(default_factory=dict)


class People:
    """Everybody who has a hand in a change."""

    def __init__(self, scene: RestartingStage, requester: SlackUser | None = None, *, patience: float = 1.0) -> None:
        self._scene = scene
        self._slack = scene.slack
        self.ana = requester or scene.ana
        self._soon, self._later = patience * SOON, patience * LATER
        self.max = scene.max

    async def ask(self, wish: Wish) -> str | None:
        """Ana asks for approval, and returns the name of the change once its two cards are there.

        Returns None when the numbers are held by other changes, so that it cannot be asked for now.
        """
        while True:
            name = await self._see_a_plan(wish)
            if name is None or await self._press_request(name):
                return name

    async def approve(self, name: str, *, by: SlackUser | None = None, stage: str = "") -> None:
        """Max, or another, presses Approve until the card says that they did, or that it is too late.

        With ``stage`` it is enough that this one is complete.
        """
        request, by = self.request(name), by or self.max

        def decided() -> bool:
            return not self._buttons(request) or (bool(stage) and f"✅ {stage}:" in self._scene.read(request))

        while not decided():
            await self._scene.up.wait()
            with contextlib.suppress(StandInRefused):  # the button has just gone
                await by.click("approve", message=request)
            with contextlib.suppress(TimeoutError):
                await self._slack.wait_for(decided, timeout=self._soon)

    async def end(self) -> None:
        """Ana presses End now, once the one change is in effect, until the card shows that she did."""

        def ends() -> bool:
            return any("end_now" in str(message.blocks) for message in self._slack.messages(OPS))

        while not ends():  # what brings it into effect may be in trouble for long
            with contextlib.suppress(TimeoutError):
                await self._slack.wait_for(ends, timeout=self._soon)
        while ends():
            await self._scene.up.wait()
            with contextlib.suppress(StandInRefused):  # the button has just gone
                await self.ana.click("end_now", message=self._slack.messages(OPS)[0])
            with contextlib.suppress(TimeoutError):
                await self._slack.wait_for(lambda: not ends(), timeout=self._soon)

    async def ask_for_changes(self, name: str) -> None:
        """Max asks for changes until the request has no buttons any more."""
        request = self.request(name)
        while self._buttons(request):
            await self._scene.up.wait()
            await asyncio.sleep(0.05)  # a button that has just gone is refused at once
            with contextlib.suppress(StandInRefused, TimeoutError):
                await self.max.click("ask_for_changes", message=request)
                await self.max.wait_for_view(lambda view: view.callback_id == "changes", timeout=self._soon)
                await self.max.type("what", "Another reference")
                await self._scene.up.wait()
                await self.max.submit()
                await self._slack.wait_for(lambda: not self._buttons(request), timeout=self._soon)
            if self.max.view is not None:
                await self.max.close(everything=True)

    async def revise(self, name: str, values: Mapping[str, str]) -> None:
        """Ana presses Edit, gives other values and requests approval, until there is something to decide again."""
        request = self.request(name)
        while not self._buttons(request):
            await self._scene.up.wait()
            await asyncio.sleep(0.05)  # a button that is not there yet is refused at once
            with contextlib.suppress(StandInRefused, TimeoutError):
                [card] = [message for message in self._slack.messages(OPS) if name in self._names(message)]
                await self.ana.click("revise", message=card)
                await self.ana.wait_for_view(lambda view: view.callback_id == "change_form", timeout=self._soon)
                await fill(self.ana, settings=values, within=self._soon)
                await self._scene.up.wait()
                await self.ana.submit()
                await self.ana.wait_for_view(_says_something, timeout=self._later)
                await self._scene.up.wait()
                await self.ana.submit()
                await self._slack.wait_for(lambda: self._buttons(request), timeout=self._soon)
            if self.ana.view is not None:
                await self.ana.close(everything=True)

    async def cancel_undecided(self, name: str) -> None:
        """Ana cancels a change until there is nothing left to decide about it."""
        request = self.request(name)
        while self._buttons(request):
            await self._scene.up.wait()
            await self.ana.command("/numbers", f"cancel {name}", channel=OPS)
            with contextlib.suppress(TimeoutError):
                await self._slack.wait_for(lambda: not self._buttons(request), timeout=self._soon)

    async def ask_for_locks(self) -> str:
        """Ana asks who holds numbers, until she is told."""
        heard = len(self._slack.ephemerals(self.ana.id))

        def told() -> list[str]:
            return [said.text for said in self._slack.ephemerals(self.ana.id)[heard:] if _LOCKS.search(said.text)]

        while not told():
            await self._scene.up.wait()
            await self.ana.command("/numbers", "locks", channel=OPS)
            with contextlib.suppress(TimeoutError):
                await self._slack.wait_for(told, timeout=self._soon)
        return told()[-1]

    def request(self, name: str) -> Message:
        """Return the request for approval of a change that has one."""
        requests = self._slack.messages(self._scene.story.approval_channel)
        return next(message for message in requests if name in self._names(message))

    async def _see_a_plan(self, wish: Wish) -> str | None:
        """Ana fills the form until she sees a plan and returns its name; None when others hold the numbers."""
        while True:
            await self._scene.up.wait()
            with contextlib.suppress(TimeoutError, StandInRefused):
                view = await self._fill_the_form(wish)
                if view.content.get("submit"):
                    return str(_NAME.findall(str(view.blocks))[0])
                if "*Locked:*" in str(view.blocks):
                    await self.ana.close(everything=True)
                    return None
            if self.ana.view is not None:
                await self.ana.close(everything=True)

    async def _fill_the_form(self, wish: Wish) -> View:
        """Ana fills the form and presses Preview, and returns what she sees then.

        Raises TimeoutError or StandInRefused when she has to start anew.
        """
        await self.ana.command("/numbers", wish.command, channel=OPS)
        await self.ana.wait_for_view(lambda view: view.callback_id == "change_form", timeout=self._soon)
        numbers = None if wish.filters else [number.phone_number for number in wish.numbers]
        besides = {"reason": "Moving to the *new* PBX", **wish.besides}
        await fill(self.ana, numbers, wish.values, filters=wish.filters, besides=besides, within=self._soon)
        while self._shows("change_form"):
            sent = await self.ana.submit()
            if sent.errors or sent.delivery.error:
                await asyncio.sleep(0.1)  # she reads what went wrong
                await self._scene.up.wait()
        return await self.ana.wait_for_view(_says_something, timeout=self._later)

    async def _press_request(self, name: str) -> bool:
        """Ana presses "Request approval" until both cards are there; False when she has to start anew."""
        places = (self._scene.story.approval_channel, OPS)
        clock = asyncio.get_running_loop().time
        pressed = clock()
        while not all(self._about(name, channel) for channel in places):
            view = self.ana.view
            if view is not None and view.callback_id == "preview":
                if not view.content.get("submit"):
                    return False
                await self._scene.up.wait()
                await self.ana.submit()
                pressed = clock()
            elif self._shows("loading") and clock() - pressed > A_MINUTE:
                # Whoever took it has died before anything was written down: she does what the modal tells her.
                await self.ana.close(everything=True)
                return False
            with contextlib.suppress(TimeoutError):
                await self._slack.wait_for(
                    lambda: all(self._about(name, channel) for channel in places), timeout=self._soon
                )
        return True

    def _about(self, name: str, channel: str) -> bool:
        return any(name in self._names(message) for message in self._slack.messages(channel))

    def _names(self, message: Message) -> list[str]:
        return _NAME.findall(self._scene.read(message))

    def _shows(self, callback: str) -> bool:
        return self.ana.view is not None and self.ana.view.callback_id == callback

    def _buttons(self, message: Message) -> bool:
        return any(block["type"] == "actions" for block in message.blocks)


def _says_something(view: View) -> bool:
    """Tell a plan, or why there is none, from a modal that asks for patience: there is something to press."""
    return view.callback_id == "preview" and any(block["type"] == "actions" for block in view.blocks)
