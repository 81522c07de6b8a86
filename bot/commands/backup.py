"""``linesman backup``: a copy of the SQLite database, even while Linesman runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from bot.commands import environment, report
from bot.store.maintenance.sqlite_backup import back_up


def options(parser: argparse.ArgumentParser) -> None:
    """Declare the target."""
    parser.add_argument("file", metavar="FILE", type=Path, help="file to write; it must not exist")


def run(parsed: argparse.Namespace) -> int:
    """Copy the database, and say that the copy is complete."""
    back_up(environment.sqlite_path("back it up with pg_dump"), parsed.file)
    return report(f"✓ {parsed.file} is a complete copy of the database. It does not hold LINESMAN_SECRET_KEY.\n")
