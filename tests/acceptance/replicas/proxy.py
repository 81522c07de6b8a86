"""The way from one replica to PostgreSQL, which can be cut."""

from __future__ import annotations

import asyncio
import contextlib
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Self


class Way(Enum):
    """How the way is."""

    OPEN = "open"
    CUT = "cut"  #: connections are closed, and new ones are refused
    SILENT = "silent"  #: connections stay, and nothing passes


class Proxy:
    """Passes on what comes in at a port of loopback to a Unix socket, and back."""

    def __init__(self, server: Path) -> None:
        self._server = server
        self._way = Way.OPEN
        self._open = asyncio.Event()
        self._open.set()
        self._door: asyncio.Server | None = None
        self._passing: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        assert self._door is not None
        return int(self._door.sockets[0].getsockname()[1])

    async def __aenter__(self) -> Self:
        self._door = await asyncio.start_server(self._passed, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._door is not None
        self._door.close()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    def become(self, way: Way) -> None:
        """Let the way be so from now on."""
        self._way = way
        if way is Way.SILENT:
            self._open.clear()
        else:
            self._open.set()
        if way is Way.CUT:
            for task in self._passing:
                task.cancel()

    async def _passed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._passing.add(task)
        try:
            if self._way is not Way.CUT:
                there, back = await asyncio.open_unix_connection(str(self._server))
                with contextlib.closing(back):
                    ways = [
                        asyncio.create_task(self._pass(reader, back)),
                        asyncio.create_task(self._pass(there, writer)),
                    ]
                    try:
                        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                    finally:
                        for each in ways:
                            each.cancel()
                        await asyncio.gather(*ways, return_exceptions=True)
        except (asyncio.CancelledError, OSError):  # cut, or PostgreSQL has gone
            pass
        finally:
            self._passing.discard(task)
            writer.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while piece := await source.read(65536):
            await self._open.wait()
            sink.write(piece)
            await sink.drain()
