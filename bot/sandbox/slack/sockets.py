"""Socket Mode: single-use addresses, hello, envelopes and their acknowledgements, disconnect frames.

Each payload goes to one of the connections, in turn (docs.slack.dev/apis/events-api/using-socket-mode).
"""

from __future__ import annotations

import asyncio
import secrets
import uuid
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from bot.sandbox.slack.records import Json
from bot.sandbox.slack.workspace import APP, Workspace

MOST_CONNECTIONS = 10


@dataclass(kw_only=True, eq=False)
class SocketConnection:
    """One WebSocket of the bot."""

    socket: web.WebSocketResponse
    request: web.BaseRequest
    #: a disconnect frame was sent; it serves only while there is no other
    retiring: bool = False
    waiting: dict[str, asyncio.Future[Any]] = field(default_factory=dict)


class Sockets:
    """The bot's open connections."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self._tickets: set[str] = set()
        self._connections: list[SocketConnection] = []
        self._turn = 0

    @property
    def live(self) -> int:
        """How many connections take payloads and are not about to be replaced."""
        return sum(not connection.retiring for connection in self._connections)

    def address(self) -> str:
        """Return a fresh single-use address."""
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        return f"{self._ws.origin.replace('http', 'ws', 1)}/link/?ticket={ticket}&app_id={APP}"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Hold one connection until it closes."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403, text="the ticket is unknown or used")
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(timeout=1.0)
        await socket.prepare(request)
        if len(self._connections) >= MOST_CONNECTIONS:
            await socket.send_json(_disconnect("too_many_websockets"))
            await socket.close()
            return socket
        connection = SocketConnection(socket=socket, request=request)
        self._connections.append(connection)
        try:
            await socket.send_json(self._hello())
            await self._drop_retired(connection)
            self._ws.journal.touch()
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    _acknowledge(connection, message.json())
        finally:
            self._forget(connection)
        return socket

    async def send(self, envelope: Json, *, timeout: float) -> Any:  # noqa: ASYNC109, ANN401 - asyncio.timeout inside; any JSON
        """Send an envelope to one connection and return the acknowledgement's payload.

        Raises TimeoutError when it is not acknowledged, ConnectionError when there is no connection or it broke.
        """
        connection = self._next()
        envelope_id = str(uuid.uuid4())
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        connection.waiting[envelope_id] = future
        try:
            await connection.socket.send_json({"envelope_id": envelope_id, **envelope})
            async with asyncio.timeout(timeout):
                return await future
        finally:
            connection.waiting.pop(envelope_id, None)

    async def rotate(self) -> None:
        """Ask every connection to come back on a new address, as Slack does every few hours."""
        for connection in list(self._connections):
            connection.retiring = True
            await connection.socket.send_json(_disconnect("refresh_requested"))
        self._ws.journal.touch()

    def drop(self) -> None:
        """Break every connection without a word, as a network does."""
        for connection in list(self._connections):
            if (transport := connection.request.transport) is not None:
                transport.abort()

    async def close(self) -> None:
        """Close every connection."""
        for connection in list(self._connections):
            await connection.socket.close()

    def _next(self) -> SocketConnection:
        fresh = [each for each in self._connections if not each.retiring] or self._connections
        if not fresh:
            raise ConnectionError("no Socket Mode connection")
        self._turn += 1
        return fresh[self._turn % len(fresh)]

    async def _drop_retired(self, newcomer: SocketConnection) -> None:
        for connection in [each for each in self._connections if each.retiring and each is not newcomer]:
            if not connection.waiting:
                await connection.socket.close()

    def _forget(self, connection: SocketConnection) -> None:
        if connection in self._connections:
            self._connections.remove(connection)
        for future in connection.waiting.values():
            if not future.done():
                future.set_exception(ConnectionError("the connection closed"))
        self._ws.journal.touch()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._connections),
            "connection_info": {"app_id": APP},
            "debug_info": {"host": "standin", "approximate_connection_time": 18060},
        }


def _acknowledge(connection: SocketConnection, frame: Json) -> None:
    future = connection.waiting.get(str(frame.get("envelope_id")))
    if future is not None and not future.done():
        future.set_result(frame.get("payload"))


def _disconnect(reason: str) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "standin"}}
