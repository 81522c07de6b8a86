"""JSON documents on their way into the database."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Encoded:
    """A document whose JSON text is known: a text shared by thousands of rows is made once."""

    text: str


def to_text(document: Any) -> str:  # noqa: ANN401 - any JSON document
    """Return the JSON text of ``document``, which may already be :class:`Encoded`."""
    return document.text if isinstance(document, Encoded) else json.dumps(document)
