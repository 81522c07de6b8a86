"""What a provider's package offers to the wiring: its kinds, and how to open it with the configuration."""

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
    """The parts from which a provider may be built."""

    #: Seals secret settings; None without a key.
    encryption: Encryption | None
    bounds: Bounds
    #: Gives a provider, by name, the store for its runs; None when it only reads.
    runs: Callable[[str], Runs] | None
    #: The store for the fingerprints of sent secrets; None when nothing will be sent.
    sent_secrets: SentSecrets | None
    #: The allowances shared by replicas; None without other replicas.
    rates: SharedRates | None
    #: Our time of day, and other properties of the machine.
    machine: Machine


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """One provider of this version, enabled or not."""

    #: Every kind that it has, whatever the configuration says.
    kinds: tuple[Kind, ...]
    #: Opens the provider; None when the configuration does not enable it.
    open: Callable[[Settings, ProviderParts], Provider | None]
