"""What an update job does to the settings of a number."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx
import pytest

from bot.sandbox.telnyx import TelnyxStandIn

UPDATE = "update_phone_numbers"

Create = Callable[..., Awaitable[httpx.Response]]


async def test_every_setting_is_applied(telnyx: TelnyxStandIn, client: httpx.AsyncClient, create: Create) -> None:
    """After the job the number's rows show all that was asked for."""
    number = telnyx.add_number("+13035550100", tags=["old"])
    connection = telnyx.add_connection("Denver PBX")
    group = telnyx.add_billing_group("West")
    plain = {
        "tags": ["new", "vip"],
        "external_pin": "9876",
        "customer_reference": "REF",
        "connection_id": connection.id,
        "billing_group_id": group.id,
        "hd_voice_enabled": True,
        "deletion_lock_enabled": True,
    }
    voice = {
        "tech_prefix_enabled": True,
        "translated_number": "+13035559999",
        "usage_payment_method": "channel",
        "inbound_call_screening": "flag_calls",
        "call_forwarding": {
            "call_forwarding_enabled": False,
            "forwards_to": "+13035559123",
            "forwarding_type": "on-failure",
        },
        "cnam_listing": {"cnam_listing_enabled": True, "cnam_listing_details": "Acme 24"},
        "media_features": {
            "rtp_auto_adjust_enabled": False,
            "accept_any_rtp_packets_enabled": True,
            "t38_fax_gateway_enabled": True,
        },
        "call_recording": {
            "inbound_call_recording_enabled": True,
            "inbound_call_recording_format": "mp3",
            "inbound_call_recording_channels": "dual",
        },
    }

    response = await create(
        UPDATE,
        {"phone_numbers": [number.id], **plain, "voice": {**voice, "caller_id_name_enabled": True}},
    )
    telnyx.advance(10)
    row = (await client.get(f"/phone_numbers/{number.id}")).json()["data"]
    voice_row = (await client.get(f"/phone_numbers/{number.id}/voice")).json()["data"]

    assert response.status_code == 202
    derived = {
        "connection_name": "Denver PBX",
        "call_forwarding_enabled": False,
        "cnam_listing_enabled": True,
        "caller_id_name_enabled": True,
        "call_recording_enabled": True,
        "t38_fax_gateway_enabled": True,
        "inbound_call_screening": "flag_calls",
    }
    assert plain | derived == {name: row[name] for name in plain | derived}
    assert voice == {name: voice_row[name] for name in voice}


async def test_a_partly_filled_nested_object_resets_its_siblings(telnyx: TelnyxStandIn, create: Create) -> None:
    """Missing fields of a nested voice object go to their defaults; fields beside it stay."""
    number = telnyx.add_number(
        "+13035550100",
        voice={
            "usage_payment_method": "channel",
            "call_forwarding": {"call_forwarding_enabled": False, "forwarding_type": "on-failure"},
            "media_features": {"t38_fax_gateway_enabled": True},
        },
    )

    await create(
        UPDATE,
        {"phone_numbers": [number.id], "voice": {"call_forwarding": {"forwards_to": "+13035559123"}}},
    )
    telnyx.advance(10)

    voice = telnyx.number(number.id).voice
    assert voice.call_forwarding == {
        "call_forwarding_enabled": True,
        "forwards_to": "+13035559123",
        "forwarding_type": None,
    }
    assert voice.media_features["t38_fax_gateway_enabled"]
    assert voice.usage_payment_method == "channel"


async def test_empty_texts_clear_and_tags_replace(telnyx: TelnyxStandIn, create: Create) -> None:
    """An empty text clears a reference, and an empty list leaves no tag."""
    connection = telnyx.add_connection("Denver PBX")
    number = telnyx.add_number(
        "+13035550100",
        tags=["a", "b"],
        connection_id=connection.id,
        customer_reference="R",
        external_pin="1",
    )

    cleared = {"connection_id": "", "customer_reference": "", "external_pin": "", "tags": []}
    await create(UPDATE, {"phone_numbers": [number.id], **cleared})
    telnyx.advance(10)
    telnyx.number(number.id)

    found = (number.connection_id, number.customer_reference, number.external_pin, number.tags)
    assert found == (None, None, None, [])


async def test_tags_keep_the_casing_of_their_first_use(telnyx: TelnyxStandIn, create: Create) -> None:
    """A tag that somebody used before comes back in that spelling, and only once."""
    telnyx.add_number("+13035550100", tags=["VIP"])
    number = telnyx.add_number("+13035550101")

    await create(UPDATE, {"phone_numbers": [number.id], "tags": ["vip", "Vip", "new"]})
    telnyx.advance(10)

    assert telnyx.number(number.id).tags == ["VIP", "new"]


async def test_the_last_writer_wins(telnyx: TelnyxStandIn, create: Create) -> None:
    """Of two jobs over one number, the one that gets to it last leaves its mark."""
    number = telnyx.add_number("+13035550100")
    await create(UPDATE, {"phone_numbers": [number.id], "customer_reference": "slow"})
    telnyx.job_seconds = 2
    await create(UPDATE, {"phone_numbers": [number.id], "customer_reference": "quick"})

    telnyx.advance(20)

    assert telnyx.number(number.id).customer_reference == "slow"


async def test_a_number_that_is_not_there_is_a_key_error(telnyx: TelnyxStandIn) -> None:
    """Asking the stand-in for a number that it does not have names the number."""
    with pytest.raises(KeyError, match=r"\+13035550100"):
        telnyx.number("+13035550100")
