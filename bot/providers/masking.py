"""The one place that everything from a provider passes through: the secrets that we sent are removed from it.

A provider may quote an external PIN anywhere: in the detail, the code or the pointer of an error, or in the word for a
job's state, minutes after the request and long after we wiped the PIN. So its texts are compared with what *we* sent,
by keyed fingerprints that outlive the PIN, and nothing is shortened before that. It may also quote our own key.
"""

from __future__ import annotations

import asyncio
import html
import re
from base64 import b64encode
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final, Protocol
from urllib.parse import unquote_plus

from bot.changes.model.encryption import Encryption
from bot.changes.model.values import JSON, MASK
from bot.errors import StoreError

#: Keys of texts by the provider: everything below them is for people, and we compare none of it.
_SPOKEN: Final = frozenset({"errors", "error", "field-errors"})
#: The key of the word for a state, which is shown when we do not know it.
_STATE: Final = "status"
#: The key under which the saved parameters of a job repeat a PIN in clear, whoever sent it.
_PIN: Final = "external_pin"
#: The key with a value in the bytes of an answer, and where it may stand with escaped letters. Two expressions, because
#: each begins with bytes that can be searched for ten times as fast.
_REPEATED: Final = re.compile(rb'"external_pin"\s*+:\s*+(?!null|"")')
_ESCAPED: Final = re.compile(rb"\\u00[2-7]")
#: Characters of one text that are checked, far more than are ever shown. The rest is removed.
_LONGEST: Final = 2000
#: Characters of one answer that are checked. The rest of its texts is withheld.
_MOST: Final = 400_000
#: A shorter secret is removed only where it is a word: inside longer words it could be anything.
_SHORTEST_PART: Final = 4
#: The lengths to try for a fingerprint from before lengths were kept.
_USUAL: Final = range(_SHORTEST_PART, 25)
#: How many times a text may be encoded.
_LAYERS: Final = 3
#: Comparisons that are remembered: failures of one job say nearly the same about each number.
_REMEMBERED: Final = 50_000


class SentSecrets(Protocol):
    """The fingerprints of all secrets ever sent, by any process."""

    async def add(self, fingerprint: str, length: int) -> None:
        """Write down a secret that is about to be sent; ``length`` counts its characters."""
        ...

    async def since(self, last: int) -> Sequence[tuple[int, str, int | None]]:
        """Return (row, fingerprint, length of the clear text if known) of the entries after the row ``last``."""
        ...


class Masking:
    """Masks the secrets of one account in its provider's texts.

    ``sent`` is read after each answer and before anybody sees it: a secret is written down before it is sent, so any
    text that quotes it is compared with it, even if another process sent it. ``words`` are the provider's documented
    states, which stay unchanged. ``api_key`` is the key that every request carries.
    """

    def __init__(
        self,
        encryption: Encryption | None = None,
        sent: SentSecrets | None = None,
        *,
        words: Collection[str] = (),
        api_key: str = "",
    ) -> None:
        #: The key as it is, and in the form of HTTP's basic authentication.
        self._credentials = (api_key, b64encode(f"{api_key}:".encode()).decode()) if api_key else ()
        self._encryption = encryption
        self._sent = sent
        self._words = frozenset(words)
        #: Fingerprint -> length of the clear text; None if unknown.
        self._known: dict[str, int | None] = {}
        self._last = 0
        self._compared: dict[str, bool] = {}
        listed = "|".join(re.escape(word) for word in self._words)
        #: The bytes that introduce texts in an answer; one expression for each, as above.
        self._speaks = [re.compile(b'"errors?"'), re.compile(b'"field-errors"')]
        if words:
            self._speaks.append(re.compile(rf'"status"\s*+:\s*+(?!"(?:{listed})"|null)'.encode()))

    async def learn(self, clear: str) -> None:
        """Write down a secret that is about to be sent; raises :class:`bot.errors.StoreError` when that fails."""
        if self._encryption is None or not clear:
            return
        fingerprint, length = self._encryption.trace(clear)
        if self._sent is not None:
            await self._sent.add(fingerprint, length)
        self._know(fingerprint, length)

    async def heard(self, content: bytes | bytearray, document: JSON, *, refused: bool) -> JSON:
        """Return the decoded ``document`` of an answer as everybody may see it; ``content`` is its text.

        A refusal consists of the provider's own words; elsewhere, only certain keys do.
        """
        if not refused and not any(each.search(content) for each in self._speaks):
            return document
        known = await self._refresh()
        pins = _under(document, _PIN) if _REPEATED.search(content) or _ESCAPED.search(content) else ()
        repeated = [str(pin) for pin in pins if isinstance(pin, str | int) and str(pin)]
        if known and not self._known and not repeated and not self._credentials:
            return document
        return await asyncio.to_thread(_Hearing(self, repeated, blind=not known).of, document, spoken=refused)

    async def telling(self) -> Callable[[str], str]:
        """Return a function that masks single texts by all secrets sent until now."""
        return self.text if await self._refresh() else lambda _said: MASK

    def text(self, said: object, repeated: Sequence[str] = ()) -> str:
        """Return one text without the secrets, even if they are quoted, escaped or percent-encoded."""
        whole = str(said)
        line = whole[:_LONGEST]
        if len(whole) > _LONGEST:  # the last word may be half a secret
            line = f"{line.rpartition(' ')[0]} …"
        if not self._known and not repeated and not self._credentials:
            return line
        line = self._masked(line, repeated)
        for decode in _DECODERS:
            decoded = line
            for _ in range(_LAYERS):
                before, decoded = decoded, decode(decoded)
                if decoded == before:
                    break
                if (masked := self._masked(decoded, repeated)) != decoded:
                    line = decoded = masked
        return line

    def stays(self, word: object) -> bool:
        """Tell whether ``word`` is a documented state."""
        return word in self._words

    async def _refresh(self) -> bool:
        """Learn the secrets that others sent meanwhile; False when that is impossible."""
        if self._sent is None or self._encryption is None:
            return True
        try:
            fresh = await self._sent.since(self._last)
        except StoreError:
            return False
        for row, fingerprint, length in fresh:
            self._last = max(self._last, row)
            self._know(fingerprint, length)
        return True

    def _know(self, fingerprint: str, length: int | None) -> None:
        if fingerprint not in self._known:
            self._known[fingerprint] = length
            self._compared = {}

    def _masked(self, text: str, repeated: Sequence[str]) -> str:
        for clear in (*self._credentials, *repeated):
            text = text.replace(clear, MASK) if len(clear) >= _SHORTEST_PART else _word(clear).sub(MASK, text)
        if not self._known:
            return text
        spans = [span for span in self._candidates(text) if self._is_secret(text[slice(*span)])]
        for start, end in reversed(_joined(spans)):
            text = text[:start] + MASK + text[end:]
        return text

    def _candidates(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the positions of texts with the length of a secret."""
        lengths = {each for length in self._known.values() for each in ((length,) if length else _USUAL)}
        for length in lengths:
            for start in range(len(text) - length + 1):
                end = start + length
                if length >= _SHORTEST_PART or (
                    not text[max(start - 1, 0) : start].isalnum() and not text[end : end + 1].isalnum()
                ):
                    yield start, end

    def _is_secret(self, part: str) -> bool:
        found = self._compared.get(part)
        if found is None:
            if len(self._compared) >= _REMEMBERED:
                self._compared = {}
            found = self._compared[part] = self._encryption is not None and not self._known.keys().isdisjoint(
                self._encryption.traces(part)
            )
        return found


class _Hearing:
    """One answer while it is walked through."""

    def __init__(self, masking: Masking, repeated: Sequence[str], *, blind: bool) -> None:
        self._masking = masking
        self._repeated = repeated
        #: Whether the sent secrets are unknown: then all texts are withheld.
        self._blind = blind
        self._room = _MOST

    def of(self, document: JSON, *, spoken: bool) -> JSON:
        """Return ``document`` masked; ``spoken`` when all of it is the provider's own words."""
        match document:
            case dict():
                return {key: self._entry(key, value, spoken=spoken) for key, value in document.items()}
            case list():
                return [self.of(each, spoken=spoken) for each in document]
            case bool() | None:
                return document
            case str() | int() | float() if spoken:
                return self._said(document)
            case _:
                return document

    def _entry(self, key: str, value: JSON, *, spoken: bool) -> JSON:
        if key == _STATE and not spoken and isinstance(value, str | int) and not isinstance(value, bool):
            return value if self._masking.stays(value) else self._said(value)
        return self.of(value, spoken=spoken or key in _SPOKEN)

    def _said(self, value: str | float) -> JSON:
        text = str(value)
        self._room -= min(len(text), _LONGEST)
        if self._blind or self._room < 0:
            return MASK
        masked = self._masking.text(text, self._repeated)
        return value if masked == text else masked


def _under(document: JSON, wanted: str) -> Iterator[JSON]:
    """Yield every value under the key ``wanted``, at any depth."""
    match document:
        case dict():
            for key, value in document.items():
                if key == wanted:
                    yield value
                yield from _under(value, wanted)
        case list():
            for each in document:
                yield from _under(each, wanted)


def _word(clear: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(clear)}(?!\w)")


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the spans in order, merging those that overlap."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _unescaped(text: str) -> str:
    """Return ``text`` without escapes of JSON and quotation."""
    plain = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    return re.sub(r"\\(.)", r"\1", plain)


def _spaced(text: str) -> str:
    """Return ``text`` as it will be shown: on one line, without unprintable characters."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


#: The encodings in which a text may hold a secret.
_DECODERS: Final[tuple[Callable[[str], str], ...]] = (unquote_plus, html.unescape, _unescaped, _spaced)
