"""The meaning of a refusal by Close, judged by its status; texts are shown but never decide (API.md, "Errors").

There are two documented forms of a body, ``{"errors": [...], "field-errors": {field: text or more}}`` and ``{"error":
"..."}``. The schema types all of them as "any", so their content is quoted as it is. A body without any of them may be
anybody's, such as the page of a gateway, and does not count as Close's answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from bot.changes.model.values import JSON
from bot.errors import BadRequest, Forbidden, ProviderError, ProviderNotFound, Unauthorised
from bot.providers.answers import clean, refusal_type

#: The status for something that the account's plan does not include.
PLAN_LIMIT: Final = 402

_OPENING: Final[dict[type[ProviderError], str]] = {
    Unauthorised: "Close does not accept Linesman's credentials. The operators are told in the failure channel.",
    Forbidden: "Close does not allow this for the user of these credentials.",
    ProviderNotFound: "Close did not find it.",
    BadRequest: "Close refused the request.",
}
#: What operators read when Close rejects the key.
_REMEDY: Final = "Close does not accept the credentials; set CLOSE_API_KEY or CLOSE_ACCESS_TOKEN to valid ones."
_PLAN: Final = "The account's plan at Close does not include this, or its limit is reached."


def refusal(status: int, body: JSON) -> ProviderError | None:
    """Return the error for an answer with ``status`` (400 to 499) and ``body`` (decoded, None if it was not JSON).

    None when the body is not in a documented form of Close's, or contains no complaint.
    """
    complaints = list(_complaints(body)) if isinstance(body, dict) else []
    if not complaints:
        return None
    kind = refusal_type(status)
    if kind is Unauthorised:
        remedy = " ".join([_REMEDY, *_quoted(complaints)])
        return Unauthorised(_OPENING[kind], code=str(status), status=status, remedy=remedy)
    opening = _PLAN if status == PLAN_LIMIT else _OPENING[kind]
    pointer = next((place for place, _ in complaints if place), "")
    return kind(" ".join([opening, *_quoted(complaints)]), code=str(status), pointer=clean(pointer), status=status)


def _complaints(body: Mapping[str, JSON]) -> Iterator[tuple[str, str]]:
    """Yield (JSON pointer, text) for every complaint in a body, errors about a field first."""
    fields = body.get("field-errors")
    if isinstance(fields, dict):
        yield from _fields(fields, "")
    errors = body.get("errors")
    for each in errors if isinstance(errors, list) else []:
        yield "", _text(each)
    if body.get("error"):
        yield "", _text(body["error"])


def _fields(errors: JSON, above: str) -> Iterator[tuple[str, str]]:
    match errors:
        case dict():
            for name, inner in errors.items():
                yield from _fields(inner, f"{above}/{name.replace('~', '~0').replace('/', '~1')}")
        case list():
            for inner in errors:
                yield from _fields(inner, above)
        case _:
            yield above, _text(errors)


def _text(value: JSON) -> str:
    if isinstance(value, dict) and isinstance(message := value.get("message"), str):
        return message
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _quoted(complaints: list[tuple[str, str]]) -> list[str]:
    quotes = list(dict.fromkeys(said for _, text in complaints if (said := clean(text))))[:3]
    if not quotes:
        return []
    said = "; ".join(f"“{quote}”" for quote in quotes)
    places = list(dict.fromkeys(clean(place, 60) for place, _ in complaints if place))[:3]
    return [f"It says: {said}" + (f" (at {', '.join(places)})." if places else ".")]
