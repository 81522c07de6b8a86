"""Writing down what happens to the numbers of one run, several at once and as soon as possible."""

from __future__ import annotations

import asyncio

from bot.changes.model.bulk_runs import Step
from bot.errors import Halted
from bot.providers.runs import Runs


class Ledger:
    """One owner's writer for one run.

    A commit takes milliseconds and is requested twice per number. Requests that arrive during a commit are written
    together by the next one: nothing waits longer than two commits, and nothing is reported as written before it is.
    """

    def __init__(self, runs: Runs, run: str, owner: str) -> None:
        self._runs = runs
        self._run = run
        self._owner = owner
        self._waiting: list[tuple[Step, bool, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def note(self, step: Step) -> None:
        """Return once ``step`` is committed.

        Raises :class:`bot.errors.Superseded` when another owner has the run now, and any error of the store. Cancelling
        the caller does not undo the step.
        """
        await self._hand_in(step, sending=False)

    async def mark(self, step: Step) -> None:
        """Return once it is committed that a number's request is about to go out.

        Raises as :meth:`note` does, and :class:`bot.errors.Halted` when the request must not go out.
        """
        await self._hand_in(step, sending=True)

    async def close(self) -> None:
        """Wait until all submitted steps are written."""
        if self._writing is not None:
            await self._writing

    async def _hand_in(self, step: Step, *, sending: bool) -> None:
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((step, sending, written))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await written

    async def _write(self) -> None:
        try:
            while self._waiting:
                portion, self._waiting = self._waiting, []
                steps = [step for step, sending, _ in portion if not sending]
                marks = [step for step, sending, _ in portion if sending]
                try:
                    halt = await self._runs.note(self._run, self._owner, steps, sending=marks)
                except Exception as error:  # noqa: BLE001 - it is raised where the step was handed in
                    for _, _, written in portion:
                        if not written.done():
                            written.set_exception(error)
                    continue
                for _, sending, written in portion:
                    if written.done():
                        continue
                    if sending and halt is not None:
                        written.set_exception(Halted(halt.reason, code=halt.code, for_good=halt.for_good))
                    else:
                        written.set_result(None)
        finally:
            self._writing = None
