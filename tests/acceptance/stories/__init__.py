"""What Ana can want: a story for each kind of change, with what the provider must have been asked for in the end."""

from __future__ import annotations

from typing import Final

from tests.acceptance.stories.close import Close
from tests.acceptance.stories.staged import Staged, TakenBack
from tests.acceptance.stories.story import Line, Story, Told
from tests.acceptance.stories.telnyx import (
    FORWARDING,
    PIN,
    REFERENCE,
    Bundles,
    Emergency,
    Revised,
    Settings,
    Temporary,
    Waves,
)

__all__ = [
    "BUNDLES",
    "CLOSE",
    "EMERGENCY",
    "FORWARDING",
    "PIN",
    "REFERENCE",
    "REVISED",
    "SETTINGS",
    "STAGED",
    "TAKEN_BACK",
    "TEMPORARY",
    "WAVES",
    "Line",
    "Story",
    "Told",
]

SETTINGS: Final = Settings()
TEMPORARY: Final = Temporary()
REVISED: Final = Revised()
WAVES: Final = Waves()
STAGED: Final = Staged()
TAKEN_BACK: Final = TakenBack()
BUNDLES: Final = Bundles()
EMERGENCY: Final = Emergency()
CLOSE: Final = Close()
