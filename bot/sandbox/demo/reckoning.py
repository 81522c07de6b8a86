"""The end of the story: which calls were made, and which promises were kept."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from rich.columns import Columns
from rich.table import Table
from rich.text import Text

from bot.sandbox.demo.evidence import Evidence
from bot.sandbox.demo.promises import PromiseResult, verdicts
from bot.sandbox.demo.screen import Screen

#: An id inside a path: a UUID, the digits of Telnyx's own ids, or what begins with its kind at Close.
_ID: Final = re.compile(r"(?<=/)(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+|(?:phon|user|group)_\w+)(?=/|$)")
#: How many of a promise's problems are told.
_TOLD: Final = 5


def reckon(evidence: Evidence, screen: Screen) -> int:
    """Print the calls and the promises; return the exit status: 0 when every promise was kept."""
    screen.scene("What it took")
    provider = Counter(f"{call.method} {_ID.sub('{id}', call.path)}" for call in evidence.provider_calls)
    slack = Counter(call.method for call in evidence.slack_calls)
    close = Counter(f"{call.method} {_ID.sub('{id}', call.path)}" for call in evidence.team.calls)
    tables = [_table("Calls to Telnyx", provider), _table("Calls to Close", close), _table("Calls to Slack", slack)]
    screen.show("", Columns(tables, padding=(0, 4)))

    screen.scene("What was promised")
    screen.show("")
    judged = verdicts(evidence)
    for verdict in judged:
        screen.show(_line(verdict))
        screen.show(*(Text(f"    {problem}", style="red") for problem in verdict.problems[:_TOLD]))
        if (more := len(verdict.problems) - _TOLD) > 0:
            screen.show(Text(f"    and {more:,} more", style="red"))
    broken = sum(not verdict.kept for verdict in judged)
    screen.show("", _sum(broken, len(judged)))
    return 1 if broken else 0


def _line(verdict: PromiseResult) -> Text:
    mark = ("✔", "bold green") if verdict.kept else ("✘", "bold red")
    return Text.assemble(mark, " ", verdict.promise)


def _sum(broken: int, promises: int) -> Text:
    if broken:
        return Text(f"{broken} of {promises} promises broken.", style="bold red")
    return Text(f"All {promises} promises kept.", style="bold green")


def _table(title: str, counts: Counter[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, show_header=False, padding=(0, 1))
    table.add_column(justify="right", style="cyan")
    table.add_column()
    for name, count in counts.most_common():
        table.add_row(f"{count:,}", name)
    table.add_row(f"{counts.total():,}", "in all", style="bold")
    return table
