"""The courier: brings payloads to the bot by signed HTTP or over Socket Mode, and holds it to three seconds."""

from __future__ import annotations

import json
import time
from urllib.parse import urlencode

import aiohttp
from slack_sdk.signature import SignatureVerifier

from bot.sandbox.slack.records import Delivery, Json
from bot.sandbox.slack.sockets import Sockets
from bot.sandbox.slack.workspace import Workspace

#: payload type -> envelope type of Socket Mode; all else is ``interactive``
ENVELOPES = {"slash_command": "slash_commands", "event_callback": "events_api"}


class Courier:
    """Delivers to the request address when one is set, else to a connected socket."""

    def __init__(self, ws: Workspace, sockets: Sockets, signing_secret: str) -> None:
        self.url: str | None = None
        self.signing_secret = signing_secret
        self._ws = ws
        self._sockets = sockets
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections to the bot."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, payload: Json, *, kind: str | None = None, retry: int = 0, reason: str = "") -> Delivery:
        """Deliver one payload; the result tells how it was answered, never raises for the bot's faults."""
        kind = kind or str(payload["type"])
        transport = "http" if self.url is not None else "socket"
        delivery = self._ws.journal.delivery(kind=kind, payload=payload, transport=transport, retry=retry)
        self._ws.journal.touch()
        started = time.monotonic()
        if self.url is not None:
            await self._by_http(self.url, delivery, reason)
        else:
            await self._by_socket(delivery, reason)
        delivery.seconds = time.monotonic() - started
        self._ws.journal.touch()
        return delivery

    async def _by_http(self, url: str, delivery: Delivery, reason: str) -> None:
        body, content_type = _encoded(delivery)
        timestamp = str(int(time.time()))
        signature = SignatureVerifier(self.signing_secret).generate_signature(timestamp=timestamp, body=body)
        headers = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature or "",
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        }
        if delivery.retry:
            headers |= {"X-Slack-Retry-Num": str(delivery.retry), "X-Slack-Retry-Reason": reason}
        if self._session is None:
            # A restarted bot knows nothing of the connections of the one before it.
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        limit = aiohttp.ClientTimeout(total=self._ws.deadlines.ack)
        try:
            async with self._session.post(url, data=body, headers=headers, timeout=limit) as response:
                delivery.body = await response.text()
                delivery.status = response.status
                delivery.headers = {name.lower(): value for name, value in response.headers.items()}
        except TimeoutError:
            delivery.error = "operation_timeout"
        except aiohttp.ClientError:
            delivery.error = "dispatch_failed"
        else:
            if not 200 <= delivery.status < 300:
                delivery.error = "dispatch_failed"

    async def _by_socket(self, delivery: Delivery, reason: str) -> None:
        envelope: Json = {
            "type": ENVELOPES.get(delivery.kind, "interactive"),
            "payload": delivery.payload,
            "accepts_response_payload": delivery.kind != "event_callback",
        }
        if delivery.kind == "event_callback":
            envelope |= {"retry_attempt": delivery.retry, "retry_reason": reason}
        try:
            answer = await self._sockets.send(envelope, timeout=self._ws.deadlines.ack)
        except TimeoutError:
            delivery.error = "operation_timeout"
        except ConnectionError:
            delivery.error = "dispatch_failed"
        else:
            delivery.status = 200
            delivery.body = answer if isinstance(answer, str) else json.dumps(answer) if answer else ""


def _encoded(delivery: Delivery) -> tuple[str, str]:
    form = "application/x-www-form-urlencoded"
    match delivery.kind:
        case "slash_command":
            return urlencode(delivery.payload), form
        case "event_callback" | "url_verification":
            return json.dumps(delivery.payload), "application/json"
        case _:
            return urlencode({"payload": json.dumps(delivery.payload)}), form
