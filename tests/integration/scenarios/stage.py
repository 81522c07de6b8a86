"""A whole workspace and a whole carrier around the real bot, and the moves that people make in it."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import aiohttp

from bot.config import load
from bot.sandbox.slack import Delivery, Message, Person, SlackStandIn, Submission, View
from bot.sandbox.slack.forms import EXTERNAL, TYPED
from bot.sandbox.slack.transcript import lines
from bot.sandbox.telnyx import Call, TelnyxStandIn
from bot.wiring import Running, running

BOT_TOKEN: Final = "xoxb-scenarios-1"
APP_TOKEN: Final = "xapp-scenarios-1"
SIGNING_SECRET: Final = "signing-secret-of-the-scenarios"

#: Where commands are given, where approval is asked for, where failures are told.
OPS: Final = "C0OPS"
APPROVALS: Final = "C0APPROVALS"
FAILURES: Final = "C0FAILURES"

#: Numbers that are pasted into one box, which holds 3000 characters.
BOX: Final = 140

#: Seconds between two looks of the bot's loops for due work.
TICK: Final = 0.05

_CHANGE: Final = re.compile(r"CHG-(\d+)")
_UNDONE: Final = re.compile(
    r'^(?:linesman_outbox_undelivered|linesman_work\{task="(?:plan|start|submit|search|poll|finish)"\}) [1-9]',
    re.MULTILINE,
)


class Clock:
    """The bot's time: ``rate`` times as fast as the real one, and ahead of it by what was skipped."""

    def __init__(self, *, rate: float = 10.0) -> None:
        self._began = datetime.now(UTC)
        self._rate = rate
        self._skipped = timedelta()

    def __call__(self) -> datetime:
        """Return the present time."""
        return self._began + (datetime.now(UTC) - self._began) * self._rate + self._skipped

    def advance(self, seconds: float) -> None:
        """Skip ``seconds`` ahead."""
        self._skipped += timedelta(seconds=seconds)


@dataclass(kw_only=True)
class Stage:
    """The bot of :func:`bot.wiring.running` between the two stand-ins.

    Ana asks for changes, Max and Mia approve, Otto operates, Sam is nobody in particular, Gus is a guest and Fay is
    from another workspace.
    """

    slack: SlackStandIn
    telnyx: TelnyxStandIn
    database: Path
    transport: str = "http"
    clock: Clock = field(default_factory=Clock)
    #: Variables that differ from the usual ones; an empty value unsets.
    env: dict[str, str] = field(default_factory=dict)
    bot: Running | None = None
    _open: AsyncExitStack | None = None
    _session: aiohttp.ClientSession | None = None

    def __post_init__(self) -> None:
        add = self.slack.add_person
        self.ana, self.max, self.mia = add("U0ANA", name="Ana"), add("U0MAX", name="Max"), add("U0MIA", name="Mia")
        self.otto, self.sam = add("U0OTTO", name="Otto"), add("U0SAM", name="Sam")
        self.gus, self.fay = add("U0GUS", name="Gus", guest=True), add("U0FAY", name="Fay", foreign_team="T0OTHER")
        everybody = ["U0ANA", "U0MAX", "U0MIA", "U0OTTO", "U0SAM", "U0GUS", "U0FAY"]
        for channel, name in ((OPS, "ops"), (APPROVALS, "approvals"), (FAILURES, "failures")):
            self.slack.add_channel(channel, name=name, members=everybody)

    # The bot

    async def start(self, **env: str) -> None:
        """Start the bot; ``env`` is remembered for the next start."""
        self.env |= env
        settings = load({**self._usual(), **self.env})
        stack = AsyncExitStack()
        self._open = stack
        self._session = await stack.enter_async_context(aiohttp.ClientSession())
        self.bot = await stack.enter_async_context(running(settings, clock=self.clock))
        ringing = asyncio.create_task(self._ring(self.bot))
        stack.push_async_callback(_ended, ringing)
        if self.transport == "http":
            self.slack.deliver_http(f"http://127.0.0.1:{self.bot.port}/slack/events")
        else:
            self.slack.deliver_http(None)
            await self.slack.wait_for(lambda: self.slack.sockets >= 1, what="a Socket Mode connection")

    async def _ring(self, bot: Running) -> None:
        """Have the bot's loops look often: they sleep in real seconds, and the stage's clock runs faster."""
        while True:
            await asyncio.sleep(TICK)
            bot.worker._context.ring()

    async def stop(self) -> None:
        """Stop the bot as SIGTERM does; harmless when it is not running."""
        stack, self._open, self.bot = self._open, None, None
        if stack is not None:
            await stack.aclose()

    async def crash(self) -> None:
        """Cut the bot's work off wherever it is, and end what is left of the process."""
        if self.bot is not None:
            # Between two transactions: one that is cut in its middle rolls back for certain only when its process ends.
            async with self.bot.worker._context.database._writing:
                self.bot.working.cancel()
                await asyncio.wait({self.bot.working})
        await self.stop()

    def _usual(self) -> dict[str, str]:
        return {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "SLACK_APP_TOKEN": APP_TOKEN if self.transport == "socket" else "",
            "SLACK_API_URL": self.slack.api_url,
            "TELNYX_API_KEY": self.telnyx.api_key,
            "TELNYX_API_URL": self.telnyx.url,
            "DATABASE_URL": f"sqlite+aiosqlite:///{self.database}",
            "HOST": "127.0.0.1",
            "PORT": "0",
            "LINESMAN_REQUESTERS": "U0ANA,U0MIA",
            "LINESMAN_APPROVERS": "U0MAX,U0MIA,U0ANA",
            "LINESMAN_OPERATORS": "U0OTTO",
            "LINESMAN_APPROVAL_CHANNEL": APPROVALS,
            "LINESMAN_FAILURE_CHANNEL": FAILURES,
            "LINESMAN_POLL_MIN": "0.05",
            "LINESMAN_POLL_MAX": "0.2",
            "LINESMAN_CARD_SECONDS": "0.5",
            "LINESMAN_SETTLE_SECONDS": "0.2",
            "LINESMAN_PROVIDER_TIMEOUT": "5",
        }

    async def get(self, path: str) -> tuple[int, str]:
        """Return status and text of a page of the bot's own server."""
        if self.bot is None or self._session is None:
            raise RuntimeError("the bot is not running")
        async with self._session.get(f"http://127.0.0.1:{self.bot.port}{path}") as answer:
            return answer.status, await answer.text()

    async def quiet(self, timeout: float = 10.0) -> None:  # noqa: ASYNC109 - it is asyncio.timeout inside
        """Wait until the bot has nothing left to do or to say, as its own figures tell."""
        async with asyncio.timeout(timeout):
            while _UNDONE.search((await self.get("/metrics"))[1]):  # noqa: ASYNC110 - figures signal nobody
                await asyncio.sleep(0.03)

    # What people do

    async def open(self, text: str = "update", *, by: Person | None = None, channel: str = OPS) -> View:
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
        by: Person | None = None,
    ) -> None:
        """Fill the form that is open; setting name -> what is typed or chosen."""
        by = by or self.ana
        if numbers is not None:
            await self.paste(numbers, by=by)
        if settings:
            await self.choose(list(settings), by=by)
            for name, value in settings.items():
                await self.set(name, value, by=by)
        if reason is not None:
            await by.type("reason", reason)

    async def paste(self, numbers: str | Iterable[str], *, by: Person | None = None) -> None:
        """Type numbers, into further boxes when one does not hold them; a text goes into the first box as it is."""
        by = by or self.ana
        if isinstance(numbers, str):
            await by.type("numbers:0", numbers)
            return
        listed = list(numbers)
        for box, start in enumerate(range(0, len(listed), BOX)):
            if by.view is not None and (f"numbers:{box}", "numbers") not in by.view.form.slots:
                await by.click("more_numbers")
                await by.wait_for_view(lambda view, box=box: (f"numbers:{box}", "numbers") in view.form.slots)
            await by.type(f"numbers:{box}", "\n".join(listed[start : start + BOX]))

    async def choose(self, settings: Sequence[str], *, by: Person | None = None) -> View:
        """Choose which settings to change, and wait for their inputs."""
        by = by or self.ana
        if by.view is not None and ("settings", "settings") in by.view.form.slots:
            await by.choose("settings", settings)
        wanted = {f"value:{name}" for name in settings}

        def there(view: View) -> bool:
            return wanted <= {block["block_id"] for block in view.blocks}

        return await by.wait_for_view(there)

    async def set(self, name: str, value: str, *, by: Person | None = None) -> None:
        """Type or choose the value of one setting."""
        by = by or self.ana
        view = by.view
        if view is None:
            raise RuntimeError("no form is open")
        kind = view.form.slot(f"value:{name}").kind
        if kind in TYPED:
            await by.type(f"value:{name}", value)
            return
        if kind in EXTERNAL:
            await by.suggest(f"value:{name}", "")
        await by.choose(f"value:{name}", value)

    async def propose(
        self,
        numbers: str | Iterable[str],
        settings: Mapping[str, str] | None = None,
        *,
        reason: str = "Moving to the new PBX",
        command: str = "update",
        by: Person | None = None,
    ) -> View:
        """Fill a new form, send it, and return what is shown after planning."""
        await self.open(command, by=by)
        await self.fill(numbers, settings or {"customer_reference": "Denver"}, reason, by=by)
        await self.send(by=by)
        return await self.planned(by=by)

    async def send(self, *, by: Person | None = None) -> Submission:
        """Press the form's button; it has to be accepted."""
        sent = await (by or self.ana).submit()

        assert (sent.errors, sent.delivery.error) == (None, None)
        return sent

    async def refused(self, *, by: Person | None = None) -> dict[str, str]:
        """Press the form's button and return what is wrong, by input; it has to be refused."""
        sent = await (by or self.ana).submit()

        assert sent.delivery.error is None
        assert sent.errors
        return sent.errors

    async def planned(self, *, by: Person | None = None) -> View:
        """Return the modal once it shows the plan, or why there is none."""
        return await (by or self.ana).wait_for_view(
            lambda view: view.callback_id == "preview" and any(block["type"] == "actions" for block in view.blocks)
        )

    async def request(self, *, by: Person | None = None) -> int:
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
        by: Person | None = None,
    ) -> int:
        """Take a change from nothing to waiting for approval and return its number."""
        await self.propose(numbers, settings, reason=reason, command=command, by=by)
        return await self.request(by=by)

    async def approve(self, change: int, *, by: Person | None = None) -> str:
        """Press Approve and return the answer."""
        return await self.press("approve", change, by=by or self.max)

    async def press(self, action: str, change: int, *, by: Person) -> str:
        """Press a button of the request for approval and return what only that person is told."""
        return await self.answered(by, by.click(action, message=self.request_card(change)))

    async def answered(self, person: Person, doing: asyncio.Future[Delivery] | object) -> str:
        """Await what ``person`` does and return what only they are told because of it."""
        before = len(self.slack.ephemerals(person.id))
        delivery = await doing  # type: ignore[misc]  # any awaitable of a delivery

        assert delivery.error is None
        await self.slack.wait_for(
            lambda: len(self.slack.ephemerals(person.id)) > before, what=f"an answer to {person.profile.name}"
        )
        return self.read(self.slack.ephemerals(person.id)[-1])

    async def command(self, text: str, *, by: Person | None = None, channel: str = OPS) -> str:
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

    async def ended(self, change: int, timeout: float = 15.0) -> None:  # noqa: ASYNC109 - asyncio.timeout inside
        """Wait until the change is over and all of it has been told."""
        await self.slack.wait_for(lambda: self.file(change), timeout=timeout, what=f"the results of CHG-{change}")
        await self.quiet()

    # What people see

    def read(self, shown: Message | View) -> str:
        """Return a message or a modal as a person reads it."""
        return "\n".join(lines(shown, self.slack))

    def modal(self, person: Person | None = None) -> str:
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


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})
