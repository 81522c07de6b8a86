"""Accepting connections: so many at a time, and calmly when there are no descriptors left."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from aiohttp import web

log = structlog.get_logger(__name__)

#: Connections at a time: far more than Slack and monitoring need, far less than a process may have files.
MOST: Final = 200
#: Seconds in which the headers of a request have to be there, and for which an idle connection is kept.
IDLE: Final = 15.0
#: Seconds for which the rest of a body is read that nobody asked for.
LINGER: Final = 1.0
#: Seconds between two looks for room, between two tries to accept after a failure, and between two lines about one.
ROOM: Final = 0.05
PAUSE: Final = 1.0
SILENCE: Final = 60.0


class Connections:
    """The connections to one listening socket.

    asyncio's own server accepts without bound, and writes a traceback for each time that it cannot.
    """

    def __init__(self, runner: web.AppRunner) -> None:
        self._runner = runner
        self._told_at: float | None = None

    @asynccontextmanager
    async def accepting(self, host: str, port: int) -> AsyncIterator[int]:
        """Accept until the block ends; gives the port."""
        loop = asyncio.get_running_loop()
        family, _, _, _, address = (await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))[0]
        with socket.create_server(address[:2], family=family, backlog=128) as listener:
            listener.settimeout(0)
            accepting = asyncio.create_task(self._accept(listener))
            try:
                yield int(listener.getsockname()[1])
            finally:
                accepting.cancel()
                await asyncio.wait({accepting})

    async def _accept(self, listener: socket.socket) -> None:
        loop, server = asyncio.get_running_loop(), self._runner.server
        if server is None:
            raise RuntimeError("the runner is not set up")
        while True:
            while len(server.connections) >= MOST:
                self._tell("too many connections; more are accepted as some end", len(server.connections))
                await asyncio.sleep(ROOM)
            try:
                connection, _ = await loop.sock_accept(listener)
                await loop.connect_accepted_socket(server, connection)
            except OSError as error:  # no descriptor is left, or the peer has gone already
                self._tell(f"a connection cannot be accepted: {error.strerror}", len(server.connections))
                await asyncio.sleep(PAUSE)

    def _tell(self, what: str, connections: int) -> None:
        now = asyncio.get_running_loop().time()
        if self._told_at is None or now - self._told_at >= SILENCE:
            self._told_at = now
            log.error("connections", why=what, open=connections)


def terse_logger() -> logging.Logger:
    """Return a logger for aiohttp that writes one line for a request that is no HTTP, and no traceback."""
    logger = logging.getLogger("bot.http")
    logger.addFilter(_without_parser)
    return logger


def _without_parser(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if error is not None and type(error).__module__.startswith("aiohttp.http"):
        record.msg, record.args, record.exc_info = (
            f"request refused: it is no HTTP ({type(error).__name__})",
            None,
            None,
        )
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True
