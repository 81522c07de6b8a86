"""What one replica gets out of an allowance that it shares with others."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class CallGrant:
    """Calls to a provider."""

    #: How many may be made; 0 when there is none left now.
    calls: int
    #: Seconds for which they are good, or after which to ask again when there are none.
    seconds: float
