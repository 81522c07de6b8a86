"""What is put around the bot in a process that is to suffer: a hook at every commit, and shorter pauses.

Nothing of this is in the bot. It is told what to do by one environment variable, and tells what it saw in a file.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import json
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any, Final

from bot import wiring
from bot.store.database import Database
from bot.store.maintenance import preparation
from bot.store.transaction import Transaction
from bot.workflow.context import Timing

#: Names the JSON object ``{"folder", "step", "nth", "when", "what"}``; with the folder alone nothing happens.
#: Besides, ``skew`` is by how many seconds the clock is off, and ``lease`` how many another :data:`LEASE` lasts.
PLAN: Final = "FAULT_PLAN"
#: In the folder: the names of all commits, one a line.
COMMITS: Final = "commits"
#: In the folder: it is there once the fault has happened.
HAPPENED: Final = "happened"
#: In the folder: while it is there the disk is full.
FULL: Final = "full"
#: Seconds that a disk stays full.
FULL_FOR: Final = 0.5

#: Pauses that no variable of the bot shortens: for people it makes no difference whether a minute passes, for
#: hundreds of runs it does.
SHORTER: Final = {
    "bot.config.policy.spans": {"SHORTEST": timedelta(seconds=1)},
    "bot.slack.web_api": {"TIMEOUT": 1.5, "UNREACHABLE_WAIT": 0.2},
    "bot.slack.modals": {"PAUSES": (0.1, 0.2, 0.4), "ACK_APPLIED": 0.3},
    "bot.slack.sockets": {"RETRY": 0.2},
    "bot.workflow.delivery": {
        "FIRST_RETRY": timedelta(seconds=0.2),
        "LOOKUP_AFTER": timedelta(seconds=0.2),
        "CUT_OFF_WAIT": timedelta(seconds=0.4),
        "COVERED_FOR": timedelta(seconds=0.3),
        "EDIT_RATE": 10.0,
        "URGENT_EDIT_RATE": 10.0,
    },
    "bot.workflow.approval.delegation_notices": {
        "RETRY": timedelta(seconds=0.2),
        "CUT_OFF_WAIT": timedelta(seconds=0.4),
    },
    "bot.workflow.execution.start": {"WAIT": timedelta(seconds=0.3)},
    "bot.workflow.execution.wave_start": {"WAIT": timedelta(seconds=0.3)},
    "bot.workflow.execution.submission": {"SLOT_WAIT": timedelta(seconds=0.3)},
    "bot.workflow.execution.submission_gate": {"SLOT_WAIT": timedelta(seconds=0.3)},
    "bot.workflow.loops.retries": {"FIRST_RETRY": timedelta(seconds=0.2)},
    "bot.workflow.loops.worker": {"IDLE": 0.2},
}
#: How long a claim lasts that nobody renews; a claim whose end could not be written down waits for this.
LEASE: Final = timedelta(seconds=8)


def install() -> None:
    """Put the hooks around the bot; what they do is read from the environment, and taken out of it."""
    plan = json.loads(os.environ.pop(PLAN))
    commits = Commits(plan)
    for module, values in SHORTER.items():
        for name, value in values.items():
            setattr(importlib.import_module(module), _existing(module, name), value)
    wiring.Timing = functools.partial(Timing, lease=timedelta(seconds=plan["lease"]) if "lease" in plan else LEASE)
    Database.transaction = _watched(Database.transaction, commits)
    preparation.migrate = _as_a_commit(preparation.migrate, commits)
    if skew := plan.get("skew"):
        _set_the_clock(skew)


def _set_the_clock(seconds: float) -> None:
    """Let this machine's time of day be off, as the bot reads it and as Slack's library does."""
    real = time.time
    time.time = lambda: real() + seconds


def _existing(module: str, name: str) -> str:
    """Return ``name``; raises AttributeError when the pause has gone, so that nothing is set that nobody reads."""
    getattr(importlib.import_module(module), name)
    return name


class Commits:
    """Sees every commit of a transaction that writes, under the name of the function that made it."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan
        self._folder = Path(plan["folder"])
        self._seen: Counter[str] = Counter()

    def enter(self, names: Sequence[str]) -> bool:
        """Write ``names`` down; tell whether this commit is the one that the fault is for."""
        chosen = False
        for name in names:
            self._seen[name] += 1
            chosen = chosen or (name, self._seen[name]) == (self._plan.get("step"), self._plan.get("nth"))
        with (self._folder / COMMITS).open("a") as file:
            file.writelines(f"{name}\n" for name in names)
        return chosen

    def strike(self, when: str) -> None:
        """Let the fault happen, if this is its time."""
        if self._plan["when"] != when:
            return
        (self._folder / HAPPENED).touch()
        match self._plan["what"]:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "terminate":
                os.kill(os.getpid(), signal.SIGTERM)
            case "full":
                full = self._folder / FULL
                full.touch()
                asyncio.get_running_loop().call_later(FULL_FOR, full.unlink, True)  # noqa: FBT003 - its first argument

    @property
    def full(self) -> bool:
        """Whether nothing more fits on the disk."""
        return (self._folder / FULL).exists()


def _watched(transaction: Any, commits: Commits) -> Any:
    @asynccontextmanager
    async def watched(self: Database) -> AsyncIterator[Transaction]:
        caller = sys._getframe(2)  # past contextlib's own frame
        async with transaction(self) as tx:
            yield tx
            names = list(_names(caller))
            chosen = commits.enter(names)
            if chosen:
                commits.strike("before")
            if names and commits.full:
                await _overflow(tx)
        if chosen:
            commits.strike("after")

    return watched


def _as_a_commit(migrate: Any, commits: Commits) -> Any:
    @functools.wraps(migrate)
    async def watched(database: Database) -> object:
        chosen = commits.enter(["migrate"])
        if chosen:
            commits.strike("before")
        revisions = await migrate(database)
        if chosen:
            commits.strike("after")
        return revisions

    return watched


def _names(caller: FrameType) -> Iterator[str]:
    """Name a commit by the function that opened the transaction and by what it was about.

    A look for due work that found none has no name: nothing is committed by it. Nor has the renewal of claims, which
    comes when it comes.
    """
    where, about = caller.f_code.co_qualname, caller.f_locals
    if where == "ClaimedTasks.claim":
        yield from (f"{where} {claim.task.value}" for claim in about["claims"])
    elif where == "ClaimedMessages.claim":
        yield from (f"{where} {_topic(message.key)}" for message in about["messages"])
    elif "message" in about:
        yield f"{where} {_topic(about['message'].key)}"
    elif where != "Worker._renew":
        yield where


def _topic(key: str) -> str:
    """Return an outbox key without the change that it belongs to, and without a time or a digest in it."""
    return re.sub(r"(?<=:)(?:\d{14,}|[0-9a-f]{12})(?=:|$)", "…", re.sub(r"^CHG-\d+:", "", key))


async def _overflow(tx: Transaction) -> None:
    """Write more than may fit, so that SQLite itself finds the disk full; raises its error."""
    connection = tx.tasks._connection
    pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
    await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    try:
        await connection.exec_driver_sql("CREATE TABLE filler AS SELECT zeroblob(4000000) AS filling")
    finally:
        await connection.exec_driver_sql("PRAGMA max_page_count = 4294967294")
