"""The WebSocket: tells every open page what has changed, and carries out what is done there."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from aiohttp import WSMsgType, web

from bot.sandbox.page.given import Given
from bot.sandbox.slack.records import Json

Act = Callable[[Given], Awaitable[Json]]

#: Seconds between two looks, and so between two messages.
PAUSE: Final = 0.1
#: Bytes of one message of the page: some files of 10 MB in all, as base64.
LARGEST: Final = 16 * 1024 * 1024
#: Acts of one page that may be under way or unanswered; it is not read further meanwhile.
ACTS: Final = 20
#: Pages that may be open at once.
PAGES: Final = 20
#: Seconds after which a silent page is given up.
HEARTBEAT: Final = 20.0


@dataclass(frozen=True, kw_only=True)
class PartSource:
    """Where parts of the state come from; they are as they were while ``mark`` gives the same, which None never is."""

    mark: Callable[[], object]
    parts: Callable[[], Iterator[tuple[str, object]]]


class Board:
    """The parts of the state as JSON texts, drawn at most ten times a second, whoever looks.

    The texts are ASCII: what people write may have halves of characters in it, which no other text can be told with.
    """

    def __init__(self, sources: Sequence[PartSource]) -> None:
        self._sources = sources
        self._marks: list[object] = [None] * len(sources)
        self._drawn: list[dict[str, str]] = [{} for _ in sources]
        self._at = 0.0

    def look(self) -> dict[str, str]:
        """Return each part by its name."""
        if time.monotonic() - self._at >= PAUSE / 2:
            self._at = time.monotonic()
            for place, source in enumerate(self._sources):
                mark = source.mark()
                if mark is None or mark != self._marks[place]:
                    self._marks[place] = mark
                    self._drawn[place] = {name: json.dumps(part) for name, part in source.parts()}
        return {name: text for drawn in self._drawn for name, text in drawn.items()}


class OpenPage:
    """One open page: told by one task, read by another.

    There is no queue. A slow reader is told less often, and then the state at that time.
    """

    def __init__(self, socket: web.WebSocketResponse, board: Board, act: Act) -> None:
        self._socket = socket
        self._board = board
        self._act = act
        self._sent: dict[str, str] = {}
        self._answers: list[Json] = []
        self._room = asyncio.Semaphore(ACTS)

    async def serve(self) -> None:
        """Tell and read until the page goes away; what it has begun is carried to its end."""
        async with asyncio.TaskGroup() as tasks:
            telling = tasks.create_task(self._tell())
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    await self._room.acquire()
                    tasks.create_task(self._carry_out(message.data))
            telling.cancel()

    async def _tell(self) -> None:
        with suppress(ConnectionError):  # it went away, which the reader finds out as well
            while True:
                if (news := self._news()) is not None:
                    await self._socket.send_str(news)
                while self._answers:
                    await self._socket.send_json(self._answers.pop(0))
                    self._room.release()
                await asyncio.sleep(PAUSE)

    def _news(self) -> str | None:
        """Return the parts that are not as they were told; None when all are."""
        parts = self._board.look()
        changed = {name: text for name, text in parts.items() if self._sent.get(name) != text}
        changed |= dict.fromkeys(self._sent.keys() - parts.keys(), "null")
        self._sent = parts
        if not changed:
            return None
        told = ", ".join(f"{json.dumps(name)}: {text}" for name, text in changed.items())
        return f'{{"type": "state", "parts": {{{told}}}}}'

    async def _carry_out(self, text: str) -> None:
        try:
            given = json.loads(text)
        except (ValueError, RecursionError):
            given = None
        told: Json = given if isinstance(given, dict) else {}
        self._answers.append({"type": "done", "id": told.get("id"), **await self._act(Given(told))})


class Live:
    """All open pages."""

    def __init__(self, sources: Sequence[PartSource], act: Act) -> None:
        self._board = Board(sources)
        self._act = act
        self._open: set[web.WebSocketResponse] = set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Hold one page until it goes away."""
        if len(self._open) >= PAGES:
            return web.Response(status=503, text="Too many pages are open: close some.")
        socket = web.WebSocketResponse(max_msg_size=LARGEST, heartbeat=HEARTBEAT, timeout=1.0)
        await socket.prepare(request)
        self._open.add(socket)
        try:
            await OpenPage(socket, self._board, self._act).serve()
        finally:
            self._open.discard(socket)
        return socket

    async def close(self) -> None:
        """Close every page."""
        await asyncio.gather(*(socket.close() for socket in self._open))
