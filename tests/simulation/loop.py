"""An event loop in a time of its own: when nothing is ready it jumps to the next timer, and chance orders what is."""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import selectors
from collections.abc import Callable
from random import Random
from typing import Any, Final

from tests.simulation.lives import LIFE, Life
from tests.simulation.network import Network

#: How often what is ready is put into another order.
DISORDER: Final = 0.25
#: Longest time that work in a thread takes, in seconds.
SLOWEST_THREAD: Final = 0.02
#: Most turns of the loop without any time passing: something is spinning.
MOST_TURNS: Final = 200_000


class Stuck(Exception):
    """Nothing is ever going to happen again, or everything happens at one moment."""


class SimulatedTask(asyncio.Task[Any]):
    """A task whose place in a set depends on its number, not on its address."""

    _made = 0

    def __init__(self, *given: Any, **named: Any) -> None:
        SimulatedTask._made += 1
        self._number = SimulatedTask._made
        context = named.get("context")
        self.life = LIFE.get() if context is None else context.get(LIFE)
        super().__init__(*given, **named)

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other


class _Selector(selectors.SelectSelector):
    """Waits for nothing: it lets time pass instead."""

    loop: SimulatedLoop

    def select(self, timeout: float | None = None) -> list[Any]:
        """Let the time come for which the loop has nothing to do."""
        self.loop.pass_time(timeout)
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    """The loop; ``network`` is what its connections go through."""

    def __init__(self, random: Random) -> None:
        selector = _Selector()
        selector.loop = self
        self._now = 0.0
        self._turns = 0
        self._random = random
        super().__init__(selector)
        self._clock_resolution = 1e-6
        self.network = Network(self, random)
        self.set_task_factory(lambda loop, coro, **named: SimulatedTask(coro, loop=loop, **named))
        #: What is left of the dead, kept so that nothing of them is ever finalised.
        self.graveyard: list[Any] = []

    def time(self) -> float:
        """Return the seconds since the world began."""
        return self._now

    def pass_time(self, timeout: float | None) -> None:
        """Go to the next timer, or put what is ready into another order."""
        ready: Any = self._ready  # type: ignore[attr-defined]
        if timeout is None:
            raise Stuck("everybody waits for somebody else")
        if timeout > 0:
            self._now = max(self._now, self._scheduled[0].when())  # type: ignore[attr-defined]
            self._turns = 0
        elif len(ready) > 1 and self._random.random() < DISORDER:
            self._disorder(ready)
        self._turns += 1
        if self._turns > MOST_TURNS:
            raise Stuck("no time passes any more")

    def _disorder(self, ready: Any) -> None:
        """Change the order of the tasks that are ready; all else stays in its place, as asyncio promises."""
        places = [place for place, handle in enumerate(ready) if isinstance(_owner(handle), asyncio.Task)]
        moved = [ready[place] for place in places]
        self._random.shuffle(moved)
        for place, handle in zip(places, moved, strict=True):
            ready[place] = handle

    def call_soon(self, callback: Any, *args: Any, context: contextvars.Context | None = None) -> asyncio.Handle:
        """Call ``callback`` next, unless its process is dead."""
        if _dead(context):
            return _never(callback, args, self)
        return super().call_soon(callback, *args, context=context)

    def call_at(
        self, when: float, callback: Any, *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        """Call ``callback`` at ``when``, unless its process is dead."""
        if _dead(context):
            return _never_at(when, callback, args, self)
        return super().call_at(when, callback, *args, context=context)

    def bury(self, life: Life) -> None:
        """End a life at this very moment: nothing of it ever runs again."""
        life.over = True
        waiting: list[Any] = [*self._ready, *self._scheduled]  # type: ignore[attr-defined]
        for handle in waiting:
            if handle._context.get(LIFE) is life:
                self.graveyard.append((handle._callback, handle._args))
                handle.cancel()
        for task in asyncio.all_tasks(self):
            if isinstance(task, SimulatedTask) and task.life is life:
                self.graveyard.append(task)
        self.network.cut_off(life)
        heapq.heapify(self._scheduled)  # type: ignore[attr-defined]

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:  # noqa: ARG002 - asyncio's
        """Do the work at a moment of chance, at once and as a whole."""
        future = self.create_future()

        def work() -> None:
            if future.cancelled():
                return
            try:
                found = func(*args)
            except Exception as error:  # noqa: BLE001 - whoever waits for it is told
                future.set_exception(error)
            else:
                future.set_result(found)

        self.call_later(self._random.random() * SLOWEST_THREAD, work)
        return future

    # Connections

    async def create_server(self, protocol_factory: Any, host: Any = None, port: Any = None, **_: Any) -> Any:  # type: ignore[override]  # noqa: ARG002 - asyncio's own
        """Listen on the simulated network."""
        return self.network.listen(protocol_factory, port)

    async def create_connection(self, protocol_factory: Any, host: Any = None, port: Any = None, **given: Any) -> Any:  # type: ignore[override]  # noqa: ARG002 - asyncio's own
        """Connect over the simulated network."""
        if (sock := given.get("sock")) is not None:
            port = self.network.addressed(sock)
        return await self.network.connect(protocol_factory, port)

    async def sock_connect(self, sock: Any, address: Any) -> None:
        """Note where a socket is to lead."""
        self.network.address(sock, address[1])

    async def sock_accept(self, sock: Any) -> Any:
        """Wait for the next connection."""
        return await self.network.accept(sock.getsockname()[1])

    async def connect_accepted_socket(self, protocol_factory: Any, sock: Any, **_: Any) -> Any:
        """Serve an accepted connection."""
        return sock.served(protocol_factory())


def _owner(handle: Any) -> object:
    return getattr(handle._callback, "__self__", None)


def _dead(context: contextvars.Context | None) -> bool:
    life = LIFE.get() if context is None else context.get(LIFE)
    return life is not None and life.over


def _never(callback: Any, args: Any, loop: Any) -> asyncio.Handle:
    handle = asyncio.Handle(callback, args, loop)
    handle.cancel()
    return handle


def _never_at(when: float, callback: Any, args: Any, loop: Any) -> asyncio.TimerHandle:
    handle = asyncio.TimerHandle(when, callback, args, loop)
    handle.cancel()
    handle._scheduled = False  # type: ignore[attr-defined]
    return handle
