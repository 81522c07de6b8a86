"""``linesman restore``: a backup replaces the SQLite database."""

from __future__ import annotations

import argparse
from pathlib import Path

from bot.commands import environment, report
from bot.machine import utc_now
from bot.store.maintenance.sqlite_backup import restore


def options(parser: argparse.ArgumentParser) -> None:
    """Declare the source."""
    parser.add_argument("file", metavar="FILE", type=Path, help="backup that `linesman backup` has written")


def run(parsed: argparse.Namespace) -> int:
    """Restore, and say where the previous database is and whether submissions are frozen."""
    path = environment.sqlite_path("restore it with pg_restore")
    before, frozen = restore(parsed.file, path, by=environment.who(), now=utc_now())
    told = [f"✓ {path} was restored from {parsed.file}."]
    if before is not None:
        told.append(f"The previous database is {before}.")
    if frozen:
        told.append(
            "Submissions are frozen: changes in it would continue from where they were when it was backed up, and may "
            "have been carried out or cancelled since. Check them, then run /numbers unfreeze."
        )
    return report("\n".join(told) + "\n")
