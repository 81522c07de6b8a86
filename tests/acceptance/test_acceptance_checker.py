"""The checker notices what is wrong: a judge that lets everything pass would prove nothing."""

from __future__ import annotations

import copy
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.checker import assert_right
from tests.acceptance.process_pool import ProcessPool
from tests.acceptance.stage import Stage
from tests.acceptance.workspace import FAILURES, OPS


@pytest.fixture
async def forked(fork_server: Path) -> AsyncIterator[ProcessPool]:
    """Let the process be forked: how it starts is not what is tried."""
    async with ProcessPool(fork_server) as pool:
        yield pool


@contextmanager
def job_twice(stage: Stage) -> Iterator[None]:
    """Let the carrier have a second job over the same numbers."""
    twin = copy.copy(stage.telnyx.jobs[0])
    twin.id = "twin"
    stage.telnyx._book.all[twin.id] = twin
    yield
    del stage.telnyx._book.all[twin.id]


@contextmanager
def number_lost(stage: Stage) -> Iterator[None]:
    """Let a number be missing from the sheet."""
    [sheet] = [file for file in stage.slack.files if file.name.endswith("-results.csv")]
    whole = sheet.content
    sheet.content = b"\n".join(whole.splitlines()[:-1])
    yield
    sheet.content = whole


@contextmanager
def outcome_wrong(stage: Stage) -> Iterator[None]:
    """Let the sheet say of a failed number that it succeeded."""
    [sheet] = [file for file in stage.slack.files if file.name.endswith("-results.csv")]
    whole = sheet.content
    sheet.content = whole.replace(b"failed", b"succeeded", 1)
    yield
    sheet.content = whole


def said_twice(channel: str, *, below: bool) -> Callable[[Stage], object]:
    """Return what repeats a message: the card or the notice, or the last line below it."""

    @contextmanager
    def repeated(stage: Stage) -> Iterator[None]:
        [top] = stage.slack.messages(channel)
        said = stage.slack.thread(channel, top.ts)[-1] if below else top
        twin = said.snapshot()
        twin.ts = stage.slack.workspace.next_ts()
        stage.slack.workspace.add_message(twin)
        yield
        twin.deleted = True

    return repeated


def written(statement: str) -> Callable[[Stage], object]:
    """Return what changes the database behind Linesman's back."""

    @contextmanager
    def changed(stage: Stage) -> Iterator[None]:
        whole = stage.database.read_bytes()
        with closing(sqlite3.connect(stage.database)) as connection, connection:
            connection.execute(statement)
        yield
        stage.database.write_bytes(whole)

    return changed


WRONGS: Final = {
    "a job made twice": job_twice,
    "a number lost": number_lost,
    "an outcome that is not the carrier's": outcome_wrong,
    "a second card": said_twice(OPS, below=False),
    "a line of the thread told twice": said_twice(OPS, below=True),
    "a failure told twice": said_twice(FAILURES, below=False),
    "a lock left": written("INSERT INTO locks VALUES ('telnyx', '1', 1, '2026-01-01 00:00:00')"),
    "a task left": written("INSERT INTO tasks (task, subject, due_at) VALUES ('poll', 1, '2026-01-01 00:00:00')"),
    "a message left": written("UPDATE outbox SET state = 'pending' WHERE key = 'CHG-1:card'"),
    "a step not written down": written("DELETE FROM events WHERE what = 'approved'"),
    "a step written down twice": written(
        "INSERT INTO events (change_id, at, actor, what, digest, details, hash) "
        "SELECT change_id, at, actor, what, digest, details, hash FROM events WHERE what = 'batch_settled'"
    ),
    "steps out of order": written("UPDATE events SET id = -1 WHERE what = 'finished'"),
}


async def test_whatever_is_wrong_is_noticed(stage: Stage) -> None:
    """A story that ended right is found right; with any one thing wrong about it, it is not."""
    stage.stock(batches=2, each=2)
    await stage.start()
    await stage.propose()
    await stage.request()
    await stage.approve()
    await stage.ended()
    stage.process.strike(signal.SIGTERM)
    await stage.process.gone()

    unnoticed = []
    for name, wrong in WRONGS.items():
        assert_right(stage)
        with wrong(stage):
            try:
                assert_right(stage)
            except (AssertionError, ValueError):  # a list that has two elements instead of one
                continue
            unnoticed.append(name)

    assert unnoticed == []
    assert_right(stage)
