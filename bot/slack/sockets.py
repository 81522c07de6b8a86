"""Socket Mode: connections that are restored at once when lost, and wait quietly for Slack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import aiohttp
import structlog
from aiohttp import ClientWebSocketResponse, WSMessage, WSMsgType
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient

from bot.errors import DeliveryPostponed, DeliveryRefused, DeliveryUnknown
from bot.slack.web_api import call

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

#: Seconds between two attempts to reach Slack.
RETRY: Final = 3.0
#: Seconds until Slack is asked again for a connection that it refused during work.
REFUSED: Final = 30.0
#: Seconds between two signs of life that a connection must give; the SDK's own default.
PING: Final = 10.0


async def answered(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Return Slack's answer, however long it takes; raises DeliveryRefused, for a wrong token for example, at once."""
    while True:
        try:
            return await ask()
        except DeliveryUnknown as error:
            why, wait = error.message, RETRY
        except DeliveryPostponed as error:
            why, wait = error.message, max(error.wait, RETRY)
        log.warning("slack does not answer; trying again", why=why, seconds=wait)
        await asyncio.sleep(wait)


@asynccontextmanager
async def connection(app: AsyncApp, token: str, *, ping: float = PING) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
    """Hold a Socket Mode connection until the block ends; yields a check whether it is up.

    ``token`` is the app-level one. Waits for Slack as long as it takes; raises DeliveryRefused when Slack does not
    accept the token. Asks with the client of ``app``: with :class:`bot.slack.client.Client`, what Slack asks one
    connection to wait holds for all.
    """
    client = _Client(token, app, ping)
    handler = _SocketHandler(app, token, client)
    try:
        # Requested here, a refusal ends the start with one sentence; the SDK would log a traceback every few seconds.
        client.wss_uri = await answered(client.address)
        await client.begin()
        await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt leaves it without annotations
        yield client.is_connected
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]  # the same


class _SocketHandler(AsyncSocketModeHandler):
    """Bolt's handler with our client: its own constructor would make another one."""

    def __init__(self, app: AsyncApp, token: str, client: SocketModeClient) -> None:
        self.app = app
        self.app_token = token
        self.client = client
        self.client.socket_mode_request_listeners.append(self.handle)  # type: ignore[arg-type]  # as Bolt does it


class _Client(SocketModeClient):
    """The SDK's client, but it notices a lost connection, and asks for addresses as we ask for everything else."""

    def __init__(self, token: str, app: AsyncApp, ping: float) -> None:
        super().__init__(app_token=token, logger=app.logger, web_client=app.client, ping_interval=ping)

    async def begin(self) -> None:
        """Use a session whose connections report that they are lost, in place of the SDK's."""
        await self.aiohttp_client_session.close()
        self.aiohttp_client_session = aiohttp.ClientSession(ws_response_class=_Connection)

    async def address(self) -> str:
        """Ask once for a connection's address, which is valid for one connection."""
        return str((await call(self.web_client.apps_connections_open(app_token=str(self.app_token))))["url"])

    async def issue_new_wss_url(self) -> str:
        """Ask until there is an address; also after a refusal, as work that needs no clicks continues."""
        while True:
            try:
                return await answered(self.address)
            except DeliveryRefused as error:
                log.warning("slack refuses a connection", why=error.message)
                await asyncio.sleep(REFUSED)


class _Connection(ClientWebSocketResponse):
    """A connection that reports its loss even without a close message.

    After a close message, the SDK reconnects at once. If a connection is just gone, the SDK notices only after its next
    ping, up to ten seconds later, and until then Slack cannot deliver clicks anywhere.
    """

    _told = False

    async def receive(self, timeout: float | None = None) -> WSMessage:  # noqa: ASYNC109 - aiohttp's signature
        """Return the next message."""
        message: WSMessage = await super().receive(timeout)
        if message.type is WSMsgType.CLOSED and not self._told:
            self._told = True
            return WSMessage(WSMsgType.CLOSE, self.close_code, None)
        return message
