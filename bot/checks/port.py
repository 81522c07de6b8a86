"""Checking that the HTTP server can get its port."""

from __future__ import annotations

from collections.abc import Sequence

import aiohttp

from bot.checks.findings import Finding, fail, ok, warn
from bot.config import Settings
from bot.endpoints.connections import reserved
from bot.errors import PortUnavailable


async def port(settings: Settings) -> Sequence[Finding]:
    """Take the port for a moment; nobody can connect to it meanwhile."""
    where = f"port {settings.port} of {settings.host}" if settings.port else f"a free port of {settings.host}"
    try:
        with reserved(settings.host, settings.port):
            return [ok(f"The HTTP server can listen on {where}.")]
    except PortUnavailable as error:
        if await _is_ours(settings):
            return [warn(f"A running Linesman listens on {where}: a second one cannot start there.")]
        return [fail(error.message)]


async def _is_ours(settings: Settings) -> bool:
    """Tell whether a Linesman answers there."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session,
            session.get(f"http://{settings.host}:{settings.port}/metrics") as answer,
        ):
            return "linesman_trouble" in await answer.text(errors="replace")
    except (aiohttp.ClientError, TimeoutError, ValueError):  # something else listens there, or nothing that answers
        return False
