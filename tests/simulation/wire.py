"""One end of a connection in memory, as its protocol sees it."""

from __future__ import annotations

import asyncio
import contextvars
import socket
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.simulation.network import Network


class Socket:
    """What libraries ask of the socket below a connection: above all, whether there is anything to read."""

    family = 0
    _quiet, _silent = socket.socketpair()

    def __init__(self, port: int) -> None:
        self.port = port
        self.ended = False

    def fileno(self) -> int:
        """Return a descriptor at which nothing ever arrives; none once the other side has gone."""
        return -1 if self.ended else self._quiet.fileno()

    def setsockopt(self, *_: object) -> None:
        """Take no notice."""

    def getsockname(self) -> tuple[str, int]:
        """Return the address."""
        return "127.0.0.1", self.port

    def getpeername(self) -> tuple[str, int]:
        """Return the address of the other side."""
        return "127.0.0.1", self.port

    def close(self) -> None:
        """Take no notice: the connection is closed by its transport."""


class End(asyncio.Transport):
    """One end of a connection. What arrives is handed to its protocol in the context of whoever opened it."""

    def __init__(self, network: Network, port: int, context: contextvars.Context) -> None:
        super().__init__()
        self._network = network
        self.context = context
        self.socket = Socket(port)
        self.peer: End = self
        self._protocol: Any = None
        self._inbox: deque[tuple[str, bytes]] = deque()
        self._arriving: deque[tuple[str, bytes]] = deque()
        self._latest = 0.0
        self._paused = False
        self._closing = False
        self._lost = False

    def served(self, protocol: Any) -> tuple[End, Any]:
        """Give the end to its protocol."""
        self._protocol = protocol
        protocol.connection_made(self)
        if self._inbox:
            self._network.loop.call_soon(self._read, context=self.context)
        return self, protocol

    # What goes out

    def write(self, data: Any) -> None:
        """Send bytes to the other end."""
        if not self._closing and data:
            self._send("data", bytes(data))

    def writelines(self, list_of_data: Any) -> None:
        """Send several pieces as one."""
        self.write(b"".join(list_of_data))

    def write_eof(self) -> None:
        """Say that nothing more comes."""
        self._send("eof", b"")

    def can_write_eof(self) -> bool:
        """Tell that it may be said."""
        return True

    def close(self) -> None:
        """End the connection after what was sent."""
        if not self._closing:
            self._send("eof", b"")
            self._end(None)

    def abort(self) -> None:
        """Break the connection."""
        if not self._closing:
            self._send("reset", b"")
            self._end(None)

    def _end(self, error: Exception | None) -> None:
        self._closing = True
        self._network.forget(self)
        self._network.loop.call_soon(self._lose, error, context=self.context)

    def _lose(self, error: Exception | None) -> None:
        if not self._lost and self._protocol is not None:
            self._lost = True
            self._protocol.connection_lost(error)

    def _send(self, what: str, data: bytes) -> None:
        loop, peer = self._network.loop, self.peer
        peer._latest = max(peer._latest, loop.time() + self._network.latency())
        peer._arriving.append((what, data))
        loop.call_at(peer._latest, peer._arrive, context=peer.context)

    # What comes in

    def _arrive(self) -> None:
        what, data = self._arriving.popleft()
        self._inbox.append((what, data))
        self.socket.ended = self.socket.ended or what != "data"
        if what == "reset" or not self._paused:
            self._read()

    def _read(self) -> None:
        while self._inbox and self._protocol is not None and not self._closing:
            if self._paused and self._inbox[-1][0] != "reset":
                return
            what, data = self._inbox.popleft()
            if what == "data":
                self._protocol.data_received(data)
            elif what == "eof":
                if not self._protocol.eof_received():
                    self.close()
            else:
                self._end(ConnectionResetError("the other side has gone"))

    def pause_reading(self) -> None:
        """Keep what arrives."""
        self._paused = True

    def resume_reading(self) -> None:
        """Hand over what arrived."""
        self._paused = False
        if self._inbox:
            self._network.loop.call_soon(self._read, context=self.context)

    def is_reading(self) -> bool:
        """Tell whether what arrives is handed over."""
        return not self._paused and not self._closing

    # What is asked

    def is_closing(self) -> bool:
        """Tell whether it is over."""
        return self._closing

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return the socket or an address."""
        match name:
            case "socket":
                return self.socket
            case "peername" | "sockname":
                return self.socket.getsockname()
            case _:
                return default

    def set_protocol(self, protocol: Any) -> None:
        """Give it to another protocol."""
        self._protocol = protocol

    def get_protocol(self) -> Any:
        """Return its protocol."""
        return self._protocol

    def get_write_buffer_size(self) -> int:
        """Tell that nothing waits to be sent."""
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Take no notice: nothing ever waits."""
