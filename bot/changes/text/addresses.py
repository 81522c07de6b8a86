"""Addresses on the web, as people type them."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit


def parts_of(address: str) -> SplitResult | None:
    """Return the parts of ``address``, with a valid port; None for an invalid address, such as ``https://[x``."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    return parts
