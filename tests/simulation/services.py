"""The services of one world: stand-ins for Slack, Telnyx and Close, who is in them, and what is true there."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Final

from bot.sandbox.close import CloseStandIn, furnish
from bot.sandbox.slack import SlackStandIn
from bot.sandbox.slack import log as slack_log
from bot.sandbox.telnyx import TelnyxStandIn
from tests.simulation.people import APPROVALS, FAILURES, OPS
from tests.simulation.trace import Told, brief
from tests.simulation.wishes import ADDRESS, Wish

if TYPE_CHECKING:
    from tests.simulation.judge import Judge
    from tests.simulation.nature import Nature
    from tests.simulation.trace import Trace

BOT_TOKEN: Final = "xoxb-simulation-1"
SIGNING_SECRET: Final = "signing-secret-of-the-simulation"
PEOPLE: Final = ("Ana", "Max", "Mia", "Otto", "Sam")
#: Of so many numbers one has a bundle.
BUNDLED: Final = 3


class Services:
    """The stand-ins; there is something in them once :meth:`furnish` has been awaited."""

    nature: Nature
    trace: Trace
    #: Numbers that somebody else has changed, and when.
    touched: dict[str, float]

    async def furnish(self, stack: AsyncExitStack) -> None:
        """Start them, and put people, channels and numbers into them."""
        slack_log.BACKSTOP_SECONDS = 5.0
        now = self.nature.now
        self.slack = await stack.enter_async_context(
            SlackStandIn(signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN, clock=now)
        )
        self.telnyx = await stack.enter_async_context(TelnyxStandIn(clock=now, job_seconds=20.0))
        self.close = await stack.enter_async_context(CloseStandIn(clock=now))
        self._tell()
        add = self.slack.add_person
        self.ana, self.max, self.mia, self.otto, self.sam = (add(f"U0{name.upper()}", name=name) for name in PEOPLE)
        for channel, name in ((OPS, "ops"), (APPROVALS, "approvals"), (FAILURES, "failures")):
            self.slack.add_channel(channel, name=name, members=[f"U0{each.upper()}" for each in PEOPLE])
        for place, number in enumerate(self.telnyx.add_numbers(40, start="+13035550000")):
            number.has_bundle = place % BUNDLED == 0
        furnish(self.close, shared=24)
        self.telnyx.add_address("1600 Broadway", id=ADDRESS)
        self.telnyx_numbers = [each.phone_number for each in self.telnyx.numbers.values()]
        self.close_numbers = [each.number for each in self.close.numbers.values() if each.is_group_number]

    def _tell(self) -> None:
        """Have every call and every click told in the trace."""
        journal = self.slack.workspace.journal
        journal.calls = Told(self.trace, lambda call: f"slack {call.method} {brief(call.params)}")
        journal.deliveries = Told(self.trace, lambda sent: f"click {sent.kind} {brief(sent.payload)}")
        for name, provider in (("telnyx", self.telnyx), ("close", self.close)):
            provider._wire.calls = Told(
                self.trace, lambda call, name=name: f"{name} {call.method} {call.path} {call.query} {brief(call.body)}"
            )

    def watched_by(self, judge: Judge) -> None:
        """Let the judge see every job and every update as soon as it is there."""
        book = self.telnyx._book
        add = book.add

        def added(job: Any) -> Any:
            made = add(job)
            if not job.of_somebody_else:
                judge.job_made(made)
            return made

        book.add = added  # type: ignore[method-assign]
        number_of = self.close.number

        class Updates(list[Any]):
            def append(self, update: Any) -> None:
                super().append(update)
                number = number_of(update.number)
                judge.updated(number.before or number, dict(update.settings), f"update {len(self)}")

        self.close._behaviour.updates = Updates()

    def variables(self) -> Mapping[str, str]:
        """Return the bot's variables that say where they are, and its keys to them."""
        return {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "SLACK_API_URL": self.slack.api_url,
            "TELNYX_API_KEY": self.telnyx.api_key,
            "TELNYX_API_URL": self.telnyx.url,
            "CLOSE_API_KEY": self.close.api_key,
            "CLOSE_API_URL": self.close.url,
        }

    # What is true

    def meant(self, wish: Wish) -> set[str]:
        """Return the numbers that a wish means at this moment."""
        if not wish.part:
            return set(wish.numbers)
        return {
            each.phone_number
            for each in self.telnyx.numbers.values()
            if wish.part in each.phone_number and (each.has_bundle or not wish.bundled)
        }

    def touch(self, e164: str) -> None:
        """Note that somebody else has changed a number."""
        self.trace.add(f"{e164} is somebody else's now")
        self.touched[e164] = self.nature.loop.time()

    def value(self, provider: str, e164: str, name: str) -> Any:
        """Return what a number has at its provider."""
        if provider == "close":
            return getattr(self.close.number(e164), name)
        number = self.telnyx._account.find(e164)
        if number is None or not name:
            return None
        return number.value(name)
