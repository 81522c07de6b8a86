"""Hearing that a provider does not accept the API key, whichever call it was that met it."""

from __future__ import annotations

from collections.abc import Callable


class KeyWatch:
    """Passes on what there is to do about a provider's API key, once for each call that was refused for it."""

    def __init__(self) -> None:
        self._watchers: list[Callable[[str], None]] = []

    def watch(self, told: Callable[[str], None]) -> None:
        """Call ``told`` from now on with the sentences for operators; it must not wait for anything."""
        self._watchers.append(told)

    def refused(self, remedy: str) -> None:
        """Note that the provider did not accept the key."""
        for told in self._watchers:
            told(remedy)
