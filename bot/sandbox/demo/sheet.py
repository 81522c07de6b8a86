"""The results sheet, as somebody sees it who opens it and filters for what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from bot.sandbox.demo.evidence import read_sheet
from bot.sandbox.slack import File

#: Lines of the file that are shown as they are.
FIRST_LINES: Final = 3


def sheet_shown(file: File, width: int) -> Iterator[RenderableType]:
    """Yield the first lines, cut at ``width``, how many rows have which outcome, and the rows that went wrong."""
    text = file.content.decode("utf-8-sig").splitlines()
    for line in text[:FIRST_LINES]:
        yield Text(line if len(line) <= width else f"{line[: width - 1]}…", style="bright_black")
    yield Text(f"… and {len(text) - FIRST_LINES:,} more lines", style="bright_black")
    rows = read_sheet(file)
    counts = Counter(row["outcome"] for row in rows)
    told = ", ".join(f"{count:,} {outcome}" for outcome, count in counts.most_common())
    yield Text(f"\n{len(rows):,} rows: {told}. Those that failed or differ:\n", style="bold")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bright_black")
    columns = {"number": "cyan", "reason_code": "", "reason": "red", "pointer": ""}
    for name, style in columns.items():
        table.add_column(name.removeprefix("reason_"), style=style)
    for row in rows:
        if row["outcome"] != "verified":
            table.add_row(*(Text(row[name]) for name in columns))
    yield table
