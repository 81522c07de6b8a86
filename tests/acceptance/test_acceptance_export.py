"""`linesman export`, as an operator meets it on the machine."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.ledger import rows
from tests.acceptance.process import linesman
from tests.acceptance.stage import Stage

EVENTS = "SELECT id, what FROM events ORDER BY id"


async def test_the_audit_log_is_exported_beside_a_running_bot_and_proven(stage: Stage, tmp_path: Path) -> None:
    """Both forms hold every event, the export is one more, and `--verify` says so with status 0."""
    await stage.start()
    await linesman("export", env=stage.process.env)
    before = rows(stage.database, EVENTS)
    sheet = tmp_path / "audit.csv"

    written, printed = await asyncio.gather(
        linesman("export", "--to", "2999-01-01", "--output", str(sheet), env=stage.process.env),
        linesman("export", "--from", "2026-01-01", "--format", "jsonl", env=stage.process.env),
    )
    proven = await linesman("export", "--verify", env=stage.process.env)

    assert [ended.status for ended in (written, printed, proven)] == [0, 0, 0]
    told = list(csv.DictReader(io.StringIO(sheet.read_text("utf-8-sig"), newline="")))
    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert [(int(row["id"]), row["what"]) for row in told][: len(before)] == before
    assert [(each["id"], each["what"]) for each in lines][: len(before)] == before
    assert [each["actor"].split(":")[0] for each in lines] == ["shell"] * len(lines)
    assert "✓ " in written.err
    assert not sheet.with_name("audit.csv.part").exists()
    last = rows(stage.database, "SELECT id, hash FROM events ORDER BY id DESC LIMIT 1")[0]
    assert proven.out.startswith("✓ The audit log is intact: 3 events, each linked to the one before it.")
    assert f"event {last[0]}, whose hash is {last[1]}" in proven.out
    assert await stage.process.read("/readyz") == (200, "ready")


async def test_a_audit_log_that_somebody_touched_is_not_whole(stage: Stage) -> None:
    """Status 1, and the first event that is not as it was written."""
    await linesman("migrate", env=stage.process.env)
    for _ in range(3):
        await linesman("export", env=stage.process.env)
    with closing(sqlite3.connect(stage.database)) as connection, connection:
        connection.execute("UPDATE events SET actor = 'shell:nobody' WHERE id = 2")

    ended = await linesman("export", "--verify", env=stage.process.env)

    assert (ended.status, ended.out) == (1, "")
    assert "✗ The audit log breaks at event 2 (exported, " in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("--from", "2026-02-02", "--to", "2026-02-02"), 2, "✗ Nothing lies from 2026-02-02 to before 2026-02-02"),
        (("--from", "tuesday"), 2, "✗ “tuesday” is not a date: write 2026-11-01"),
        (("--from", "2999-01-01", "--to", "2999-01-02"), 2, "✗ 2999-01-01 is in the future"),
        (("--verify", "--from", "2026-02-02"), 2, "✗ --verify checks the whole audit log"),
        (("--format", "xml"), 2, "invalid choice: 'xml'"),
        (("--output", "nowhere/at/all.csv"), 1, "✗ Cannot write nowhere/at/all.csv.part: No such file or directory."),
        ((), 1, "✗ There is no database"),
        (("--verify",), 1, "✗ There is no database"),
    ],
    ids=["empty span", "no date", "future", "verify and dates", "form", "no folder", "no database", "verify nothing"],
)
async def test_what_cannot_be_done_is_said(stage: Stage, arguments: tuple[str, ...], status: int, said: str) -> None:
    """Wrong words have status 2, what fails has 1; nothing is made where there is no database."""
    ended = await linesman("export", *arguments, env=stage.process.env)

    assert (ended.status, ended.out) == (status, "")
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert not stage.database.exists()


async def test_an_older_database_is_left_to_its_own_version(stage: Stage) -> None:
    """Exporting migrates nothing: a Linesman of the older version may be at work on it."""
    await linesman("migrate", env=stage.process.env)
    with closing(sqlite3.connect(stage.database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0002'")

    ended = await linesman("export", env=stage.process.env)

    assert (ended.status, ended.out) == (1, "")
    assert "✗ The database has revision 0002, and this version needs revision" in ended.err
