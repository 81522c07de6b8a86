"""The body of an update: which settings there are, and the shape that each must have.

The schema allows no other field (``additionalProperties: false``), ``null`` for ``voicemail_greeting_url`` only,
and no value of a neighbouring type: ``"true"`` is not a boolean and ``true`` is not a number. So there is no way
back to the default ring duration and none to no ``forward_to``; forwarding is switched off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Final

from bot.sandbox.close.errors import EXTRA, INVALID_NUMBER, invalid
from bot.sandbox.provider.errors import JsonObject

E164: Final = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_SECURE: Final = re.compile(r"https://[^\s/]+(/\S*)?")

#: What is wrong with a value: a text, texts by position inside a list, or nothing.
Complaint = str | JsonObject | None


def read_settings(body: JsonObject, missing: Collection[str]) -> JsonObject:
    """Return the settings of an update once each of them has the right shape; there may be none.

    Args:
        body: what was sent.
        missing: the settings that this revision of the API does not have.

    Raises:
        RefusedError: 400 with a field error for every field that is unknown or out of shape.

    """
    errors: JsonObject = {}
    for name, value in body.items():
        check = None if name in missing else SETTINGS.get(name)
        complaint = EXTRA if check is None else check(value)
        if complaint is not None:
            errors[name] = complaint
    if errors:
        raise invalid(errors)
    return body


def _text(value: object) -> Complaint:
    return None if isinstance(value, str) else "Input should be a valid string"


def _switch(value: object) -> Complaint:
    return None if isinstance(value, bool) else "Input should be a valid boolean"


def _seconds(value: object) -> Complaint:
    if isinstance(value, bool) or not isinstance(value, int):
        return "Input should be a valid integer"
    if value < 15:
        return "Input should be greater than or equal to 15"
    return "Input should be less than or equal to 90" if value > 90 else None


def _number(value: object) -> Complaint:
    """Demand E.164; no other form is documented for reading, so none is taken for writing."""
    if not isinstance(value, str):
        return "Input should be a valid string"
    return None if E164.fullmatch(value) else INVALID_NUMBER


def _secure_url(value: object) -> Complaint:
    if value is None:
        return None
    if not isinstance(value, str):
        return "Input should be a valid string"
    return None if _SECURE.fullmatch(value) else "The URL must be secure (starting with https://)."


def _list_of(check: Callable[[object], Complaint]) -> Callable[[object], Complaint]:
    def checked(value: object) -> Complaint:
        if not isinstance(value, list):
            return "Input should be a valid list"
        wrong: JsonObject = {}
        for position, item in enumerate(value):
            if (complaint := check(item)) is not None:
                wrong[str(position)] = complaint
        return wrong or None

    return checked


SETTINGS: Final[dict[str, Callable[[object], Complaint]]] = {
    "forward_to": _number,
    "forward_to_enabled": _switch,
    "inbound_ring_duration": _seconds,
    "label": _text,
    "participant_groups": _list_of(_text),
    "participants": _list_of(_text),
    "phone_numbers": _list_of(_number),
    "press_1_to_accept": _switch,
    "voicemail_greeting_url": _secure_url,
}
