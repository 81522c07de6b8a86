"""The screen: Slack as the people of the story see it, on a terminal or as plain text in a pipe."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Final, TextIO

from rich import box
from rich.console import Console, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from bot.sandbox.demo.ink import folded, inked
from bot.sandbox.demo.world import CHANNELS
from bot.sandbox.slack import Message, SlackStandIn, SlackUser, View
from bot.sandbox.slack.transcript import author, lines

#: Columns when nobody's terminal says otherwise, and the most that are used of a wide one.
WIDTH: Final = 100
#: Seconds that a person gets for reading before the next thing happens.
BEAT: Final = 0.25
#: How many blocks of a bar lie between two snapshots of it.
STEP: Final = 5

#: Open to the right: emoji are wider in some terminals than in others, and a right border would show it.
_OPEN: Final = box.Box("╭──╴\n│   \n├── \n│   \n├── \n├── \n│   \n╰──╴\n")
_PLACES: Final = {"number-ops": "blue", "sales-ops": "blue", "number-approvals": "magenta", "number-failures": "red"}


class Screen:
    """Prints what happens."""

    def __init__(self, out: TextIO, slack: SlackStandIn) -> None:
        terminal = out.isatty()
        if isinstance(out, io.TextIOWrapper):
            out.reconfigure(errors="replace")  # a letter that the terminal lacks must not end the story
        self._slack = slack
        self.console = Console(
            file=out,
            width=None if terminal else WIDTH,
            force_terminal=None if terminal else False,
            highlight=False,
            soft_wrap=False,
        )
        self.console.width = min(self.console.width, WIDTH)
        #: Whether things can be shown while they move, and somebody is there to follow.
        self.moving = self.console.is_terminal and not self.console.is_dumb_terminal

    async def beat(self, beats: float = 1.0) -> None:
        """Leave a person time for reading; nobody reads a pipe."""
        if self.moving:
            await asyncio.sleep(BEAT * beats)

    def show(self, *things: RenderableType) -> None:
        """Print things, each on its own line."""
        for thing in things:
            self.console.print(thing)

    def scene(self, title: str) -> None:
        """Begin a new part of the story."""
        self.show("", Rule(Text(title, style="bold"), align="left", style="bright_black"))

    def tell(self, text: str) -> None:
        """Say what is going on, in the narrator's voice."""
        self.show("", Text(text, style="italic bright_black"))

    def act(self, who: SlackUser, what: str) -> None:
        """Say what a person does."""
        self.show("", Text.assemble(("▸ ", "bold yellow"), (who.profile.name, "bold"), f" {what}"))

    def modal(self, view: View, *, since: str = "") -> None:
        """Print a modal as it stands, with long pastes folded, or from the line ``since`` on."""
        title, *rest = lines(view, self._slack)
        if since in rest:
            rest = ["…", *rest[rest.index(since) :]]
        self.show(_panel(Text(title.strip("═ "), style="bold"), folded(rest), "white", indent=4))

    def message(self, message: Message, *, most: int = 0) -> None:
        """Print a message of a channel; with ``most``, its first lines only."""
        place = CHANNELS[message.channel]
        shown = lines(message, self._slack)
        if most and len(shown) > most:
            shown = [*shown[:most], "…"]
        self.show(_panel(self._heading(message, f"#{place}"), shown, _PLACES[place], indent=0))

    def thread(self, replies: Sequence[Message]) -> None:
        """Print the replies below a message, which are all by one author."""
        place = CHANNELS[replies[0].channel]
        shown = [line for reply in replies for line in lines(reply, self._slack)]
        heading = self._heading(replies[0], f"{len(replies)} replies in the card's thread")
        self.show(_panel(heading, shown, _PLACES[place], indent=4))

    def whisper(self, message: Message, to: SlackUser) -> None:
        """Print what only one person is shown."""
        where = f"#{CHANNELS[message.channel]} · only {to.profile.name} sees this"
        shown = lines(message, self._slack)
        self.show(_panel(self._heading(message, where), shown, "bright_black", indent=0))

    def _heading(self, message: Message, where: str) -> Text:
        return Text.assemble((author(message, self._slack), "bold"), (" APP", "bright_black"), f"  {where}")

    @contextmanager
    def following(self, message: Message) -> Iterator[Callable[[], None]]:
        """Show a message that is edited in place; what is returned is to be called after every edit.

        On a terminal the message moves; in a pipe a few of its states are printed, and the last one whole.
        """
        heading = self._heading(message, f"#{CHANNELS[message.channel]} · edited in place")

        def panel() -> RenderableType:
            shown = lines(message, self._slack)
            return _panel(heading, shown, _PLACES[CHANNELS[message.channel]], indent=0)

        if not self.moving:
            yield Snapshots(self, message).take
            self.show(panel())
            return
        with Live(panel(), console=self.console, auto_refresh=False) as live:
            yield lambda: live.update(panel(), refresh=True)
            live.update(panel(), refresh=True)

    def read(self, message: Message) -> list[str]:
        """Return a message's lines as a person reads them."""
        return lines(message, self._slack)


class Snapshots:
    """Prints the progress of a message in a few steps."""

    def __init__(self, screen: Screen, message: Message) -> None:
        self._screen = screen
        self._message = message
        self._filled = -STEP

    def take(self) -> None:
        """Print the bar and the counts when the bar has moved far enough."""
        shown = self._screen.read(self._message)
        for bar, counts in pairwise(shown):
            filled = bar.count("█")
            if "█" in bar or "░" in bar:
                if filled >= self._filled + STEP:
                    self._filled = filled
                    self._screen.show(Padding(inked([f"{bar}   {counts}"]), (0, 0, 0, 2)))
                return


def _panel(title: Text, shown: Sequence[str], colour: str, *, indent: int) -> RenderableType:
    panel = Panel(inked(shown), title=title, title_align="left", border_style=colour, box=_OPEN, padding=(0, 1))
    return Padding(panel, (0, 0, 0, indent))
