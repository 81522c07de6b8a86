"""The two error bodies of Close, and every refusal that the stand-in knows.

A 400 over what was sent is ``{"errors": […], "field-errors": {field: text}}``, where a text may be an object again
for what is inside a field; everything else is ``{"error": text}`` (providers/close/API.md, "Errors"). Close's
documents give no words for most refusals. Field errors are in the words of Pydantic, which a live ``_limit`` too high
was answered with ("Input should be less than or equal to 200", a third party's notes); other texts are ours. A client
must show them and decide nothing by them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.sandbox.provider.errors import JsonObject, RefusedError

EXTRA = "Extra inputs are not permitted"
REQUIRED = "This field is required."
INVALID_NUMBER = "Invalid phone number."


def invalid(field_errors: Mapping[str, object], errors: Sequence[str] = ()) -> RefusedError:
    """Return the refusal of what a request says (400): by field, and in general."""
    return RefusedError(400, {"errors": list(errors), "field-errors": dict(field_errors)})


def at_path(path: str, text: str) -> JsonObject:
    """Return the field errors with ``text`` at a dotted path: ``participants.0`` is the first participant."""
    first, _, rest = path.partition(".")
    return {first: at_path(rest, text) if rest else text}


def refusal_text(status: int) -> str:
    """Return the text of a plain refusal; the meanings are those of Close's page on response codes."""
    return _TEXTS[status]


_TEXTS = {
    400: "Bad Request",
    401: "Unauthorized",
    402: "You have reached a limit of your current plan.",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
}


def refused(status: int, text: str | None = None) -> RefusedError:
    """Return a plain refusal with its usual text or another one."""
    return RefusedError(status, {"error": refusal_text(status) if text is None else text})


def not_permitted(permission: str) -> RefusedError:
    """Return the refusal of an update that the acting user's role does not allow (403)."""
    return refused(403, f'You need the "{permission}" permission to update this phone number.')


def not_yours() -> RefusedError:
    """Return the refusal of an update of somebody else's personal number (403)."""
    return refused(403, "You can only update your own personal numbers.")


def not_json() -> RefusedError:
    """Return the refusal of a body that does not parse (400)."""
    return refused(400, "The request contains invalid JSON.")


def not_an_object() -> RefusedError:
    """Return the refusal of JSON that is not an object (400)."""
    return invalid({}, ["The request body must be an object."])


def rate_limited(message: str, reset: float, headers: Mapping[str, str]) -> RefusedError:
    """Return the refusal of a call too many (429).

    Close names the limit and the endpoint group in the body and calls the body deprecated; here ``error`` is an
    object, unlike in any other refusal, as the official client used to read ``error.rate_reset``.
    """
    return RefusedError(429, {"error": {"message": message, "rate_reset": reset}}, headers)
