"""The people around the bot: what they see in Slack, and how they decide on what others want."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final, TypeVar

from bot.sandbox.slack import Message, SlackUser, StandInRefused, View
from bot.sandbox.slack.transcript import lines

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

#: How long those of one stage are away.
AWAY: Final = timedelta(minutes=6)
#: After how long somebody rejects what nobody can approve any more: all who could have approved another stage of it.
HOPELESS: Final = timedelta(hours=2)

#: How often an approver says something with an approval.
COMMENTS: Final = 0.2
#: How often they decline, at each look, what those of an earlier stage have approved.
DECLINES_LATE: Final = 0.12

Found = TypeVar("Found")


class People:
    """What they have in common."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.slack = world.slack
        self._random = Random(f"people {world.seed}")
        self._commenting = Random(f"comments {world.seed}")
        self._declining = Random(f"declining {world.seed}")

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

    async def type(self, by: SlackUser, text: str) -> None:
        """Type a slash command."""
        with suppress(StandInRefused):
            await self.world.judge.command(by, text)

    async def click(self, by: SlackUser, action: str, message: Message) -> None:
        """Press a button of a message, if it is still there."""
        with suppress(StandInRefused):
            await self.world.judge.click(by, action, message)

    async def close(self, by: SlackUser) -> None:
        """Close whatever modal is open."""
        if by.view is not None:
            with suppress(StandInRefused):
                await by.close(everything=True)

    def open(self, by: SlackUser, callback: str) -> View | None:
        """Return the modal in front of somebody if it is this one."""
        return by.view if by.view is not None and by.view.callback_id == callback else None

    # How approvers decide

    async def decide(self, by: SlackUser, random: Random) -> None:
        """Look at the requests now and then, and decide some of them."""
        while True:
            await asyncio.sleep(random.random() * 60)
            for change, message in self.requests():
                chance = random.random()
                if self._away(by, change) or await self._declined_late(by, change, message):
                    continue
                if chance < 0.05:
                    await asyncio.gather(*(self.click(by, "approve", message) for _ in range(2)))
                elif chance < 0.6 or (self.world.calm and chance < 0.9):
                    if self._commenting.random() < COMMENTS:
                        await self._approve_saying(by, change, message)
                        continue
                    await self.click(by, "approve", message)
                    if chance < 0.1:
                        await self.click(by, "approve", message)
                else:
                    await self._decline(by, change, message, chance)

    async def _decline(self, by: SlackUser, change: int, message: Message, chance: float) -> None:
        """Reject a request, send it back, or leave it; what has waited for hours is rejected."""
        if chance < 0.66 or (self.world.calm and self._waited(change) > HOPELESS):
            await self.reject(by, change, message)
        elif chance < 0.78 and not self.world.calm:
            await self.world.revising.send_back(by, change, message)

    async def _declined_late(self, by: SlackUser, change: int, message: Message) -> bool:
        """Decline now and then what waits for another stage than its first one, and tell whether that was tried."""
        query = "SELECT 1 FROM events e JOIN changes c ON c.id = e.change_id AND c.digest = e.digest WHERE c.id = ?"
        if self.world.calm or not self.world.policy.staged or self._declining.random() >= DECLINES_LATE:
            return False
        if not self.world.judge.rows(f"{query} AND e.what = 'stage_opened'", change):
            return False
        await self._declining.choice((self.reject, self.world.revising.send_back))(by, change, message)
        return True

    def _away(self, by: SlackUser, change: int) -> bool:
        """Tell whether somebody leaves a request to the fallback approvers of one of its stages for the time being."""
        [(kind,)] = self.world.judge.rows("SELECT kind FROM changes WHERE id = ?", change)
        stages = [*self.world.policy.stages(kind).values()]
        if not stages:
            return False
        stage = Random(f"away {self.world.seed} {change}").choice([*stages, None])
        return stage is not None and by.id in stage.approvers and self._waited(change) < AWAY

    def _waited(self, change: int) -> timedelta:
        """Return for how long a request has waited."""
        [(since,)] = self.world.judge.rows("SELECT requested_at FROM changes WHERE id = ?", change)
        return self.world.nature.now() - datetime.fromisoformat(since).replace(tzinfo=UTC)

    async def reject(self, by: SlackUser, change: int, message: Message) -> None:
        """Reject a change, and say why."""
        with suppress(StandInRefused):
            await self.world.judge.click(by, "reject", message)
            if await self.seen(lambda: self.open(by, "rejection"), SOON) is not None:
                await by.type("why", f"Not CHG-{change} today.")
                await by.submit()
        await self.close(by)

    async def _approve_saying(self, by: SlackUser, change: int, message: Message) -> None:
        """Approve with a comment, in which a mention is nothing but text."""
        said = f"CHG-{change} is fine {self._commenting.randrange(1000)} <!channel> *by me*"
        with suppress(StandInRefused):
            await self.world.judge.click(by, "approve_with_comment", message)
            view = await self.seen(lambda: self.open(by, "approval"), SOON)
            if view is not None:
                await by.type("comment", said)
                self.world.approvals.saying(by, view, said)
                await by.submit()
                await self.seen(lambda: self.open(by, "notice"), SOON)
        await self.close(by)

    async def press_without_right(self, by: SlackUser, random: Random) -> None:
        """Press what somebody else may press."""
        for _, message in self.requests()[:2]:
            await self.click(by, random.choice(("approve", "approve", "reject")), message)
        for change in self.known()[-2:]:
            await self.type(by, f"{random.choice(('cancel', 'unlock', 'resolve'))} CHG-{change}")
        await self.type(by, "freeze Because I can")

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
    return action_ids(message.blocks)


def action_ids(blocks: list[dict[str, Any]]) -> list[str]:
    """Return the action ids of the buttons among blocks."""
    rows = [block for block in blocks if block["type"] == "actions"]
    return [element["action_id"] for row in rows for element in row["elements"]]
