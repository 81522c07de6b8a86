"""Checking the accounts at the providers."""

from __future__ import annotations

from collections.abc import Sequence

from bot.checks.findings import Finding, fix, ok
from bot.errors import ProviderError
from bot.providers.base import Provider


async def account(provider: Provider) -> Sequence[Finding]:
    """Make the provider's one cheap call."""
    try:
        return [ok(await provider.check())]
    except ProviderError as error:
        return [fix(error.message)]
