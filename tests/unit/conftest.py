"""Values that many unit tests start from."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from hypothesis import settings

from bot.changes.model.encryption import Encryption
from bot.changes.model.kinds import Kind
from bot.providers.telnyx.kinds import kinds

# A machine with other work to do takes longer over an example than hypothesis allows; timings are not what is tested.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def encryption() -> Encryption:
    """Return a vault with a fresh key."""
    return Encryption([Fernet.generate_key().decode()])


@pytest.fixture(scope="session")
def settings_kind() -> Kind:
    """Return ``telnyx.settings`` with all its settings."""
    return next(kind for kind in kinds(secrets=True) if kind.name == "telnyx.settings")


@pytest.fixture(scope="session")
def emergency_kind() -> Kind:
    """Return ``telnyx.emergency``."""
    return next(kind for kind in kinds(secrets=True) if kind.name == "telnyx.emergency")
