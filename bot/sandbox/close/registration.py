"""Putting numbers into the organization, as a test describes them."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from bot.sandbox.close.account import Account
from bot.sandbox.close.bodies import E164, SETTINGS
from bot.sandbox.close.records import Number
from bot.sandbox.close.rows import OPTIONAL
from bot.sandbox.close.rules import OF_GROUP_NUMBERS

TYPES = ("internal", "external", "virtual")
#: Settings that can be read as ``null`` without having been set.
_UNSET = ("forward_to", "inbound_ring_duration", "label", "voicemail_greeting_url")


class NumberFields(TypedDict, total=False):
    """What a test can say of a number; the defaults are those of ``Number``."""

    id: str
    #: The user whose personal number it is; without one it is a group number.
    owner: str | None
    label: str | None
    forward_to: str | None
    forward_to_enabled: bool
    inbound_ring_duration: int | None
    participants: list[str]
    participant_groups: list[str]
    phone_numbers: list[str]
    press_1_to_accept: bool
    voicemail_greeting_url: str | None
    type: str
    carrier: str | None
    carrier_type: str | None
    country: str | None
    is_premium: bool
    is_verified: bool
    mms_enabled: bool
    sms_enabled: bool
    was_ported: bool
    #: Optional fields that the answers about this number leave out.
    absent: set[str]
    #: Fields that no documentation has.
    undocumented: dict[str, object]
    date_created: datetime


def register(account: Account, e164: str, given: NumberFields) -> Number:
    """Put one number into the organization.

    Raises:
        ValueError: for a number that is not E.164 or already there, a value that no update would take, or a reference
            to a user or group that is not there.

    """
    if not E164.fullmatch(e164):
        raise ValueError(f"{e164!r} is not an E.164 number")
    _check(account, given)
    created = given.get("date_created") or account.clock.now()
    number = Number(
        id=given.get("id") or account.new_id("phon"), number=e164, date_created=created, date_updated=created
    )
    for name, value in given.items():
        if name not in ("id", "date_created"):
            setattr(number, name, _copy(value))
    account.add(number)
    return number


def _check(account: Account, given: NumberFields) -> None:
    for name, value in given.items():
        check = SETTINGS.get(name)
        if check is None or (value is None and name in _UNSET):
            continue
        if (complaint := check(value)) is not None:
            raise ValueError(f"{name}: {complaint}")
    if given.get("owner") is not None and any(given.get(name) for name in OF_GROUP_NUMBERS):
        raise ValueError(f"a personal number has none of {', '.join(OF_GROUP_NUMBERS)}")
    users = [*given.get("participants", ()), *filter(None, [given.get("owner")])]
    groups = given.get("participant_groups", ())
    if (stranger := account.strange_user(users) or account.strange_group(groups)) is not None:
        raise ValueError(f"the stand-in does not know {stranger!r}; add it first")
    if given.get("type", "internal") not in TYPES:
        raise ValueError(f"type: must be one of {', '.join(TYPES)}")
    if strange := given.get("absent", set()) - OPTIONAL:
        raise ValueError(f"absent: {', '.join(sorted(strange))} cannot be left out")


def _copy(value: object) -> object:
    """Return a value that two numbers registered with the same fields do not share."""
    if isinstance(value, list):
        return [*value]
    if isinstance(value, set):
        return {*value}
    return {**value} if isinstance(value, dict) else value
