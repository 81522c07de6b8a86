"""What is in the log of a change: whose line it is, which change, and no traceback for what is tried again anyway."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Final

import pytest
import structlog

from bot.errors import Unavailable
from bot.sandbox.close import CloseStandIn, Fixtures
from bot.store.queue.tasks import Claim, Handler, Task
from bot.telemetry import logs
from tests.integration.scenarios.stage import Stage

#: Parts whose every line is about a change here.
OF_CHANGES: Final = ("bot.workflow.execution", "bot.workflow.delivery", "bot.workflow.planning", "bot.providers")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Log as `linesman serve` does, into a text."""
    stream, root, before = io.StringIO(), logging.getLogger(), structlog.get_config()
    level, handlers = root.level, list(root.handlers)
    logs.configure("debug", "json", replica="host:1:abc", stream=stream)
    yield stream
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)
    for chatty in ("httpx", "httpcore", "alembic"):
        logging.getLogger(chatty).setLevel(logging.NOTSET)


def prove(log: io.StringIO) -> None:
    """Prove what holds for every line: whose it is, and which change it is about, by one name."""
    told = [json.loads(line) for line in log.getvalue().splitlines()]
    about = [line for line in told if line["logger"].startswith(OF_CHANGES)]

    assert {line["replica"] for line in told} == {"host:1:abc"}
    assert {line["change"] for line in told if line.get("change") is not None} == {"CHG-1"}
    assert [line for line in about if line.get("change") != "CHG-1"] == []
    assert any(line["event"].startswith("retrying") for line in about)
    assert any(line["event"] == "message postponed" for line in about)
    assert [line for line in told if "exception" in line or line["logger"].startswith("alembic")] == []


async def test_a_change_at_telnyx(log: io.StringIO, idle: Stage) -> None:
    """Planning and a job that have to ask twice, and messages that have to wait, are lines of the change."""
    number = idle.telnyx.add_number("+13035550199").phone_number
    await idle.start()
    idle.telnyx.faults.add(method="GET", kind="status", status=503, times=3)
    idle.slack.faults.add(method="chat.postMessage", kind="rate_limited", retry_after=1)

    await idle.run([number])

    prove(log)


async def test_a_fault_that_a_task_lets_through_is_a_line(
    log: io.StringIO, idle: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to look at it: it is the provider's, says why, and passes; the task is done in the end."""
    number = idle.telnyx.add_number("+13035550199").phone_number
    await idle.start()
    assert idle.bot is not None
    handlers: dict[Task, Handler] = idle.bot.worker._tasks._handlers  # type: ignore[assignment]  # it is one
    poll, faults = handlers[Task.POLL], [Unavailable("Telnyx cannot be reached right now.")]

    async def let_through(claim: Claim) -> None:
        if faults:
            raise faults.pop()
        await poll(claim)

    monkeypatch.setitem(handlers, Task.POLL, let_through)
    change = await idle.run([number])
    told = [json.loads(line) for line in log.getvalue().splitlines()]
    [line] = [line for line in told if line["event"] == "task is tried again"]

    assert idle.outcomes(change) == {"verified": 1}
    assert (line["level"], line["task"], line["why"]) == ("warning", "poll", "Telnyx cannot be reached right now.")
    assert [line for line in told if "exception" in line] == []


async def test_a_change_at_close(log: io.StringIO, both: Stage, close: CloseStandIn, team: Fixtures) -> None:
    """A run of ours is part of the change, too."""
    close.faults.add(method="GET", kind="status", status=503, times=3)
    close.faults.add(method="PUT", kind="drop_before")
    both.slack.faults.add(method="chat.postMessage", kind="rate_limited", retry_after=1)
    await both.open("close")
    await both.fill([number.number for number in team.shared[:2]], reason="The night desk grows")
    await both.choose(["label"])
    await both.set("label", "Night desk")
    await both.send()
    await both.planned()
    change = await both.request()
    await both.approve(change)
    await both.ended(change)

    prove(log)


async def test_a_modal_that_was_closed_is_nobodys_fault(log: io.StringIO, idle: Stage) -> None:
    """Ana does not wait for her plan: that it could not be shown is told, and is no error for those who run the bot."""
    idle.telnyx.add_number("+13035550199")
    await idle.start()
    idle.telnyx.faults.add(method="GET", kind="delay", seconds=1)
    await idle.open()
    await idle.fill("+13035550199", {"customer_reference": "Denver"}, "Moving")
    await idle.send()
    await idle.ana.close()
    await idle.slack.wait_for(lambda: any(each.error == "not_found" for each in idle.slack.calls), what="a refusal")
    await idle.quiet(but="discard")
    told = [json.loads(line) for line in log.getvalue().splitlines()]

    assert {line["level"] for line in told if line["event"] == "slack refused a message"} == {"info"}
