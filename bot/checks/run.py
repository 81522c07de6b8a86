"""All checks, run together and reported in a fixed order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack
from typing import Any, Final

from bot.changes.text.counts import counted
from bot.checks.accounts import account
from bot.checks.database import database
from bot.checks.findings import Finding, Severity, bounded, ok, warn
from bot.checks.port import port
from bot.checks.socket_mode import socket_mode
from bot.checks.workspace import WorkspaceCheck
from bot.clients import build_encryption, build_providers, slack_client
from bot.config import VARIABLES, Settings, cautions_of
from bot.providers.answers import clean
from bot.providers.base import Provider
from bot.slack.client import Client
from bot.telemetry.logs import Redaction

#: Seconds that one check may take. Some wait for the bot's identity first, so all take at most twice that.
LIMIT: Final = 30.0
#: Most characters of a sentence; more than any of ours needs.
_LONGEST: Final = 4000


async def check(
    settings: Settings, write: Callable[[str], object], *, cautions: Sequence[str] = (), limit: float = LIMIT
) -> int:
    """Check everything, write a line for each finding, and return the exit status: 1 if something fails.

    Nothing is changed anywhere: the database is not migrated and nothing is posted. ``write`` receives whole lines,
    always in the same order, each as soon as it and the previous ones are known. ``cautions`` are sentences about the
    environment that the settings came from. ``limit`` is in seconds, for each check.
    """
    hide = Redaction(settings.secrets())
    status = 0
    async with AsyncExitStack() as stack:
        client = slack_client(settings, stack)
        providers = build_providers(settings, build_encryption(settings), patience=limit / 2)
        for provider in providers:
            stack.push_async_callback(provider.aclose)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(looking) for looking in _checks(settings, client, providers, cautions, limit)]
            for task in tasks:
                for finding in await task:
                    sentence = clean(hide.text(finding.sentence), _LONGEST)
                    write(f"{Finding(finding.mark, sentence)}\n")
                    status = 1 if finding.mark is Severity.FAIL else status
    return status


def _checks(
    settings: Settings, client: Client, providers: Sequence[Provider], cautions: Sequence[str], limit: float
) -> Iterator[Coroutine[Any, Any, Sequence[Finding]]]:
    """Yield the checks in the order in which they are reported."""
    yield _configuration(settings, cautions)
    yield bounded(
        database(settings),
        what="The database",
        advice="check DATABASE_URL, and whether its server can be reached from here",
        limit=limit,
    )
    yield bounded(port(settings), what="The port", advice="check HOST", limit=limit)
    yield WorkspaceCheck(settings, client).findings(limit)
    if settings.slack_app_token is not None:
        yield bounded(
            socket_mode(client, settings.slack_app_token.get_secret_value()),
            what="Socket Mode",
            advice="check SLACK_API_URL, and whether it can be reached from here",
            limit=limit,
        )
    for provider in providers:
        yield bounded(
            account(provider),
            what=provider.title,
            advice=f"check {provider.name.upper()}_API_URL, and whether it can be reached from here",
            limit=limit,
        )


async def _configuration(settings: Settings, cautions: Sequence[str]) -> Sequence[Finding]:
    given = counted(len(settings.model_fields_set), "variable is", "variables are")
    return [
        ok(f"The configuration is valid: {given} set, of {len(VARIABLES)}."),
        *(ok(f"Rule {sentence}") for sentence in (settings.explain() if settings.policy_file else ())),
        ok(settings.explain_reading()),
        *map(warn, (*cautions_of(settings), *cautions)),
    ]
