"""What one replica receives from an allowance that it shares with others."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class CallGrant:
    """Calls to a provider that one replica may make."""

    #: How many; 0 when none is left now.
    calls: int
    #: Seconds for which they are valid, or after which to ask again when there are none.
    seconds: float
