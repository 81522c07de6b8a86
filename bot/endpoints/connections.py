"""Accepting connections: a limited number, without trouble when descriptors run out."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import structlog
from aiohttp import web

from bot.errors import PortUnavailable

log = structlog.get_logger(__name__)

#: Most connections at a time: far more than Slack and monitoring need, far fewer than a process may have files.
MOST: Final = 200
#: Connections that wait to be accepted.
BACKLOG: Final = 128
#: Seconds within which the headers of a request must arrive, and for which an idle connection is kept.
IDLE: Final = 15.0
#: Seconds for which the unwanted rest of a body is read.
LINGER: Final = 1.0
#: Seconds between two checks for room, between two attempts to accept after a failure, and between two log lines.
ROOM: Final = 0.05
PAUSE: Final = 1.0
SILENCE: Final = 60.0


@contextmanager
def reserved(host: str, port: int) -> Iterator[socket.socket]:
    """Reserve the port, a free one if ``port`` is 0, until the block ends; nobody can connect to it yet.

    Raises :class:`bot.errors.PortUnavailable` when another program has it, or this one has no permission.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        place = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise _unavailable(host, port, error) from error
    with place:
        try:
            # Lingering old connections are no reason to wait for a minute.
            place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                place.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # as asyncio and create_server do
            place.settimeout(0)
            place.bind(address)
        except OSError as error:
            raise _unavailable(host, port, error) from error
        yield place


def _unavailable(host: str, port: int, error: OSError) -> PortUnavailable:
    where = f"port {port} of {host}"
    match error.errno:
        case errno.EADDRINUSE:
            return PortUnavailable(f"Another program uses {where}: stop it, or set PORT to another port.")
        case errno.EACCES | errno.EPERM:
            return PortUnavailable(f"This user may not listen on {where}: set PORT to a port above 1023.")
        case _:
            return PortUnavailable(f"Cannot listen on {where}: {error.strerror}. Check HOST and PORT.")


class Connections:
    """The connections to one listening socket.

    asyncio's own server accepts without limit, and logs a traceback for each failure.
    """

    def __init__(self, runner: web.AppRunner) -> None:
        self._runner = runner
        self._told_at: float | None = None

    @asynccontextmanager
    async def accepting(self, place: socket.socket) -> AsyncIterator[None]:
        """Listen at ``place`` and accept until the block ends; raises :class:`bot.errors.PortUnavailable`."""
        host, port, *_ = place.getsockname()
        try:
            place.listen(BACKLOG)
        except OSError as error:  # another program may have begun to listen since it was reserved
            raise _unavailable(host, port, error) from error
        accepting = asyncio.create_task(self._accept(place))
        try:
            yield
        finally:
            accepting.cancel()
            await asyncio.wait({accepting})

    async def _accept(self, listener: socket.socket) -> None:
        loop, server = asyncio.get_running_loop(), self._runner.server
        if server is None:
            raise RuntimeError("the runner is not set up")
        while True:
            while len(server.connections) >= MOST:
                self._tell("too many connections; new ones wait until some close", len(server.connections))
                await asyncio.sleep(ROOM)
            try:
                connection, _ = await loop.sock_accept(listener)
                await loop.connect_accepted_socket(server, connection)
            except OSError as error:  # no descriptor is left, or the peer is already gone
                self._tell(f"a connection cannot be accepted: {error.strerror}", len(server.connections))
                await asyncio.sleep(PAUSE)

    def _tell(self, what: str, connections: int) -> None:
        now = asyncio.get_running_loop().time()
        if self._told_at is None or now - self._told_at >= SILENCE:
            self._told_at = now
            log.error("connections", why=what, open=connections)


def terse_logger() -> logging.Logger:
    """Return a logger for aiohttp that writes one line, and no traceback, for a malformed request."""
    logger = logging.getLogger("bot.http")
    logger.addFilter(_without_parser)
    return logger


def _without_parser(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if error is not None and type(error).__module__.startswith("aiohttp.http"):
        record.msg, record.args, record.exc_info = (
            f"request refused: it is not HTTP ({type(error).__name__})",
            None,
            None,
        )
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True
