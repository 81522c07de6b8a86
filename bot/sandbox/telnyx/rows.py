"""The rows that the endpoints return, with every field that Telnyx's OpenAPI document has.

The document is that of providers/telnyx/API.md, "Sources". A field without a value is ``null`` (also where the
schema forgot to call it nullable: the slim and the voice rows) and never left out.
"""

from __future__ import annotations

from bot.sandbox.provider.errors import JsonObject
from bot.sandbox.telnyx.account import Account
from bot.sandbox.telnyx.answers import iso
from bot.sandbox.telnyx.records import Address, BillingGroup, Connection, Number


def slim_row(number: Number) -> JsonObject:
    """Return a number as ``GET /phone_numbers/slim`` shows it."""
    voice = number.voice
    return {
        "id": number.id,
        "record_type": "phone_number_slim",
        "phone_number": number.phone_number,
        "country_iso_alpha2": number.country_iso_alpha2,
        "status": number.status,
        "connection_id": number.connection_id,
        "customer_reference": number.customer_reference,
        "external_pin": number.external_pin,
        "billing_group_id": number.billing_group_id,
        "emergency_enabled": number.emergency_enabled,
        "emergency_address_id": number.emergency_address_id,
        "emergency_status": number.emergency_status,
        "call_forwarding_enabled": voice.call_forwarding["call_forwarding_enabled"],
        "cnam_listing_enabled": voice.cnam_listing["cnam_listing_enabled"],
        "caller_id_name_enabled": voice.caller_id_name_enabled,
        "call_recording_enabled": voice.call_recording["inbound_call_recording_enabled"],
        "t38_fax_gateway_enabled": voice.media_features["t38_fax_gateway_enabled"],
        "hd_voice_enabled": number.hd_voice_enabled,
        "inbound_call_screening": voice.inbound_call_screening,
        "phone_number_type": number.phone_number_type,
        "purchased_at": iso(number.purchased_at),
        "activated_at": iso(number.activated_at) if number.activated_at else None,
        "created_at": iso(number.created_at),
        "updated_at": iso(number.updated_at),
    }


def detailed_row(number: Number, account: Account) -> JsonObject:
    """Return a number as ``GET /phone_numbers`` and ``GET /phone_numbers/{id}`` show it."""
    return {
        **slim_row(number),
        "record_type": "phone_number",
        "tags": list(number.tags),
        "connection_name": account.connection_name(number),
        "messaging_profile_id": number.messaging_profile_id,
        "messaging_profile_name": number.messaging_profile_name,
        "deletion_lock_enabled": number.deletion_lock_enabled,
        "source_type": number.source_type,
    }


def voice_row(number: Number) -> JsonObject:
    """Return a number as the voice endpoints show it; ``caller_id_name_enabled`` is not among the fields."""
    voice = number.voice
    return {
        "id": number.id,
        "record_type": "voice_settings",
        "phone_number": number.phone_number,
        "connection_id": number.connection_id,
        "customer_reference": number.customer_reference,
        "tech_prefix_enabled": voice.tech_prefix_enabled,
        "translated_number": voice.translated_number,
        "usage_payment_method": voice.usage_payment_method,
        "inbound_call_screening": voice.inbound_call_screening,
        "call_forwarding": dict(voice.call_forwarding),
        "cnam_listing": dict(voice.cnam_listing),
        "media_features": dict(voice.media_features),
        "call_recording": dict(voice.call_recording),
        "emergency": {
            "emergency_enabled": number.emergency_enabled,
            "emergency_address_id": number.emergency_address_id,
            "emergency_status": number.emergency_status,
        },
    }


def connection_row(connection: Connection) -> JsonObject:
    """Return a connection as the connection endpoints show it."""
    return {
        "id": connection.id,
        "record_type": connection.record_type,
        "connection_name": connection.connection_name,
        "active": connection.active,
        "anchorsite_override": "Latency",
        "outbound_voice_profile_id": connection.outbound_voice_profile_id,
        "tags": list(connection.tags),
        "webhook_api_version": "1",
        "webhook_event_url": None,
        "webhook_event_failover_url": "",
        "created_at": iso(connection.created_at),
        "updated_at": iso(connection.created_at),
    }


def billing_group_row(group: BillingGroup) -> JsonObject:
    """Return a billing group as the billing group endpoints show it."""
    return {
        "id": group.id,
        "record_type": "billing_group",
        "organization_id": "f1486bae-f067-460c-ad43-73a92848f902",
        "name": group.name,
        "created_at": iso(group.created_at),
        "updated_at": iso(group.created_at),
        "deleted_at": None,
    }


def address_row(address: Address) -> JsonObject:
    """Return an address as the address endpoints show it; nothing says whether it suits emergencies."""
    return {
        "id": address.id,
        "record_type": "address",
        "customer_reference": address.customer_reference,
        "first_name": address.first_name,
        "last_name": address.last_name,
        "business_name": address.business_name,
        "phone_number": None,
        "street_address": address.street_address,
        "extended_address": address.extended_address,
        "locality": address.locality,
        "administrative_area": address.administrative_area,
        "neighborhood": None,
        "borough": None,
        "postal_code": address.postal_code,
        "country_code": address.country_code,
        "address_book": address.address_book,
        "validate_address": True,
        "created_at": iso(address.created_at),
        "updated_at": iso(address.created_at),
    }
