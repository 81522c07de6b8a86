"""The moves that people make around the bot, and what they see of it."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Final

from bot.sandbox.slack import Delivery, Message, SlackUser, SubmittedView, View
from bot.sandbox.slack.transcript import lines
from bot.sandbox.telnyx import Call
from tests import filling
from tests.integration.scenarios.house import (
    APP_TOKEN,
    APPROVALS,
    BOT_TOKEN,
    FAILURES,
    OPS,
    SIGNING_SECRET,
    Clock,
    House,
)

__all__ = ["APPROVALS", "APP_TOKEN", "BOT_TOKEN", "FAILURES", "OPS", "SIGNING_SECRET", "Clock", "Stage", "key_of"]

_CHANGE: Final = re.compile(r"CHG-(\d+)")


class Stage(House):
    """A house with people who act and look."""

    # What people do

    async def open(self, text: str = "update", *, by: SlackUser | None = None, channel: str = OPS) -> View:
        """Open the form with a command."""
        by = by or self.ana
        await by.command("/numbers", text, channel=channel)
        return await by.wait_for_view(lambda view: view.callback_id == "change_form")

    async def fill(
        self,
        numbers: str | Iterable[str] | None = None,
        settings: Mapping[str, str] | None = None,
        reason: str | None = None,
        *,
        by: SlackUser | None = None,
        **besides: str,
    ) -> None:
        """Fill the form that is open; setting name -> what is typed or chosen, and ``besides`` by block."""
        besides |= {} if reason is None else {"reason": reason}
        await filling.fill(by or self.ana, numbers, settings, besides=besides)

    async def paste(self, numbers: str | Iterable[str], *, by: SlackUser | None = None) -> None:
        """Type numbers, into further boxes when one does not hold them; a text goes into the first box as it is."""
        await filling.paste(by or self.ana, numbers)

    async def choose(self, settings: Sequence[str], *, by: SlackUser | None = None) -> View:
        """Choose which settings to change, and wait for their inputs."""
        return await filling.choose(by or self.ana, settings)

    async def set(self, name: str, value: str, *, by: SlackUser | None = None) -> None:
        """Type or choose the value of one setting."""
        await filling.enter(by or self.ana, f"value:{name}", value)

    async def propose(
        self,
        numbers: str | Iterable[str],
        settings: Mapping[str, str] | None = None,
        *,
        reason: str = "Moving to the new PBX",
        command: str = "update",
        by: SlackUser | None = None,
        **besides: str,
    ) -> View:
        """Fill a new form, ``besides`` by block, send it, and return what is shown after planning."""
        await self.open(command, by=by)
        await self.fill(numbers, settings or {"customer_reference": "Denver"}, reason, by=by, **besides)
        await self.send(by=by)
        return await self.planned(by=by)

    async def send(self, *, by: SlackUser | None = None) -> SubmittedView:
        """Press the form's button; it has to be accepted."""
        sent = await (by or self.ana).submit()

        assert (sent.errors, sent.delivery.error) == (None, None)
        return sent

    async def refused(self, *, by: SlackUser | None = None) -> dict[str, str]:
        """Press the form's button and return what is wrong, by input; it has to be refused."""
        sent = await (by or self.ana).submit()

        assert sent.delivery.error is None
        assert sent.errors
        return sent.errors

    async def planned(self, *, by: SlackUser | None = None) -> View:
        """Return the modal once it shows the plan, or why there is none."""
        return await (by or self.ana).wait_for_view(
            lambda view: view.callback_id == "preview" and any(block["type"] == "actions" for block in view.blocks)
        )

    async def request(self, *, by: SlackUser | None = None) -> int:
        """Press "Request approval", wait for both cards and return the change's number."""
        by = by or self.ana
        sent = await by.submit()

        assert (sent.errors, sent.delivery.error) == (None, None)
        said = _CHANGE.search(self.modal(by))
        assert said, self.modal(by)
        change = int(said[1])
        await self.slack.wait_for(
            lambda: self._posted(change, ":approval_card") and self._posted(change, ":card"),
            what=f"the cards of CHG-{change}",
        )
        return change

    async def ask(
        self,
        numbers: str | Iterable[str],
        settings: Mapping[str, str] | None = None,
        *,
        reason: str = "Moving to the new PBX",
        command: str = "update",
        by: SlackUser | None = None,
        **besides: str,
    ) -> int:
        """Take a change from nothing to waiting for approval and return its number; ``besides`` is typed by block."""
        await self.propose(numbers, settings, reason=reason, command=command, by=by, **besides)
        return await self.request(by=by)

    async def approve(self, change: int, *, by: SlackUser | None = None) -> str:
        """Press Approve and return the answer."""
        return await self.press("approve", change, by=by or self.max)

    async def press(self, action: str, change: int, *, by: SlackUser) -> str:
        """Press a button of the request for approval and return what only that person is told."""
        return await self.answered(by, by.click(action, message=self.request_card(change)))

    async def answered(self, person: SlackUser, doing: Awaitable[Delivery]) -> str:
        """Await what ``person`` does and return what only they are told because of it."""
        before = len(self.slack.ephemerals(person.id))
        delivery = await doing

        assert delivery.error is None
        await self.slack.wait_for(
            lambda: len(self.slack.ephemerals(person.id)) > before, what=f"an answer to {person.profile.name}"
        )
        return self.read(self.slack.ephemerals(person.id)[-1])

    async def command(self, text: str, *, by: SlackUser | None = None, channel: str = OPS) -> str:
        """Type ``/numbers`` with ``text`` and return the answer."""
        by = by or self.ana
        return await self.answered(by, by.command("/numbers", text, channel=channel))

    async def run(
        self,
        numbers: str | Iterable[str],
        settings: Mapping[str, str] | None = None,
        *,
        reason: str = "Moving to the new PBX",
        command: str = "update",
    ) -> int:
        """Take a change through approval to its end and return its number."""
        change = await self.ask(numbers, settings, reason=reason, command=command)
        await self.approve(change)
        await self.ended(change)
        return change

    async def ended(self, change: int, timeout: float = 60.0) -> None:  # noqa: ASYNC109 - asyncio.timeout inside
        """Wait until the change is over and all of it has been told."""
        await self.slack.wait_for(lambda: self.file(change), timeout=timeout, what=f"the results of CHG-{change}")
        await self.quiet()

    # What people see

    def read(self, shown: Message | View) -> str:
        """Return a message or a modal as a person reads it."""
        return "\n".join(lines(shown, self.slack))

    def modal(self, person: SlackUser | None = None) -> str:
        """Return what stands in a person's modal."""
        view = (person or self.ana).view
        return "" if view is None else self.read(view)

    def everything(self) -> list[Message]:
        """Return every message of the bot, the ones for one person included."""
        places = list(self.slack.workspace.channels)
        said = [message for place in places for message in self.slack.workspace.in_channel(place)]
        private = [each for person in self.slack.workspace.people for each in self.slack.ephemerals(person)]
        return [message for message in said + private if message.from_bot]

    def _posted(self, change: int, end: str) -> Message | None:
        return next((each for each in self.everything() if key_of(each) == f"CHG-{change}{end}"), None)

    def card(self, change: int) -> Message:
        """Return the change's card."""
        found = self._posted(change, ":card")
        assert found, f"CHG-{change} has no card"
        return found

    def request_card(self, change: int) -> Message:
        """Return the change's request for approval."""
        found = self._posted(change, ":approval_card")
        assert found, f"CHG-{change} has no request for approval"
        return found

    def thread(self, change: int) -> list[str]:
        """Return the lines below the card, as read."""
        card = self.card(change)
        return [self.read(each) for each in self.slack.thread(card.channel, card.ts)[1:]]

    def failures(self) -> list[str]:
        """Return what the failure channel was told, as read."""
        return [self.read(each) for each in self.slack.messages(FAILURES)]

    def buttons(self, message: Message) -> list[str]:
        """Return the action ids of a message's buttons."""
        rows = [block for block in message.blocks if block["type"] == "actions"]
        return [element["action_id"] for row in rows for element in row["elements"]]

    def file(self, change: int) -> bytes | None:
        """Return the results sheet once it is in a thread."""
        name = f"CHG-{change}-results.csv"
        shared = [file.content for file in self.slack.files if file.name == name and file.channel is not None]
        assert len(shared) <= 1, f"{name} was shared {len(shared)} times"
        return shared[0] if shared else None

    def results(self, change: int) -> list[dict[str, str]]:
        """Return the rows of the results sheet."""
        sheet = self.file(change)
        assert sheet is not None, f"CHG-{change} has no results"
        return list(csv.DictReader(io.StringIO(sheet.decode("utf-8-sig"), newline="")))

    def outcomes(self, change: int) -> Counter[str]:
        """Count the results by outcome; every number has exactly one row."""
        rows = self.results(change)
        assert len({row["number"] for row in rows}) == len(rows)
        return Counter(row["outcome"] for row in rows)

    def outcomes_so_far(self, change: int) -> str:
        """Return the counts on the card: ``0 succeeded · 0 failed · 1 pending``."""
        return next(line for line in self.read(self.card(change)).splitlines() if " succeeded · " in line)

    # What happened at the carrier, and what must not have happened

    def created(self) -> list[Call]:
        """Return the calls that were meant to create a job, answered or not."""
        return [call for call in self.telnyx.calls if call.method == "POST" and "/jobs/" in call.path]

    def assert_nothing_doubled(self) -> None:
        """Check that no number was in two jobs, no message was posted twice and Slack had nothing to bear."""
        worked_on = Counter(operation.id for job in self.telnyx.jobs for operation in job.operations)
        posted = Counter(key for each in self.everything() if (key := key_of(each)))

        assert [number for number, times in worked_on.items() if times > 1] == []
        assert [key for key, times in posted.items() if times > 1] == []
        assert self.slack.complaints == []


def key_of(message: Message) -> str:
    """Return the name that the bot gave to a message; empty for answers to one person."""
    payload = (message.metadata or {}).get("event_payload", {})
    return str(payload.get("key", ""))
