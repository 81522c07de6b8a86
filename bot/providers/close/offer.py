"""Close, as the wiring takes it."""

from __future__ import annotations

from typing import Final

from bot.config import Settings
from bot.providers.close.kinds import kinds
from bot.providers.close.provider import Close
from bot.providers.offers import Offer, ProviderParts


def _open(settings: Settings, parts: ProviderParts) -> Close | None:
    if settings.close is None:
        return None
    return Close(
        api_key=settings.close.api_key.get_secret_value(),
        bearer=settings.close.bearer,
        api_url=settings.close.api_url,
        runs=parts.runs(Close.name) if parts.runs else None,
        bounds=parts.bounds,
        rates=parts.rates,
        now=parts.machine.steady,
        wall=parts.machine.wall,
        jitter=parts.machine.chance,
        owner=parts.machine.unique,
    )


OFFER: Final = Offer(kinds=kinds(), open=_open)
