"""Background work goes on whatever fails, and those who run Linesman hear of it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from bot.errors import DatabaseUnavailable
from bot.workflow.background import Background
from bot.workflow.health import TaskFailures


async def cancel(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait for their end."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Work:
    """Work that meets ``errors``, one each time, and then goes well."""

    def __init__(self, *errors: Exception) -> None:
        self.failures = TaskFailures()
        self._errors = list(errors)
        self._well = False
        #: What was told of failures when it began, each time.
        self.told: list[list[str]] = []
        self.over = asyncio.Event()

    async def step(self) -> float:
        """Do it once; after it has gone well it never ends."""
        self.told.append([str(each) for each in self.failures.present])
        if self._errors:
            raise self._errors.pop(0)
        if self._well:
            self.over.set()
            await asyncio.Event().wait()
        self._well = True
        return 0


async def test_a_failure_that_nobody_foresaw_counts_and_does_not_end_the_work() -> None:
    """``/readyz`` says what fails until it goes well; the text of the error stays in the log."""
    work = Work(KeyError("xoxb-secret"), KeyError("xoxb-secret"))

    async with Background(work.failures, cancel, retry=0).running("home tabs", work.step):
        await work.over.wait()

    said = "The task “home tabs” failed {} times in a row (KeyError); see the log."
    assert work.told == [[], [said.format(1)], [said.format(2)], []]


async def test_a_database_that_does_not_answer_is_no_failure_of_the_work() -> None:
    """It has a line of its own in ``/readyz``, which the background work does not repeat."""
    work = Work(*[DatabaseUnavailable("It is locked.")] * 3)

    async with Background(work.failures, cancel, retry=0).running("sweep", work.step):
        await work.over.wait()

    assert work.told == [[]] * 5


async def test_the_work_ends_with_its_block() -> None:
    """Nothing of it is left behind, whatever it was waiting for."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def step() -> float:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return 0

    async with Background(TaskFailures(), cancel).running("sweep", step):
        await begun.wait()

    assert ended.is_set()
