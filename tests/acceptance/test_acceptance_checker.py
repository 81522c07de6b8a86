"""The checker notices what is wrong: a judge that lets everything pass would prove nothing."""

from __future__ import annotations

import copy
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.process_pool import ProcessPool
from tests.acceptance.stage import Stage
from tests.acceptance.workspace import FAILURES, OPS
from tests.acceptance.wrongs import assert_all_are_noticed, said_twice, written


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

    assert_all_are_noticed(stage, WRONGS)
