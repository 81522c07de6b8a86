"""Somebody who has the page open: its state as the socket tells it, and the acts that go back."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from aiohttp import ClientSession, ClientWebSocketResponse

from bot.sandbox.page.sandbox import Sandbox

T = TypeVar("T")
Json = dict[str, Any]


class Visitor:
    """One open page."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket
        self.parts: Json = {}
        #: The names of the parts of each message.
        self.told: list[set[str]] = []
        self._done: dict[int, Json] = {}
        self._ids = itertools.count(1)
        self._changed = asyncio.Event()

    async def read(self) -> None:
        """Keep the state up to date until the socket closes."""
        async for message in self.socket:
            told = json.loads(message.data)
            if told["type"] == "state":
                self.told.append({*told["parts"]})
                self.parts = {name: value for name, value in (self.parts | told["parts"]).items() if value is not None}
            else:
                self._done[told["id"]] = told
            self._changed.set()

    async def until(self, seen: Callable[[], T]) -> T:
        """Return the first truthy value of ``seen()``."""
        async with asyncio.timeout(45):
            while not (found := seen()):
                self._changed.clear()
                await self._changed.wait()
        return found

    async def act(self, who: str, do: str, **fields: object) -> Json:
        """Do something as somebody and return what the page is told when it is done."""
        number = next(self._ids)
        await self.socket.send_json({"type": "act", "id": number, "as": who, "do": do, **fields})
        return await self.until(lambda: self._done.get(number))

    def modal(self, who: str) -> Json | None:
        """Return the modal on top of a person's screen."""
        modals = self.parts.get(f"screen:{who}", {}).get("modals", [])
        return modals[-1] if modals else None

    def texts(self, channel: str) -> list[str]:
        """Return the texts of a channel's messages."""
        return [message["text"] for message in self.parts.get(f"messages:{channel}", [])]


@asynccontextmanager
async def visiting(sandbox: Sandbox) -> AsyncIterator[Visitor]:
    """Open the page, and close it in the end."""
    async with (
        ClientSession() as session,
        session.ws_connect(f"{sandbox.url}/live", headers={"Origin": sandbox.url}, max_msg_size=0) as socket,
    ):
        visitor = Visitor(socket)
        reading = asyncio.create_task(visitor.read())
        await visitor.until(lambda: visitor.parts)
        yield visitor
        await socket.close()
        await reading
