"""Checking the accounts at the providers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.checks.findings import Finding, fix, ok
from bot.config import Settings
from bot.errors import ProviderError
from bot.providers.base import Provider


async def account(provider: Provider) -> Sequence[Finding]:
    """Make the provider's one cheap call."""
    try:
        return [ok(await provider.check())]
    except ProviderError as error:
        return [fix(error.message)]


def unserved(settings: Settings, providers: Sequence[Provider]) -> Iterator[Finding]:
    """Find the providers that have a key and nobody who would use it."""
    served = {provider.name for provider in providers}
    for name, given in (("telnyx", settings.telnyx), ("close", settings.close)):
        if given is not None and name not in served:
            yield fix(
                f"{name.upper()}_API_KEY is set, but this version of Linesman cannot change numbers at "
                f"{name.title()}: unset it."
            )
