"""Sealing secrets, so that they can be stored and compared without being readable."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from bot.changes.model.values import Secret
from bot.errors import SecretError


class Encryption:
    """Seals with the first key, opens with any key.

    ``keys`` are Fernet keys (32 bytes, URL-safe base64), newest first, so that a key can be replaced without losing
    what an older one sealed. The fingerprint is an HMAC under the *last* (oldest) key: replacing the first key leaves
    fingerprints, and with them the digests of waiting plans, unchanged.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise SecretError("Encryption needs at least one key; set LINESMAN_SECRET_KEY.")
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise SecretError("LINESMAN_SECRET_KEY holds something that is not a Fernet key.") from error
        self._salt = hashlib.sha256(b"linesman fingerprint" + keys[-1].encode()).digest()

    def seal(self, clear: str) -> Secret:
        """Return ``clear`` sealed and fingerprinted."""
        return Secret(fingerprint=self._fingerprint(clear), sealed=self._fernet.encrypt(clear.encode()).decode())

    def trace(self, clear: str) -> tuple[str, int]:
        """Return the fingerprint by which ``clear`` is recognised in other texts, ignoring case, and its length."""
        folded = _folded(clear)
        return self._fingerprint(folded), len(folded)

    def traces(self, part: str) -> set[str]:
        """Return every fingerprint that ``part`` of a text may have: as written, and ignoring case."""
        return {self._fingerprint(each) for each in {part, _folded(part)}}

    def open(self, secret: Secret) -> str:
        """Return the clear text of ``secret``; for the body of a provider call and nothing else.

        Raises :class:`bot.errors.SecretError` when no key fits or the secret has been wiped.
        """
        if not secret.sealed:
            raise SecretError("This secret has been wiped and cannot be used again; request the change again.")
        try:
            return self._fernet.decrypt(secret.sealed.encode()).decode()
        except InvalidToken as error:
            raise SecretError("None of the keys in LINESMAN_SECRET_KEY decrypts a stored secret.") from error

    def _fingerprint(self, clear: str) -> str:
        return hmac.digest(self._salt, clear.encode(errors="surrogatepass"), "sha256").hex()


def _folded(text: str) -> str:
    """Return ``text`` in lower case where that keeps its length, so that a part of a text stays as long as it is."""
    folded = text.lower()
    return folded if len(folded) == len(text) else text
