"""The network between the process and the services: connections in memory, each byte late by chance."""

from __future__ import annotations

import asyncio
import contextvars
import socket
from collections import deque
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any, Final

from tests.simulation.lives import LIFE, Life
from tests.simulation.wire import End, Socket

if TYPE_CHECKING:
    from tests.simulation.loop import SimulatedLoop

#: Seconds from one end to the other: as a rule, and now and then.
QUICK: Final = 0.004
SLOW: Final = 0.4
SELDOM: Final = 0.01
FIRST_PORT: Final = 20_000


class _Listener:
    """A port that takes connections: by making a protocol for each, or one after the other to whoever accepts."""

    def __init__(self, port: int, factory: Callable[[], Any] | None) -> None:
        self.port = port
        self.factory = factory
        self.context = contextvars.copy_context()
        self.waiting: deque[End] = deque()
        self.bell = asyncio.Event()


class _Server:
    """What ``create_server`` returns."""

    def __init__(self, network: Network, port: int) -> None:
        self._network, self._port = network, port
        self.sockets = [Socket(port)]

    def close(self) -> None:
        """Take no more connections."""
        self._network.close(self._port)

    async def wait_closed(self) -> None:
        """Return at once."""


class Network:
    """Ports, and the connections between them."""

    def __init__(self, loop: SimulatedLoop, random: Random) -> None:
        self.loop = loop
        self._random = random
        self._listeners: dict[int, _Listener] = {}
        self._addressed: dict[int, int] = {}
        self._ends: dict[End, None] = {}
        self._next = FIRST_PORT

    def latency(self) -> float:
        """Return how long the next bytes are on their way."""
        return self._random.random() * (SLOW if self._random.random() < SELDOM else QUICK)

    def listen(self, factory: Callable[[], Any], port: int) -> _Server:
        """Make a protocol for each connection to the port, a new one when it is 0."""
        if not port:
            self._next += 1
            port = self._next
        self._listeners[port] = _Listener(port, factory)
        return _Server(self, port)

    def close(self, port: int) -> None:
        """Take no more connections there."""
        self._listeners.pop(port, None)

    def address(self, sock: socket.socket, port: int) -> None:
        """Note where a socket is to lead."""
        self._addressed[sock.fileno()] = port

    def addressed(self, sock: socket.socket) -> int:
        """Return where it leads, and let go of it."""
        port = self._addressed.pop(sock.fileno())
        sock.close()
        return port

    async def accept(self, port: int) -> tuple[End, tuple[str, int]]:
        """Wait for the next connection to a port."""
        listener = self._listeners.setdefault(port, _Listener(port, None))
        try:
            while not listener.waiting:
                listener.bell.clear()
                await listener.bell.wait()
        except asyncio.CancelledError:
            self.close(port)
            raise
        return listener.waiting.popleft(), ("127.0.0.1", port)

    async def connect(self, factory: Callable[[], Any], port: int) -> tuple[End, Any]:
        """Connect to a port; raises ConnectionRefusedError when nobody listens there."""
        await asyncio.sleep(self.latency())
        listener = self._listeners.get(port)
        if listener is None:
            raise ConnectionRefusedError(111, f"nobody listens on port {port}")
        here, there = End(self, port, contextvars.copy_context()), End(self, port, listener.context)
        here.peer, there.peer = there, here
        self._ends |= {here: None, there: None}
        if listener.factory is not None:
            self.loop.call_soon(lambda: there.served(listener.factory()), context=listener.context)
        else:
            listener.waiting.append(there)
            listener.bell.set()
        return here.served(factory())

    def open(self) -> int:
        """Return how many connections there are."""
        return len(self._ends) // 2

    def forget(self, end: End) -> None:
        """Know nothing more of an end."""
        self._ends.pop(end, None)

    def cut_off(self, life: Life) -> None:
        """Break every connection of a dead process, and free its ports."""
        for port, listener in list(self._listeners.items()):
            if listener.context.get(LIFE) is life:
                del self._listeners[port]
        for end in list(self._ends):
            if end.context.get(LIFE) is life and not end._closing:
                end._send("reset", b"")
                end._closing = True
                self.forget(end)
