"""From rows to values."""

from __future__ import annotations

from typing import Any

import pytest

from bot.changes.model.encryption import Encryption
from bot.changes.model.kinds import Kind
from bot.changes.model.values import Secret, Value
from bot.providers.telnyx.values import Source, fields, sources, values

#: A row of ``GET /phone_numbers`` as documented.
DETAIL: dict[str, Any] = {
    "activated_at": "2019-10-23T18:10:00.000Z",
    "billing_group_id": "86f58db9-0fe3-4adc-9d1f-46e66e6e9323",
    "call_forwarding_enabled": True,
    "call_recording_enabled": True,
    "caller_id_name_enabled": True,
    "cnam_listing_enabled": True,
    "connection_id": "1293384261075731499",
    "connection_name": "connection-name",
    "country_iso_alpha2": "US",
    "created_at": "2019-10-23T18:10:00.000Z",
    "customer_reference": "customer-reference",
    "deletion_lock_enabled": False,
    "emergency_address_id": "1315261609962112019",
    "emergency_enabled": True,
    "emergency_status": "active",
    "external_pin": "4711",
    "hd_voice_enabled": True,
    "id": "1293384261075731499",
    "inbound_call_screening": "disabled",
    "phone_number": "+19705555098",
    "phone_number_type": "local",
    "record_type": "phone_number",
    "source_type": "number_order",
    "status": "active",
    "t38_fax_gateway_enabled": True,
    "tags": ["tag_1", "tag_2"],
}
#: A row of ``GET /phone_numbers/voice`` as documented.
VOICE: dict[str, Any] = {
    "call_forwarding": {
        "call_forwarding_enabled": True,
        "forwarding_type": "always",
        "forwards_to": "+13035559123",
    },
    "call_recording": {
        "inbound_call_recording_channels": "single",
        "inbound_call_recording_enabled": True,
        "inbound_call_recording_format": "wav",
    },
    "cnam_listing": {"cnam_listing_details": "example", "cnam_listing_enabled": True},
    "connection_id": "1d0e6cb8-8668-462e-94c6-49ae0f0ed48b",
    "customer_reference": "customer-reference",
    "emergency": {
        "emergency_address_id": "1315261609962112019",
        "emergency_enabled": True,
        "emergency_status": "active",
    },
    "id": "1293384261075731499",
    "inbound_call_screening": "disabled",
    "media_features": {
        "accept_any_rtp_packets_enabled": True,
        "rtp_auto_adjust_enabled": True,
        "t38_fax_gateway_enabled": True,
    },
    "record_type": "voice_settings",
    "tech_prefix_enabled": False,
    "translated_number": "+13035559999",
    "usage_payment_method": "pay-per-minute",
}
FORWARDS_TO = "voice.call_forwarding.forwards_to"


def test_both_documented_rows_together_hold_every_setting(settings_kind: Kind, encryption: Encryption) -> None:
    """No setting of the kind is without a value in the documented rows, and the PIN is sealed."""
    names = [setting.name for setting in settings_kind.settings]

    found = values(DETAIL, fields(Source.DETAIL, names, settings_kind), encryption) | values(
        VOICE, fields(Source.VOICE, names, settings_kind), encryption
    )

    assert {name for name in names if found.get(name) is None} == set()
    assert found["tags"] == ("tag_1", "tag_2")
    assert found["connection_id"] == "1293384261075731499"
    assert found["voice.caller_id_name_enabled"] is True
    assert found[FORWARDS_TO] == "+13035559123"
    assert isinstance(found["external_pin"], Secret)
    assert "4711" not in repr(found)


def test_the_emergency_settings_are_in_the_detail(emergency_kind: Kind) -> None:
    """Both emergency settings come from the detail row, and are None when it lacks them."""
    names = ["emergency_enabled", "emergency_address_id"]

    assert sources(names) == (Source.DETAIL,)
    assert values(DETAIL, fields(Source.DETAIL, names, emergency_kind), None) == {
        "emergency_enabled": True,
        "emergency_address_id": "1315261609962112019",
    }
    assert values({}, fields(Source.DETAIL, names, emergency_kind), None) == dict.fromkeys(names)


@pytest.mark.parametrize(
    ("names", "needed"),
    [
        pytest.param([], (), id="nothing"),
        pytest.param(["tags", "external_pin"], (Source.DETAIL,), id="detail"),
        pytest.param([FORWARDS_TO], (Source.VOICE,), id="voice"),
        pytest.param(["voice.caller_id_name_enabled"], (Source.DETAIL,), id="caller-id-is-only-in-detail"),
        pytest.param(["voice.inbound_call_screening", "tags"], (Source.DETAIL,), id="screening-is-in-both"),
        pytest.param(["customer_reference", FORWARDS_TO], (Source.VOICE,), id="reference-is-in-both"),
        pytest.param(["connection_id", FORWARDS_TO], (Source.DETAIL, Source.VOICE), id="connection-and-voice"),
        pytest.param(
            ["voice.caller_id_name_enabled", "voice.tech_prefix_enabled"], (Source.DETAIL, Source.VOICE), id="two"
        ),
    ],
)
def test_the_fewest_lists_are_read(names: list[str], needed: tuple[Source, ...]) -> None:
    """One list is enough whenever one of them holds everything."""
    assert sources(names) == needed


@pytest.mark.parametrize(
    ("row", "name", "value"),
    [
        pytest.param({"tags": []}, "tags", (), id="no-tags"),
        pytest.param({"tags": None}, "tags", None, id="tags-null"),
        pytest.param({"connection_id": 12}, "connection_id", "12", id="id-as-integer"),
        pytest.param({"connection_id": ""}, "connection_id", None, id="blank-id"),
        pytest.param({"customer_reference": None}, "customer_reference", None, id="null"),
        pytest.param({}, "customer_reference", None, id="absent"),
        pytest.param({"external_pin": None}, "external_pin", None, id="no-pin"),
        pytest.param({"external_pin": ""}, "external_pin", None, id="blank-pin"),
        pytest.param({"hd_voice_enabled": False}, "hd_voice_enabled", False, id="off"),
        pytest.param({"hd_voice_enabled": None}, "hd_voice_enabled", None, id="switch-null"),
    ],
)
def test_what_is_not_set_is_none(
    settings_kind: Kind, encryption: Encryption, row: dict[str, Any], name: str, value: Value
) -> None:
    """Blank, null and absent all mean "not set"; off and an empty list are values."""
    assert values(row, fields(Source.DETAIL, [name], settings_kind), encryption) == {name: value}


@pytest.mark.parametrize(
    ("row", "value"),
    [
        pytest.param({"call_forwarding": {"forwards_to": ""}}, "", id="blank"),
        pytest.param({"call_forwarding": {"forwards_to": None}}, "", id="null"),
        pytest.param({"call_forwarding": {}}, "", id="absent"),
        pytest.param({"call_forwarding": None}, None, id="no-object"),
        pytest.param({}, None, id="nothing"),
    ],
)
def test_an_emptied_forwarding_reads_back_as_empty(settings_kind: Kind, row: dict[str, Any], value: Value) -> None:
    """However Telnyx writes an empty target, it equals the empty value that was sent."""
    assert values(row, fields(Source.VOICE, [FORWARDS_TO], settings_kind), None) == {FORWARDS_TO: value}
