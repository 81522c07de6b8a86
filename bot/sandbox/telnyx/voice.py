"""A number's voice settings: the documented fields, their defaults, and what a job does to them.

Whether a nested object that is only partly filled keeps its other fields is unknown
(providers/telnyx/API.md, "Nested objects"). This stand-in takes the pessimistic reading: the missing siblings are RESET
to the schema's defaults. A client that always sends a nested object whole is right under either reading; one that does
not is caught here. Fields at the top of ``voice`` are independent of each other and stay as they are when left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bot.sandbox.provider.errors import JsonObject
from bot.sandbox.telnyx.errors import bad_request, invalid

Value = bool | str | None

FLAT: dict[str, Value] = {
    "tech_prefix_enabled": False,
    "translated_number": "",
    "caller_id_name_enabled": False,
    "usage_payment_method": "pay-per-minute",
    "inbound_call_screening": "disabled",
}
NESTED: dict[str, dict[str, Value]] = {
    "call_forwarding": {"call_forwarding_enabled": True, "forwards_to": "", "forwarding_type": None},
    "cnam_listing": {"cnam_listing_enabled": False, "cnam_listing_details": ""},
    "media_features": {
        "rtp_auto_adjust_enabled": True,
        "accept_any_rtp_packets_enabled": False,
        "t38_fax_gateway_enabled": False,
    },
    "call_recording": {
        "inbound_call_recording_enabled": False,
        "inbound_call_recording_format": "wav",
        "inbound_call_recording_channels": "single",
    },
}
CHOICES: dict[str, tuple[str, ...]] = {
    "usage_payment_method": ("pay-per-minute", "channel"),
    "inbound_call_screening": ("disabled", "reject_calls", "flag_calls"),
    "forwarding_type": ("always", "on-failure"),
    "inbound_call_recording_format": ("wav", "mp3"),
    "inbound_call_recording_channels": ("single", "dual"),
}
E164 = re.compile(r"\+[1-9]\d{1,14}", re.ASCII)


@dataclass(slots=True)
class Voice:
    """The voice settings of one number; every field is always there.

    ``forwarding_type`` is ``None`` until one was set; texts are ``""`` when nothing was set.
    """

    tech_prefix_enabled: bool = False
    translated_number: str = ""
    caller_id_name_enabled: bool = False
    usage_payment_method: str = "pay-per-minute"
    inbound_call_screening: str = "disabled"
    call_forwarding: dict[str, Value] = field(default_factory=lambda: dict(NESTED["call_forwarding"]))
    cnam_listing: dict[str, Value] = field(default_factory=lambda: dict(NESTED["cnam_listing"]))
    media_features: dict[str, Value] = field(default_factory=lambda: dict(NESTED["media_features"]))
    call_recording: dict[str, Value] = field(default_factory=lambda: dict(NESTED["call_recording"]))

    def apply(self, given: JsonObject) -> None:
        """Take over a checked ``voice`` object; missing fields of a nested object go to their defaults."""
        for name, value in given.items():
            if isinstance(value, dict):
                setattr(self, name, {**NESTED[name], **value})
            else:
                setattr(self, name, value)


def check_voice(given: object) -> JsonObject:
    """Return a job's ``voice`` object once every field of it is acceptable.

    Raises:
        RefusedError: 422 with the pointer of the first field that is not.

    """
    if not isinstance(given, dict):
        raise invalid("/voice")
    for name, value in given.items():
        pointer = f"/voice/{name}"
        if name in FLAT:
            _check_value(name, FLAT[name], value, pointer)
        elif name in NESTED:
            _check_nested(name, value, pointer)
        else:
            raise bad_request("is not a known field", pointer)
    return given


def _check_nested(name: str, given: object, pointer: str) -> None:
    if not isinstance(given, dict):
        raise invalid(pointer)
    for key, value in given.items():
        if key not in NESTED[name]:
            raise bad_request("is not a known field", f"{pointer}/{key}")
        _check_value(key, NESTED[name][key], value, f"{pointer}/{key}")
    if name == "call_forwarding":
        _check_forwarding(given, pointer)
    if name == "cnam_listing":
        _check_cnam(given, pointer)


def _check_value(name: str, default: Value, value: object, pointer: str) -> None:
    wanted = bool if isinstance(default, bool) else str
    if not isinstance(value, wanted) or (name in CHOICES and value not in CHOICES[name]):
        raise invalid(pointer)


def _check_forwarding(given: JsonObject, pointer: str) -> None:
    """Blank means no forwarding; anything else must be +E.164."""
    target = given.get("forwards_to", "")
    if target and not E164.fullmatch(str(target)):
        raise invalid(f"{pointer}/forwards_to")


def _check_cnam(given: JsonObject, pointer: str) -> None:
    """Letters, digits and spaces, at most 15; listing and details need each other."""
    details = str(given.get("cnam_listing_details", ""))
    if len(details) > 15 or not all(mark.isalnum() or mark == " " for mark in details):
        raise invalid(f"{pointer}/cnam_listing_details")
    enabled = given.get("cnam_listing_enabled", False)
    if enabled and not details:
        raise invalid(f"{pointer}/cnam_listing_details")
    if details and not enabled:
        raise invalid(f"{pointer}/cnam_listing_enabled")
