"""Text that can be written down: without halves of surrogate pairs, which UTF-8 cannot hold, and without NUL.

JSON may hold both; PostgreSQL takes no text with NUL in it.
"""

from __future__ import annotations

import re
from typing import Any, Final

#: What is shown in the place of a character of which only a half arrived (Unicode, replacement character).
LOST: Final = "\ufffd"
_HALF: Final = re.compile("[\x00\ud800-\udfff]")
#: How a half may stand in the bytes of a JSON document. Whole pairs match as well, and are left alone.
_MAY_HOLD: Final = re.compile(rb"\\u[dD][89a-fA-F]|\\u0000|\xed[\xa0-\xbf]")


def may_be_unsound(content: bytes | bytearray) -> bool:
    """Tell whether the JSON document may hold half a pair; when not, nobody needs to look at its texts."""
    return _MAY_HOLD.search(content) is not None


def sound(value: Any) -> Any:  # noqa: ANN401 - any JSON document
    """Return the document with :data:`LOST` for every half of a surrogate pair."""
    if isinstance(value, str):
        return _HALF.sub(LOST, value)
    if isinstance(value, dict):
        return {sound(key): sound(item) for key, item in value.items()}
    if isinstance(value, list):
        return [sound(item) for item in value]
    return value
