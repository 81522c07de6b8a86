"""Request bodies of the job endpoints: what is accepted, and the documented refusals for the rest.

Stricter than the real service may be, on purpose: a body field that no documentation names is refused
(422, code 10015) instead of being ignored, so that a misspelt setting cannot pass for an applied one.
An empty text clears ``connection_id``, ``billing_group_id``, ``customer_reference`` and ``external_pin``
(a reading: providers/telnyx/API.md, "Emptying a value"); ``null`` is refused, as no schema allows it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.sandbox.provider.errors import JsonObject
from bot.sandbox.telnyx.account import Account
from bot.sandbox.telnyx.errors import (
    bad_request,
    foreign_billing_group,
    invalid,
    missing,
    mixed_numbers,
    not_e164,
    not_owned,
    nothing_to_update,
    too_few_numbers,
    too_many_numbers,
)
from bot.sandbox.telnyx.records import Number
from bot.sandbox.telnyx.voice import E164, check_voice

MAX_NUMBERS = 1000

_TEXTS = ("external_pin", "customer_reference", "connection_id", "billing_group_id")
_SWITCHES = ("hd_voice_enabled", "deletion_lock_enabled")
UPDATE_FIELDS = ("tags", *_TEXTS, *_SWITCHES, "voice")
#: What an update of one number takes; ``address_id``, which it takes as well, the stand-in has not.
PATCH_FIELDS = tuple(name for name in UPDATE_FIELDS if name not in {"deletion_lock_enabled", "voice"})
EMERGENCY_FIELDS = ("emergency_enabled", "emergency_address_id")
_ID = re.compile(r"\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Targets:
    """The numbers of a job."""

    #: As given, without repetitions: ids, or E.164 texts.
    keys: list[str]
    numbers: list[Number]


def check_fields(body: JsonObject, known: tuple[str, ...]) -> None:
    """Refuse a body with a field that the endpoint does not have."""
    for name in body:
        if name != "phone_numbers" and name not in known:
            raise bad_request("is not a known field", f"/{name}")


def read_keys(body: JsonObject) -> list[str]:
    """Return ``phone_numbers`` as given once its shape and size are right (1 to 1000, before repetitions go)."""
    given = body.get("phone_numbers")
    if given is None:
        raise missing("/phone_numbers")
    if not isinstance(given, list) or not all(isinstance(key, str) for key in given):
        raise invalid("/phone_numbers")
    if not given:
        raise too_few_numbers()
    if len(given) > MAX_NUMBERS:
        raise too_many_numbers()
    return list(given)


def read_targets(body: JsonObject, account: Account) -> Targets:
    """Return the numbers that a job names: all ids or all E.164, every one of them the account's."""
    given = read_keys(body)
    e164 = sum(key.startswith("+") for key in given)
    if 0 < e164 < len(given):
        raise mixed_numbers()
    if any(not E164.fullmatch(key) if e164 else not _ID.fullmatch(key) for key in given):
        raise not_owned()
    keys = list(dict.fromkeys(given))
    found = [number for key in keys if (number := account.find(key)) is not None]
    if len(found) < len(keys):
        raise not_owned()
    return Targets(keys, found)


def read_e164(body: JsonObject) -> list[str]:
    """Return the numbers of an ownership check, without repetitions; ids are refused (code 10016)."""
    check_fields(body, ())
    given = read_keys(body)
    for position, key in enumerate(given):
        if not E164.fullmatch(key):
            raise not_e164(f"/phone_numbers/{position}")
    return list(dict.fromkeys(given))


def read_update(body: JsonObject, account: Account) -> JsonObject:
    """Return the settings of an update job; at least one, each of the right type, references existing."""
    settings = {name: body[name] for name in UPDATE_FIELDS if name in body}
    if not settings:
        raise nothing_to_update()
    for name in _TEXTS:
        if not isinstance(settings.get(name, ""), str):
            raise invalid(f"/{name}")
    for name in _SWITCHES:
        if not isinstance(settings.get(name, False), bool):
            raise invalid(f"/{name}")
    tags = settings.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) and tag.strip() for tag in tags):
        raise invalid("/tags")
    if "voice" in settings and not check_voice(settings["voice"]) and len(settings) == 1:
        raise nothing_to_update()
    if settings.get("connection_id") and settings["connection_id"] not in account.connections:
        raise invalid("/connection_id")
    if settings.get("billing_group_id") and settings["billing_group_id"] not in account.billing_groups:
        raise foreign_billing_group()
    return settings


def read_emergency(body: JsonObject, account: Account) -> JsonObject:
    """Return the emergency settings: an address of the account when enabling, none when disabling."""
    enabled, address = body.get("emergency_enabled"), body.get("emergency_address_id")
    if enabled is None:
        raise missing("/emergency_enabled")
    if not isinstance(enabled, bool):
        raise invalid("/emergency_enabled")
    if enabled and address is None:
        raise missing("/emergency_address_id")
    if not enabled and address is not None:
        raise bad_request("must be blank", "/emergency_address_id")
    if address is not None and (not isinstance(address, str) or address not in account.addresses):
        raise invalid("/emergency_address_id")
    return {name: body[name] for name in EMERGENCY_FIELDS if name in body}
