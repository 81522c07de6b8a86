"""Time that passes only when everybody waits: hours of pauses take no time, and nothing is left to chance."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from bot.changes.model.bulk_runs import Halt, NewNumber, NumberState, Run, RunNumber, Step
from bot.changes.policy import OnStale

Answer = TypeVar("Answer")
BEGAN = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class _Selector(selectors.DefaultSelector):
    """Turns waiting into time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        """Skip ahead by what would be waited."""
        ready = super().select(0)
        if not ready and timeout:
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop without real time; nothing that runs on it may wait for threads or sockets."""

    def __init__(self) -> None:
        self.passing = _Selector()
        super().__init__(self.passing)

    def time(self) -> float:
        """Return the seconds since the loop was made."""
        return self.passing.now


def run_virtually(main: Coroutine[Any, Any, Answer]) -> Answer:
    """Run ``main`` to its end."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


class PaperRuns:
    """Runs in memory, each commit taking ``commit`` seconds, one at a time."""

    def __init__(self, commit: float) -> None:
        self._commit = commit
        self._turn = asyncio.Lock()
        self.runs: dict[str, dict[int, RunNumber]] = {}
        self.opened: dict[str, Run] = {}
        self.commits = 0

    async def _write(self) -> None:
        async with self._turn:
            await asyncio.sleep(self._commit)
            self.commits += 1

    def _now(self) -> datetime:
        return BEGAN + timedelta(seconds=asyncio.get_running_loop().time())

    async def open(
        self, reference: str, kind: str, numbers: Sequence[NewNumber], *, on_stale: OnStale = OnStale.STOP
    ) -> Run:
        """Write a run down."""
        await self._write()
        self.runs["1"] = {
            position: RunNumber(
                position=position,
                id=number.id,
                e164=number.e164,
                before=number.before,
                wanted=number.wanted,
                state=NumberState.WAITING,
            )
            for position, number in enumerate(numbers)
        }
        self.opened[reference] = Run(
            id="1",
            reference=reference,
            kind=kind,
            created_at=self._now(),
            started_at=self._now(),
            over_at=None,
            read_at=self._now(),
            numbers=(),
            on_stale=on_stale,
        )
        return self._whole(reference)

    def _whole(self, reference: str) -> Run:
        run = self.opened[reference]
        return Run(
            id=run.id,
            reference=reference,
            kind=run.kind,
            created_at=run.created_at,
            started_at=run.started_at,
            over_at=run.over_at,
            read_at=self._now(),
            numbers=tuple(self.runs[run.id].values()),
            on_stale=run.on_stale,
        )

    async def read(self, run: str) -> Run | None:
        """Return the run."""
        return next((self._whole(reference) for reference, each in self.opened.items() if each.id == run), None)

    async def find(self, reference: str) -> Run | None:
        """Return the run under ``reference``."""
        return self._whole(reference) if reference in self.opened else None

    async def claim(self, owner: str, limit: int) -> Sequence[str]:  # noqa: ARG002 - there is one owner and one run
        """Give the run to who asks first."""
        claimed, self._unclaimed = getattr(self, "_unclaimed", ["1"]), []
        return claimed

    async def renew(self, owner: str) -> None:
        """Do nothing: nobody takes anything away."""

    async def note(
        self,
        run: str,
        owner: str,  # noqa: ARG002 - as above
        steps: Sequence[Step],
        *,
        sending: Sequence[Step] = (),
    ) -> Halt | None:
        """Write steps down; nobody freezes or stops anything here."""
        await self._write()
        for step in (*steps, *sending):
            old = self.runs[run][step.position]
            self.runs[run][step.position] = RunNumber(
                position=old.position,
                id=old.id,
                e164=old.e164,
                before=old.before,
                wanted=old.wanted,
                state=step.state,
                code=step.code,
                reason=step.reason,
            )
        return None

    async def stop(self, run: str, owner: str, *, code: str, reason: str) -> None:
        """Never asked for here."""
        raise NotImplementedError

    async def put_off(self, run: str, owner: str, seconds: float, *, held_back: bool = False) -> None:
        """Do nothing: the run is over when its owner gives it back."""

    async def release(self, owner: str) -> None:
        """Do nothing."""
