"""What the page sends, read with care: it is ours, but whatever arrives over a socket may be anything."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from bot.sandbox.slack import StandInRefused


class Given:
    """The fields of one message; each method raises StandInRefused for a field of another shape."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        self._fields = fields

    def text(self, name: str) -> str:
        """Return a required text."""
        found = self.optional(name)
        if found is None:
            raise StandInRefused(f"the page has to say {name!r}")
        return found

    def optional(self, name: str) -> str | None:
        """Return a text, or None when it is left out."""
        found = self._fields.get(name)
        if found is not None and not isinstance(found, str):
            raise StandInRefused(f"{name!r} has to be a text")
        return found

    def flag(self, name: str) -> bool:
        """Return whether something is said to be so."""
        return self._fields.get(name) is True

    def texts(self, name: str) -> list[str]:
        """Return a list of texts."""
        found = self._fields.get(name)
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise StandInRefused(f"{name!r} has to be a list of texts")
        return found

    def files(self) -> Sequence[tuple[str, bytes]]:
        """Return the files as names and bytes; none when there are none."""
        found = self._fields.get("files") or []
        if not isinstance(found, list):
            raise StandInRefused("'files' has to be a list")
        return [_file(each) for each in found]


def _file(given: object) -> tuple[str, bytes]:
    if not isinstance(given, dict):
        raise StandInRefused("a file has a name and a content")
    file = Given(given)
    try:
        return file.text("name"), base64.b64decode(file.text("content"), validate=True)
    except ValueError as error:  # letters that base64 does not have, or that nothing has but itself
        raise StandInRefused("a file's content has to be base64") from error
