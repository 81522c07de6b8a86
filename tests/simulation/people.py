"""The people around the bot: what they want, when they want it, and that they try again what did not work."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Any, Final, TypeVar

from bot.sandbox.slack import Message, SlackUser, StandInRefused, View
from bot.sandbox.slack.forms import EXTERNAL, TYPED
from bot.sandbox.slack.transcript import lines
from tests.simulation.wishes import Wish

if TYPE_CHECKING:
    from tests.simulation.world import World

OPS: Final = "C0OPS"
APPROVALS: Final = "C0APPROVALS"
FAILURES: Final = "C0FAILURES"
#: Who may approve, and who may ask for changes.
APPROVERS: Final = frozenset({"U0MAX", "U0MIA", "U0ANA"})
REQUESTERS: Final = frozenset({"U0ANA", "U0MIA"})
#: Seconds that people wait for what should come at once, and for what takes its time.
SOON: Final = 6.0
LATER: Final = 60.0
#: How often somebody tries before they leave it.
TRIES: Final = 12
#: How often somebody changes their mind before they ask for approval.
EDITS: Final = 0.15
#: Stands for a plan that there is nothing to ask approval for.
NOTHING: Final = 0

Found = TypeVar("Found")
_NAME: Final = re.compile(r"CHG-(\d+)")


class People:
    """What they have in common."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.slack = world.slack
        self._random = Random(f"people {world.seed}")

    async def think(self, longest: float) -> None:
        """Let some time pass."""
        await asyncio.sleep(self._random.random() * longest)

    async def seen(self, predicate: Callable[[], Found], within: float) -> Found | None:
        """Return what somebody waits to see; None when it does not come."""
        with suppress(TimeoutError):
            return await self.slack.wait_for(predicate, timeout=within)
        return None

    def read(self, shown: Message | View) -> str:
        """Return what somebody reads."""
        return "\n".join(lines(shown, self.slack))

    async def ask(self, by: SlackUser, wish: Wish) -> int | None:
        """Take a wish to its request for approval and return its number; None when it was given up."""
        for _ in range(TRIES):
            with suppress(StandInRefused):
                name = await self._planned(by, wish)
                if name == NOTHING:
                    return None
                if name is not None and await self._requested(by, name, len(wish.numbers)):
                    return name
            if by.view is not None:
                with suppress(StandInRefused):
                    await by.close(everything=True)
            await self.think(LATER)
            if self.world.calm:
                return None
        return None

    async def _planned(self, by: SlackUser, wish: Wish) -> int | None:
        """Fill the form until a plan is shown, and return its number."""
        if not await self._filled(by, wish):
            return None
        await self.think(SOON)
        view = await self._previewed(by)
        if view is not None and "edit" in _action_ids(view.blocks) and self._random.random() < EDITS:
            await by.click("edit")
            if await self.seen(lambda: self._open(by, "change_form"), SOON) is None:
                return None
            await by.type("reason", "Moving to the newest PBX")
            view = await self._previewed(by)
        if view is None:
            return None
        found = _NAME.search(self.read(view))
        self.world.trace.add(f"{by.profile.name} sees {self.read(view)[:200]!r}")
        return int(found[1]) if found and view.content.get("submit") else NOTHING

    async def _filled(self, by: SlackUser, wish: Wish) -> bool:
        """Open the form and fill it; tell whether that went well."""
        await by.command("/numbers", wish.command, channel=OPS)
        form = await self.seen(lambda: self._open(by, "change_form"), SOON)
        if form is None:
            return False
        if ("settings", "settings") in form.form.slots:
            await by.choose("settings", list(wish.values))
        inputs = {f"value:{name}" for name in wish.values}
        if await self.seen(lambda: by.view and inputs <= {block["block_id"] for block in by.view.blocks}, SOON) is None:
            return False
        await by.type("numbers:0", "\n".join(wish.numbers))
        for name, value in wish.values.items():
            await self._set(by, name, value)
        for block, text in {"reason": "Moving to the new PBX", **wish.besides}.items():
            await by.type(block, text)
        return True

    async def _previewed(self, by: SlackUser) -> View | None:
        """Send the form and return what is shown after planning; None when it was refused, or nothing came."""
        sent = await by.submit()
        if sent.errors or sent.delivery.error:
            self.world.trace.add(f"{by.profile.name} is refused: {sent.errors} {sent.delivery.error}")
            return None
        return await self.seen(lambda: self._answered(by), LATER)

    async def _set(self, by: SlackUser, name: str, value: str) -> None:
        view = by.view
        if view is None:
            raise StandInRefused("the form has gone")
        kind = view.form.slot(f"value:{name}").kind
        if kind in TYPED:
            await by.type(f"value:{name}", value)
            return
        if kind in EXTERNAL:
            await by.suggest(f"value:{name}", "")
        await by.choose(f"value:{name}", value)

    async def _requested(self, by: SlackUser, change: int, numbers: int) -> bool:
        """Press "Request approval" until the request is there."""
        await self.think(SOON)
        for _ in range(TRIES):
            if self.posted(change, "approval_card") is not None:
                return True
            view = self._open(by, "preview")
            if view is None or not view.content.get("submit"):
                break
            if ("count", "count") in view.form.slots:
                await by.type("count", str(numbers))
            sent = await by.submit()
            self.world.trace.add(f"{by.profile.name} requests approval of CHG-{change}: {sent.delivery.error}")
            await self.seen(lambda: self.posted(change, "approval_card"), LATER)
        return await self.seen(lambda: self.posted(change, "approval_card"), LATER) is not None

    def _open(self, by: SlackUser, callback: str) -> View | None:
        return by.view if by.view is not None and by.view.callback_id == callback else None

    def _answered(self, by: SlackUser) -> View | None:
        """Return the modal once it shows a plan, or why there is none."""
        view = self._open(by, "preview")
        return view if view is not None and any(block["type"] == "actions" for block in view.blocks) else None

    async def follow(self, by: SlackUser, change: int, word: str) -> int | None:
        """Ask for what follows a change, ``undo`` or ``retry``, and return its number."""
        with suppress(StandInRefused):
            await by.command("/numbers", f"{word} CHG-{change}", channel=OPS)
            view = await self.seen(lambda: self._open(by, "change_form") or self._answered(by), LATER)
            if view is not None and view.callback_id == "change_form":
                await by.submit()
                view = await self.seen(lambda: self._answered(by), LATER)
            found = _NAME.search(self.read(view)) if view is not None else None
            if view is not None and found and view.content.get("submit"):
                numbers = re.search(r"(\d+) numbers?", self.read(view))
                if await self._requested(by, int(found[1]), int(numbers[1]) if numbers else 0):
                    return int(found[1])
        if by.view is not None:
            with suppress(StandInRefused):
                await by.close(everything=True)
        return None

    async def decide(self, by: SlackUser, random: Random) -> None:
        """Look at the requests now and then, and decide some of them."""
        while True:
            await asyncio.sleep(random.random() * 90)
            for change, message in self.requests():
                chance = random.random()
                if chance < 0.6 or (self.world.calm and chance < 0.9):
                    await self._click(by, "approve", message)
                    if chance < 0.1:
                        await self._click(by, "approve", message)
                elif chance < 0.66:
                    await self._reject(by, change, message)

    async def _reject(self, by: SlackUser, change: int, message: Message) -> None:
        with suppress(StandInRefused):
            await by.click("reject", message=message)
            if await self.seen(lambda: self._open(by, "rejection"), SOON) is not None:
                await by.type("why", f"Not CHG-{change} today.")
                await by.submit()
        if by.view is not None:
            with suppress(StandInRefused):
                await by.close(everything=True)

    async def _click(self, by: SlackUser, action: str, message: Message) -> None:
        with suppress(StandInRefused):
            await self.world.judge.click(by, action, message)

    async def operate(self, by: SlackUser, random: Random) -> None:
        """Look for what only an operator can decide, and decide it."""
        while True:
            await asyncio.sleep(60 + random.random() * 240)
            if self.world.calm and random.random() < 0.5:
                await by.command("/numbers", "unfreeze", channel=OPS)
            for change in self.known():
                card = self.posted(change, "card")
                if card is None:
                    continue
                if "go_on" in buttons(card):
                    await self._click(by, random.choice(("go_on", "stop_rest")), card)
                if "/numbers resolve" in self.read(card):
                    await self._resolve(by, change, random)

    async def _resolve(self, by: SlackUser, change: int, random: Random) -> None:
        before = len(self.slack.ephemerals(by.id))
        await by.command("/numbers", f"resolve CHG-{change}", channel=OPS)
        await self.seen(lambda: len(self.slack.ephemerals(by.id)) > before, LATER)
        for message in self.slack.ephemerals(by.id)[before:]:
            offered = [each for each in buttons(message) if not each.startswith(("send_again", "adopt_other"))]
            if offered:
                await self._click(by, random.choice(offered), message)

    async def press_without_right(self, by: SlackUser, random: Random) -> None:
        """Press what somebody else may press."""
        for _, message in self.requests()[:2]:
            await self._click(by, random.choice(("approve", "reject")), message)
        for change in self.known()[-2:]:
            await by.command("/numbers", f"cancel CHG-{change}", channel=OPS)
        await by.command("/numbers", "freeze Because I can", channel=OPS)

    # What stands in Slack

    def messages(self) -> list[Message]:
        """Return every message of the bot in a channel."""
        workspace = self.slack.workspace
        return [each for place in workspace.channels for each in workspace.in_channel(place) if each.from_bot]

    def posted(self, change: int, topic: str) -> Message | None:
        """Return the message of a change with this topic."""
        return next((each for each in self.messages() if key_of(each) == f"CHG-{change}:{topic}"), None)

    def known(self) -> list[int]:
        """Return the changes of which anything was said in a channel."""
        named = (re.match(r"CHG-(\d+):", key_of(each)) for each in self.messages())
        return sorted({int(name[1]) for name in named if name})

    def requests(self) -> list[tuple[int, Message]]:
        """Return the requests for approval that can be decided, with their changes."""
        found = []
        for message in self.slack.messages(APPROVALS):
            name = re.fullmatch(r"CHG-(\d+):approval_card", key_of(message))
            if name and "approve" in buttons(message):
                found.append((int(name[1]), message))
        return found


def key_of(message: Message) -> str:
    """Return the name that the bot gave to a message."""
    return str((message.metadata or {}).get("event_payload", {}).get("key", ""))


def buttons(message: Message) -> list[str]:
    """Return the action ids of a message's buttons."""
    return _action_ids(message.blocks)


def _action_ids(blocks: list[dict[str, Any]]) -> list[str]:
    rows = [block for block in blocks if block["type"] == "actions"]
    return [element["action_id"] for row in rows for element in row["elements"]]
