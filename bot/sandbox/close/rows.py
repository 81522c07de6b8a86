"""The rows that the endpoints return.

A field without a value is ``null`` or ``[]``, and those are two things; a field that is left out is a third. Which
optional fields are left out follows Close's own examples: one personal number by itself comes without its
participants, the numbers that ring with it and ``was_ported``, in the list it has them. The lists of users and
groups on a number come back sorted by id, as in the example of a group number; nothing promises their order.
"""

from __future__ import annotations

from datetime import UTC, datetime

import phonenumbers

from bot.sandbox.close.account import Account
from bot.sandbox.close.records import Group, Number, User
from bot.sandbox.provider.errors import JsonObject

#: Not required by the schema, so any answer may come without them.
OPTIONAL = frozenset(
    {
        "forward_to",
        "forward_to_enabled",
        "forward_to_formatted",
        "inbound_ring_duration",
        "participant_groups",
        "participants",
        "phone_numbers",
        "phone_numbers_formatted",
        "press_1_to_accept",
        "voicemail_greeting_url",
        "was_ported",
    },
)
#: Deprecated; Close says that they will be removed.
RETIRING = frozenset({"is_group_number", "user_id"})
_NOT_ALONE = frozenset({"participant_groups", "participants", "phone_numbers", "phone_numbers_formatted", "was_ported"})

NUMBER_FIELDS = (
    *sorted(OPTIONAL | RETIRING),
    *("address_id", "bundle_id", "carrier", "carrier_type", "country", "date_created", "date_updated", "id"),
    *("is_premium", "is_verified", "label", "last_billed_price", "mms_enabled", "next_billing_on", "number"),
    *("number_formatted", "organization_id", "sms_enabled"),
    *("supports_mms_to_countries", "supports_sms_to_countries", "type"),
)
GROUP_FIELDS = ("id", "members", "name", "organization_id")
ME_FIELDS = (
    *("date_created", "date_updated", "email", "email_accounts", "first_name", "id", "image", "last_name"),
    *("last_used_timezone", "memberships", "organizations", "phone_numbers"),
)


def iso(moment: datetime) -> str:
    """Format a moment as Close does: ISO 8601 with microseconds and the offset ``+00:00``."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def number_row(number: Number, account: Account) -> JsonObject:
    """Return a number with every field that this revision of the API has."""
    countries = ["CA", "US"]
    row: JsonObject = {
        "address_id": number.address_id,
        "bundle_id": number.bundle_id,
        "carrier": number.carrier,
        "carrier_type": number.carrier_type,
        "country": number.country,
        "date_created": iso(number.date_created),
        "date_updated": iso(number.date_updated),
        "forward_to": number.forward_to,
        "forward_to_enabled": number.forward_to_enabled,
        "forward_to_formatted": formatted(number.forward_to) if number.forward_to else None,
        "id": number.id,
        "inbound_ring_duration": number.inbound_ring_duration,
        "is_group_number": number.is_group_number,
        "is_premium": number.is_premium,
        "is_verified": number.is_verified,
        "label": number.label,
        "last_billed_price": number.last_billed_price,
        "mms_enabled": number.mms_enabled,
        "next_billing_on": iso(number.next_billing_on) if number.next_billing_on else None,
        "number": number.number,
        "number_formatted": formatted(number.number),
        "organization_id": account.organization_id,
        "participant_groups": sorted(number.participant_groups),
        "participants": sorted(number.participants),
        "phone_numbers": list(number.phone_numbers),
        "phone_numbers_formatted": [formatted(each) for each in number.phone_numbers],
        "press_1_to_accept": number.press_1_to_accept,
        "sms_enabled": number.sms_enabled,
        "supports_mms_to_countries": countries if number.mms_enabled else [],
        "supports_sms_to_countries": countries if number.sms_enabled else [],
        "type": number.type,
        "user_id": account.sole_member(number),
        "voicemail_greeting_url": number.voicemail_greeting_url,
        "was_ported": number.was_ported,
    }
    left_out = account.missing | number.absent
    return {name: value for name, value in row.items() if name not in left_out} | number.undocumented


def single_row(number: Number, account: Account) -> JsonObject:
    """Return a number as it comes by itself, from ``GET`` and ``PUT /phone_number/{id}/``."""
    left_out = frozenset() if number.is_group_number else _NOT_ALONE
    return {name: value for name, value in number_row(number, account).items() if name not in left_out}


def pick(row: JsonObject, fields: list[str] | None) -> JsonObject:
    """Return the fields of a row that ``_fields`` asks for, as far as they are there."""
    return row if fields is None else {name: row[name] for name in fields if name in row}


def user_row(user: User, account: Account) -> JsonObject:
    """Return a user as the user endpoints show it."""
    return {
        "date_created": iso(user.date_created),
        "date_updated": iso(user.date_created),
        "email": user.email,
        "first_name": user.first_name,
        "id": user.id,
        "image": user.image,
        "last_name": user.last_name,
        "organizations": [account.organization_id],
    }


def me_row(account: Account) -> JsonObject:
    """Return the acting user as ``GET /me/`` shows it; the membership does not tell who may manage numbers."""
    me = account.me
    membership: JsonObject = {
        "id": f"memb_{me.id.partition('_')[2]}",
        "organization_id": account.organization_id,
        "permissions_granted": ["bulk_edit", "export"],
        "user_id": me.id,
    }
    mine = [number for number in account.newest_first() if account.takes_part(me.id, number)]
    shown = ("date_created", "date_updated", "id", "number", "organization_id", "participant_groups")
    return user_row(me, account) | {
        "email_accounts": [],
        "last_used_timezone": "America/Denver",
        "memberships": [membership],
        "organizations": [{"id": account.organization_id, "name": "Sandbox"}],
        "phone_numbers": [pick(number_row(number, account), list(shown)) for number in mine],
    }


def group_row(group: Group, account: Account) -> JsonObject:
    """Return a group with everything that can be asked for."""
    return {
        "id": group.id,
        "members": [{"user_id": user} for user in group.members],
        "name": group.name,
        "organization_id": account.organization_id,
    }


def formatted(number: str) -> str:
    """Return an E.164 number with the national grouping: ``+1 303-555-0100``."""
    return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
