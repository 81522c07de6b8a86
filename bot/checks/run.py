"""All checks, run together and told in a fixed order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Final

from slack_sdk.web.async_client import AsyncWebClient

from bot.checks.database import database
from bot.checks.findings import Finding, Mark, bounded, counted, fix, mind, ok
from bot.checks.providers import account, without_provider
from bot.checks.socket_mode import socket_mode
from bot.checks.workspace import workspace
from bot.config import VARIABLES, Settings
from bot.logs import Redaction
from bot.providers.http import clean
from bot.wiring import build_providers, build_vault, slack_client

#: Seconds that one check may take. Those that need to know who the bot is begin when that is known.
LIMIT: Final = 30.0
#: Characters of one line at most; more than any sentence needs.
_LONGEST: Final = 4000
_REACH_SLACK: Final = "look whether SLACK_API_URL is right and whether this machine reaches it"


async def check(settings: Settings, write: Callable[[str], object], *, limit: float = LIMIT) -> int:
    """Check everything, write one line for each finding, and return the exit status: 1 when something is to be fixed.

    Nothing is changed anywhere: the database is not migrated, nothing is posted. ``write`` gets whole lines, in the
    same order each time, each as soon as those before it are known; ``limit`` is in seconds and for each check.
    """
    hide = Redaction(settings.secrets())
    status = 0
    async with AsyncExitStack() as stack:
        client = slack_client(settings, stack)
        tasks = await _begin(settings, client, stack, limit)
        for task in tasks:
            for finding in await task:
                line = clean(hide.text(str(finding.sentence)), _LONGEST)
                write(f"{Finding(finding.mark, line)}\n")
                status = 1 if finding.mark is Mark.FIX else status
    return status


async def _begin(
    settings: Settings, client: AsyncWebClient, stack: AsyncExitStack, limit: float
) -> Sequence[asyncio.Task[Sequence[Finding]]]:
    """Start the checks, in the order in which they are told."""
    providers = build_providers(settings, build_vault(settings))
    for provider in providers:
        stack.push_async_callback(provider.aclose)
    group = await stack.enter_async_context(asyncio.TaskGroup())

    def begin(looking: Callable[[], object]) -> None:
        pass
    return []
