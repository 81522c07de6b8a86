"""What a provider's folder offers to the wiring: its kinds, and how to open it with what the configuration says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.changes.model.encryption import Encryption
from bot.changes.model.kinds import Kind
from bot.config import Settings
from bot.machine import Machine
from bot.providers.base import Provider
from bot.providers.http import Bounds
from bot.providers.masking import SentSecrets
from bot.providers.runs import Runs
from bot.providers.shared_rates import SharedRates


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderParts:
    """What a provider may be built from."""

    #: Seals secret settings; None when there is no key.
    encryption: Encryption | None
    bounds: Bounds
    #: Gives a provider, by its name, the place where it writes runs down; None when it is only going to look.
    runs: Callable[[str], Runs] | None
    #: Where the fingerprints of sent secrets are written down; None when nothing is going to be sent.
    sent_secrets: SentSecrets | None
    #: The allowances that replicas share; None when there are no others.
    rates: SharedRates | None
    #: Our time of day, and whatever else is the machine's.
    machine: Machine


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """One provider of this version, switched on or not."""

    #: Every kind that it has, whatever the configuration says.
    kinds: tuple[Kind, ...]
    #: Opens the provider; None when the configuration does not switch it on.
    open: Callable[[Settings, ProviderParts], Provider | None]
