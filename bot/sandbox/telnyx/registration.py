"""Putting numbers into the account, as a test describes them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypedDict

from bot.sandbox.telnyx.account import Account
from bot.sandbox.telnyx.errors import TelnyxRefusedError
from bot.sandbox.telnyx.records import STATUSES, Number
from bot.sandbox.telnyx.voice import E164, check_voice


class NumberFields(TypedDict, total=False):
    """What a test can say of a number; the defaults are those of ``Number``."""

    id: str
    status: str
    tags: Iterable[str]
    connection_id: str | None
    billing_group_id: str | None
    customer_reference: str | None
    external_pin: str | None
    hd_voice_enabled: bool
    deletion_lock_enabled: bool
    #: A ``voice`` object as a job takes it; what it leaves out has the default.
    voice: dict[str, object]
    #: The id of the emergency address, which also enables emergency services.
    emergency: str | None
    country_iso_alpha2: str
    phone_number_type: str
    source_type: str | None
    messaging_profile_id: str | None
    messaging_profile_name: str | None
    has_bundle: bool
    created_at: datetime


def register(account: Account, phone_number: str, given: NumberFields) -> Number:
    """Put one number into the account.

    Raises:
        ValueError: for a number that is not E.164 or already there, an unknown status or voice field, or a
            reference to a connection, billing group or address that the account does not have.

    """
    if not E164.fullmatch(phone_number):
        raise ValueError(f"{phone_number!r} is not an E.164 number")
    _check_references(account, given)
    created_at = given.get("created_at") or account.clock.now()
    number = Number(
        id=given.get("id") or account.new_id(),
        phone_number=phone_number,
        created_at=created_at,
        purchased_at=created_at,
        updated_at=created_at,
        activated_at=created_at if given.get("status", "active") == "active" else None,
    )
    for name, value in given.items():
        if name not in ("id", "tags", "voice", "emergency", "created_at"):
            setattr(number, name, value)
    number.tags = list(given.get("tags", ()))
    _apply_voice(number, given.get("voice", {}))
    if (address := given.get("emergency")) is not None:
        number.emergency_enabled, number.emergency_status = True, "active"
        number.emergency_address_id = address
    account.add(number)
    return number


def _apply_voice(number: Number, voice: dict[str, object]) -> None:
    try:
        number.voice.apply(check_voice(voice))
    except TelnyxRefusedError as error:
        raise ValueError(f"{error.problem.pointer}: {error.problem.detail}") from error


def _check_references(account: Account, given: NumberFields) -> None:
    known = (
        ("connection_id", given.get("connection_id"), account.connections),
        ("billing_group_id", given.get("billing_group_id"), account.billing_groups),
        ("emergency", given.get("emergency"), account.addresses),
        ("status", given.get("status"), STATUSES),
    )
    for name, value, choices in known:
        if value is not None and value not in choices:
            raise ValueError(f"{name}: the stand-in does not know {value!r}; add it first")
