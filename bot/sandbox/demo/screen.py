"""The screen: Slack as the people of the story see it, on a terminal or as plain text in a pipe."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, TextIO

from rich import box
from rich.console import Console, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from bot.sandbox.demo.ink import folded, inked
from bot.sandbox.demo.world import CHANNELS
from bot.sandbox.slack import Message, Person, SlackStandIn, View
from bot.sandbox.slack.transcript import author, lines

#: Columns when nobody's terminal says otherwise, and the most that are used of a wide one.
WIDTH: Final = 100
#: Seconds that a person gets for reading before the next thing happens.
BEAT: Final = 0.45

#: Open to the right: emoji are wider in some terminals than in others, and a right border would show it.
_OPEN: Final = box.Box("╭──╴\n│   \n├── \n│   \n├── \n├── \n│   \n╰──╴\n")
_PLACES: Final = {"number-ops": "blue", "number-approvals": "magenta", "number-failures": "red"}


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
        if self.console.width > WIDTH:
            self.console.width = WIDTH
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

    def act(self, who: Person, what: str) -> None:
        """Say what a person does."""
        self.show("", Text.assemble(("▸ ", "bold yellow"), (who.profile.name, "bold"), f" {what}"))

    def modal(self, view: View, *, folding: Sequence[str] = ()) -> None:
        """Print a modal as it stands; the parts between lines that start with ``folding`` are left out."""
        title, *rest = lines(view, self._slack)
        del folding
        self.show(_panel(Text(title.strip("═ "), style="bold"), folded(rest), "white", indent=4))

    def message(self, message: Message, *, title: str = "", most: int = 0) -> None:
        """Print a message of a channel or a thread; with ``most``, its first lines only."""
        place = CHANNELS[message.channel]
        reply = message.thread_ts is not None
        where = title or (f"thread in #{place}" if reply else f"#{place}")
        shown = lines(message, self._slack)
        if most and len(shown) > most:
            shown = [*shown[:most], "⋮"]
        self.show(_panel(self._heading(message, where), shown, _PLACES[place], indent=4 if reply else 0))

    def whisper(self, message: Message, to: Person) -> None:
        """Print what only one person is shown."""
        where = f"#{CHANNELS[message.channel]} · only {to.profile.name} sees this"
        shown = lines(message, self._slack)
        self.show(_panel(self._heading(message, where), shown, "bright_black", indent=0))

    def _heading(self, message: Message, where: str) -> Text:
        return Text.assemble((author(message, self._slack), "bold"), (" APP", "bright_black"), f"  {where}")

    @contextmanager
    def following(self, message: Message) -> Iterator[Following]:
        """Show a message while it is edited in place; in a pipe, show some of its states one after the other."""
        heading = self._heading(message, f"#{CHANNELS[message.channel]} · edited in place")
        colour = _PLACES[CHANNELS[message.channel]]

        def panel() -> RenderableType:
            return _panel(heading, lines(message, self._slack), colour, indent=0)

        if not self.moving:
            yield Following(lambda: None)
            return
        with Live(panel(), console=self.console, auto_refresh=False) as live:
            yield Following(lambda: live.update(panel(), refresh=True))
            live.update(panel(), refresh=True)


def _panel(title: Text, shown: Sequence[str], colour: str, *, indent: int) -> RenderableType:
    panel = Panel(inked(shown), title=title, title_align="left", border_style=colour, box=_OPEN, padding=(0, 1))
    return Padding(panel, (0, 0, 0, indent))
