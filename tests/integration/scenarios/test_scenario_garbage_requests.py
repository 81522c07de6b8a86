"""Whoever can reach the port may send anything: it costs one line of the log and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gzip
import io
import json
import logging
import os
import socket
import time
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from slack_sdk.signature import SignatureVerifier

from bot.endpoints import connections, server
from bot.endpoints.connections import MOST
from bot.endpoints.server import LARGEST
from bot.telemetry import logs
from tests.integration.scenarios.stage import SIGNING_SECRET, Stage

FORM = b"application/x-www-form-urlencoded"
JSON = b"application/json"
DEEP = b"payload=" + b"[" * 100_000
SIGNED = {b"X-Slack-Signature": b"v0=" + b"0" * 64, b"X-Slack-Request-Timestamp": b"1"}
BOMB = gzip.compress(b"a" * 30_000_000)

#: What is sent: headers, body.
GARBAGE = {
    "nothing": ({}, b""),
    "no-json": ({b"Content-Type": JSON}, b"{"),
    "no-json-in-the-payload": ({b"Content-Type": FORM}, b"payload=%7B"),
    "no-utf-8": ({b"Content-Type": FORM}, b"payload=\xff\xfe\x00"),
    "deep": ({b"Content-Type": FORM}, DEEP),
    "deep-json": ({b"Content-Type": JSON}, b"[" * 100_000),
    "odd-charset": ({b"Content-Type": FORM + b"; charset=klingon"}, b"payload={}"),
    "utf-16": ({b"Content-Type": JSON + b"; charset=utf-16"}, "{}".encode("utf-16")),
    "odd-content-type": ({b"Content-Type": b";;;/////"}, b"x"),
    "multipart-without-boundary": ({b"Content-Type": b"multipart/form-data"}, b"--"),
    "time-is-no-number": ({**SIGNED, b"X-Slack-Request-Timestamp": b"yesterday"}, b"payload={}"),
    "time-beyond-numbers": ({**SIGNED, b"X-Slack-Request-Timestamp": b"9" * 5000}, b"payload={}"),
    "time-in-other-digits": ({**SIGNED, b"X-Slack-Request-Timestamp": "٣".encode()}, b"payload={}"),
    "signature-not-ascii": ({**SIGNED, b"X-Slack-Signature": "v0=ü".encode()}, b"payload={}"),
    "signature-wrong": ({**SIGNED, b"X-Slack-Request-Timestamp": b"%d" % int(time.time())}, b"payload={}"),
    "deep-signed-wrongly": (
        {**SIGNED, b"X-Slack-Request-Timestamp": b"%d" % int(time.time()), b"Content-Type": FORM},
        DEEP,
    ),
    "no-json-signed-wrongly": (
        {**SIGNED, b"X-Slack-Request-Timestamp": b"%d" % int(time.time()), b"Content-Type": JSON},
        b"{",
    ),
    "no-utf-8-signed": ({**SIGNED, b"X-Slack-Request-Timestamp": b"%d" % int(time.time())}, b"\xff"),
    "a-bomb": ({b"Content-Encoding": b"gzip"}, BOMB),
    "deflated": ({b"Content-Encoding": b"deflate"}, zlib.compress(b"payload={}")),
    "brotli": ({b"Content-Encoding": b"br"}, b"\x00"),
    "ssl-check": ({b"Content-Type": FORM}, b"ssl_check=1&token=x"),
    "too-large": (SIGNED, b"a" * (LARGEST + 1)),
}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Log as `linesman serve` does, into a text."""
    stream = io.StringIO()
    root, before = logging.getLogger(), structlog.get_config()
    level, handlers = root.level, list(root.handlers)
    logs.configure("info", "json", stream=stream)
    yield stream
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


async def exchange(stage: Stage, request: bytes) -> bytes:
    """Send bytes to the bot's port and return what comes back until it closes."""
    assert stage.bot is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.bot.port)
    try:
        writer.write(request)
        await writer.drain()
        return await reader.readline()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def post(headers: dict[bytes, bytes], body: bytes, *more: bytes) -> bytes:
    """Return a request as bytes."""
    lines = [b"POST /slack/events HTTP/1.1", b"Host: bot", b"Content-Length: %d" % len(body), *more]
    return b"\r\n".join([*lines, *(name + b": " + value for name, value in headers.items()), b"", body])


def told(log: io.StringIO) -> list[dict[str, object]]:
    """Return the lines of the log that tell of requests."""
    return [line for line in map(json.loads, log.getvalue().splitlines()) if "request" in str(line["event"])]


async def test_garbage_is_refused_with_one_line(log: io.StringIO, stage: Stage) -> None:
    """Whatever has no signature of Slack's gets 401 and leaves one line, never a traceback."""
    answers = {}
    for name, (headers, body) in GARBAGE.items():
        before = len(told(log))
        status = await exchange(stage, post(headers, body))
        answers[name] = (status.split()[1:2], len(told(log)) - before)
    twice = post(SIGNED, b"payload={}", b"X-Slack-Signature: v0=1")
    answers["twice"] = ((await exchange(stage, twice)).split()[1:2], 1)

    # Of a body that is not read to its end the sender may only see that the connection is gone.
    assert {name: each for name, each in answers.items() if each not in [([b"401"], 1), ([], 1)]} == {}
    assert answers["no-json"] == answers["a-bomb"] == ([b"401"], 1)
    assert "Traceback" not in log.getvalue()
    assert all("exception" not in line for line in told(log))


async def test_what_is_no_http_leaves_one_line(log: io.StringIO, stage: Stage) -> None:
    """Headers beyond measure and other nonsense are refused by the parser."""
    huge = post({b"X-Long": b"a" * 100_000}, b"")

    for nonsense in (huge, b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"):
        assert (await exchange(stage, nonsense)).split()[1:2] in ([b"400"], [])

    assert "Traceback" not in log.getvalue()
    assert [line["level"] for line in told(log)] == ["warning"] * len(told(log))


def plausible() -> bytes:
    """Return headers as Slack sends them, over another body."""
    return b"X-Slack-Signature: v0=%s\r\nX-Slack-Request-Timestamp: %d\r\n" % (b"0" * 64, int(time.time()))


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        pytest.param(b"Content-Encoding: gzip\r\nContent-Length: 99999\r\n", "it is compressed", id="compressed"),
        pytest.param(b"Content-Length: %d\r\n" % (LARGEST + 1), "it is larger than anything", id="too-large"),
        pytest.param(b"Transfer-Encoding: chunked\r\n", "it is larger than anything", id="too-large-untold"),
    ],
)
async def test_what_cannot_be_from_slack_is_refused_unread(
    log: io.StringIO, stage: Stage, headers: bytes, why: str
) -> None:
    """The answer comes before the body, which nobody reads: to check its signature would be to read it."""
    request = b"POST /slack/events HTTP/1.1\r\nHost: bot\r\n" + headers + plausible() + b"\r\n"
    if b"chunked" in headers:
        request += b"100000\r\n%s\r\n" % (b"a" * 0x100000) * 3  # and no end

    status = await exchange(stage, request)

    assert status.split()[1:2] in ([b"401"], [])
    async with asyncio.timeout(20):
        while not told(log):  # noqa: ASYNC110 - a log signals nobody
            await asyncio.sleep(0.02)
    assert [str(line["why"]).startswith(why) for line in told(log)] == [True]


async def test_what_slack_signed_gets_in(stage: Stage) -> None:
    """The same door opens for a signature over these very bytes."""
    body, now = "ssl_check=1&token=x", str(int(time.time()))
    signature = SignatureVerifier(SIGNING_SECRET).generate_signature(timestamp=now, body=body) or ""
    headers = {b"X-Slack-Signature": signature.encode(), b"X-Slack-Request-Timestamp": now.encode()}

    status = await exchange(stage, post({**headers, b"Content-Type": FORM}, body.encode()))

    assert status.split()[1:2] == [b"200"]


async def test_more_connections_than_there_may_be_wait(log: io.StringIO, stage: Stage) -> None:
    """A crowd that says nothing leaves one line; once it is gone the next is served."""
    assert stage.bot is not None
    crowd = [await asyncio.open_connection("127.0.0.1", stage.bot.port) for _ in range(MOST + 20)]
    async with asyncio.timeout(60):
        while "too many connections" not in log.getvalue():  # noqa: ASYNC110 - a log signals nobody
            await asyncio.sleep(0.05)
    for _, writer in crowd:
        writer.close()

    assert (await stage.get("/healthz"))[0] == 200
    assert log.getvalue().count("too many connections") == 1


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nX-Slow:", id="headers"),
        pytest.param(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n%splausible", id="body"),
    ],
)
async def test_a_request_that_never_ends_is_ended(
    idle: Stage, log: io.StringIO, begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Headers and bodies that trickle hold a connection for a bounded time, and nobody else."""
    monkeypatch.setattr(server, "BODY_WITHIN", 0.3)
    monkeypatch.setattr(server, "IDLE", 0.3)
    await idle.start()
    assert idle.bot is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", idle.bot.port)
    writer.write(begun.replace(b"%splausible", plausible() + b"\r\n"))

    async def trickle() -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"a")
                await writer.drain()
                await asyncio.sleep(0.05)

    trickling = asyncio.create_task(trickle())
    async with asyncio.timeout(20):
        with contextlib.suppress(ConnectionError):
            await reader.read()

    trickling.cancel()
    writer.close()
    assert (await idle.get("/healthz"))[0] == 200
    assert "Traceback" not in log.getvalue()


async def test_no_descriptor_left_is_one_line(stage: Stage, log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """While no connection can be accepted the loop rests, says so once, and serves again afterwards."""
    monkeypatch.setattr(connections, "PAUSE", 0.01)
    assert stage.bot is not None
    loop = asyncio.get_running_loop()
    accept, refused = loop.sock_accept, 0

    async def out_of_descriptors(listener: socket.socket) -> tuple[socket.socket, Any]:
        nonlocal refused
        connection, address = await accept(listener)
        if refused < 50:
            refused += 1
            connection.close()
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return connection, address

    monkeypatch.setattr(loop, "sock_accept", out_of_descriptors)
    async with asyncio.timeout(60):
        while refused < 50:
            hellos = (exchange(stage, b"GET /healthz HTTP/1.1\r\n\r\n") for _ in range(5))
            await asyncio.gather(*hellos, return_exceptions=True)

    assert (await stage.get("/healthz"))[0] == 200
    assert log.getvalue().count("cannot be accepted") == 1


async def test_in_socket_mode_nothing_is_taken_over_http(idle: Stage) -> None:
    """The port serves health and metrics only, whatever is sent to it."""
    idle.transport = "socket"
    await idle.start()

    status = await exchange(idle, post({b"Content-Encoding": b"gzip"}, BOMB))

    assert status.split()[1:2] == [b"404"]
    assert (await idle.get("/healthz"))[0] == 200
