"""``linesman restore``: a backup takes the place of the SQLite database."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bot.commands import OK, environment
from bot.machine import utc_now
from bot.store.maintenance.sqlite_backup import restore


def options(parser: argparse.ArgumentParser) -> None:
    """Declare where from."""
    parser.add_argument("file", metavar="FILE", type=Path, help="backup that `linesman backup` has written")


def run(parsed: argparse.Namespace) -> int:
    """Restore, and say where the database of before is and whether anything is held back."""
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
    sys.stdout.write("\n".join(told) + "\n")
    return OK
