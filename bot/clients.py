"""The clients for the services that Linesman uses, according to the settings: the providers and Slack."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final

from bot.changes.model.encryption import Encryption
from bot.config import Settings
from bot.machine import Machine
from bot.providers.base import Provider
from bot.providers.close.provider import OFFER as CLOSE
from bot.providers.http import Bounds
from bot.providers.masking import SentSecrets
from bot.providers.offers import ProviderParts
from bot.providers.runs import Runs
from bot.providers.shared_rates import SharedRates
from bot.providers.telnyx.provider import OFFER as TELNYX
from bot.slack.client import Client
from bot.slack.web_api import session
from bot.store.adapters.shared_rates import DatabaseRates

#: Every provider of this version, in the order shown to people. A new provider is one more entry.
OFFERS: Final = (TELNYX, CLOSE)
#: This machine.
MACHINE: Final = Machine()


def build_providers(
    settings: Settings,
    encryption: Encryption | None,
    *,
    runs: Callable[[str], Runs] | None = None,
    sent_secrets: SentSecrets | None = None,
    rates: SharedRates | None = None,
    patience: float = 120.0,
    machine: Machine = MACHINE,
) -> Sequence[Provider]:
    """Return the enabled providers.

    ``runs`` gives a provider, by name, the store for the runs that it carries out itself; without it, such a provider
    can only read. ``sent_secrets`` keeps fingerprints of sent secrets, and ``rates`` the allowance that replicas share.
    ``patience`` is for how many seconds a read is repeated before the provider counts as unavailable. ``machine`` gives
    our time of day, which is compared with the providers' to report a difference.
    """
    bounds = Bounds(timeout=settings.provider_timeout, deadline=patience)
    parts = ProviderParts(
        encryption=encryption,
        bounds=bounds,
        runs=runs,
        sent_secrets=sent_secrets,
        rates=rates,
        machine=machine,
    )
    return [provider for offer in OFFERS if (provider := offer.open(settings, parts)) is not None]


def known_kinds() -> Mapping[str, Collection[str]]:
    """Return every kind of this version, enabled or not, with its settings: the names that a policy file may use."""
    return {kind.name: tuple(kind.by_name) for offer in OFFERS for kind in offer.kinds}


def build_encryption(settings: Settings) -> Encryption | None:
    """Return the encryption for secrets; None without a key."""
    keys = [key.get_secret_value() for key in settings.secret_keys]
    return Encryption(keys) if keys else None


def slack_client(
    settings: Settings, stack: AsyncExitStack, *, machine: Machine = MACHINE, rates: DatabaseRates | None = None
) -> Client:
    """Return the Web API client; its connections are closed with ``stack``."""
    http = session()
    stack.push_async_callback(http.close)
    token, steady = settings.slack_bot_token.get_secret_value(), machine.steady
    return Client(token, settings.slack_api_url, http, clock=machine.clock, steady=steady, rates=rates)
