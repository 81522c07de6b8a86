"""The clients of what Linesman talks to, as the settings have them: the providers and Slack."""

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

#: Every provider of this version, in the order in which people see them. A new provider is one more entry.
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
    """Return the providers that are switched on.

    ``runs`` gives a provider, by its name, the place where it writes down what it carries out itself; without it such
    a provider can only look. ``sent_secrets`` remembers what was sent in secret, and ``rates`` how much of their
    allowance replicas have used up together. ``patience`` is for how many seconds a read is repeated before the
    provider counts as unavailable. ``machine`` tells our time of day, which is compared with the
    providers' to tell a difference.
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
    """Return every kind of this version, switched on or not, with its settings: what a policy file may name."""
    return {kind.name: tuple(kind.by_name) for offer in OFFERS for kind in offer.kinds}


def build_encryption(settings: Settings) -> Encryption | None:
    """Return what seals secrets; None when there is no key."""
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
