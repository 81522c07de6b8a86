"""The fingerprints of sent secrets, each call in its own transaction: for providers with secrets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from bot.store.database import Database


class SecretFingerprints:
    """Fingerprints in the database; the contract is that of ``bot.providers.masking.SentSecrets``."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def add(self, fingerprint: str, length: int) -> None:
        """Write a fingerprint down."""
        async with self._database.transaction() as tx:
            await tx.sent_secrets.add(fingerprint, length, self._clock())

    async def since(self, last: int) -> Sequence[tuple[int, str, int | None]]:
        """Return the fingerprints that were written after the row ``last``."""
        async with self._database.reading() as tx:
            return await tx.sent_secrets.since(last)
