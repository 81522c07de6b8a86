"""The configuration: the environment as one frozen, checked value.

    settings = config.load(os.environ)      # ConfigurationError lists every problem at once

Nothing else in Linesman reads the environment.
"""

from __future__ import annotations

from bot.config.cautions import cautions_of
from bot.config.environment import VARIABLES, Variable, load, load_storage, name_cautions
from bot.config.settings import ProviderSettings, Settings
from bot.config.storage import Storage

__all__ = [
    "VARIABLES",
    "ProviderSettings",
    "Settings",
    "Storage",
    "Variable",
    "cautions_of",
    "load",
    "load_storage",
    "name_cautions",
]
