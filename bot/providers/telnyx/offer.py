"""Telnyx, as the wiring takes it."""

from __future__ import annotations

from typing import Final

from bot.config import Settings
from bot.providers.offers import Offer, ProviderParts
from bot.providers.telnyx.kinds import kinds
from bot.providers.telnyx.provider import Telnyx


def _open(settings: Settings, parts: ProviderParts) -> Telnyx | None:
    if settings.telnyx is None:
        return None
    return Telnyx(
        api_key=settings.telnyx.api_key.get_secret_value(),
        api_url=settings.telnyx.api_url,
        encryption=parts.encryption,
        sent_secrets=parts.sent_secrets,
        bounds=parts.bounds,
        rates=parts.rates,
        now=parts.machine.steady,
        wall=parts.machine.wall,
        jitter=parts.machine.chance,
    )


OFFER: Final = Offer(kinds=kinds(secrets=True), open=_open)
