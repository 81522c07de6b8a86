"""Checking the accounts at the providers."""

from __future__ import annotations

from collections.abc import Sequence

from bot.checks.findings import Finding, fail, ok, warn
from bot.errors import ProviderError, Unauthorised
from bot.providers.base import Provider


async def account(provider: Provider) -> Sequence[Finding]:
    """Make the provider's one cheap call, and compare the clocks using its answer."""
    try:
        finding = ok(await provider.check())
    except Unauthorised as error:
        finding = fail(error.remedy)
    except ProviderError as error:
        finding = fail(error.message)
    return [finding, *([warn(provider.clock.skew)] if provider.clock.skew else [])]
