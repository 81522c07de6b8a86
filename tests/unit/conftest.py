"""Values that many unit tests start from."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from bot.changes.kinds import Kind
from bot.changes.vault import Vault
from bot.providers.telnyx.kinds import kinds


@pytest.fixture(scope="session")
def vault() -> Vault:
    """Return a vault with a fresh key."""
    return Vault([Fernet.generate_key().decode()])


@pytest.fixture(scope="session")
def settings_kind() -> Kind:
    """Return ``telnyx.settings`` with all its settings."""
    return next(kind for kind in kinds(secrets=True) if kind.name == "telnyx.settings")


@pytest.fixture(scope="session")
def emergency_kind() -> Kind:
    """Return ``telnyx.emergency``."""
    return next(kind for kind in kinds(secrets=True) if kind.name == "telnyx.emergency")
