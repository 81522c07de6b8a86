"""What a command reads from the environment, and the logs that go with it."""

from __future__ import annotations

import os

from bot import logs
from bot.config import Settings, Storage, load, load_storage
from bot.wiring import known_kinds


def settings() -> Settings:
    """Return the whole configuration; raises :class:`bot.errors.ConfigurationError`."""
    found = load(os.environ, known_kinds())
    logs.configure(found.log_level, found.log_format, secrets=found.secrets())
    return found


def storage() -> Storage:
    """Return what commands need that work on the database alone: no secret of Slack's or of a provider's."""
    found = load_storage(os.environ)
    logs.configure(found.log_level, found.log_format, secrets=found.secrets())
    return found
