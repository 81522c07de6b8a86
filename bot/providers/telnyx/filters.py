"""The filters for numbers at Telnyx, in one table.

They are those of ``GET /phone_numbers``, plus one of CSV downloads, with their documented limits. ``search.py`` has how
each is requested, and what proves that Telnyx applied it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bot.changes.model.filter_fields import FilterField
from bot.changes.model.settings import Choice, Shape
from bot.providers.listing import digits

_STATUSES: Final = (
    Choice("active", "Active"),
    Choice("purchase-pending", "Purchase pending"),
    Choice("purchase-failed", "Purchase failed"),
    Choice("port-pending", "Port pending"),
    Choice("port-failed", "Port failed"),
    Choice("port-out-pending", "Port out pending"),
    Choice("ported-out", "Ported out"),
    Choice("emergency-only", "Emergency only"),
    Choice("deleted", "Deleted"),
)
_NUMBER_TYPES: Final = (
    Choice("local", "Local"),
    Choice("national", "National"),
    Choice("toll_free", "Toll-free"),
    Choice("mobile", "Mobile"),
    Choice("shared_cost", "Shared cost"),
)

FILTERS: Final = (
    FilterField(
        name="tag",
        label="Tag",
        only="with the tag",
        shape=Shape.LOOKUP,
        lookup="tags",
        help="Numbers that have this tag among theirs.",
    ),
    FilterField(
        name="connection_id",
        label="Connection",
        shape=Shape.LOOKUP,
        lookup="connection_id",
        help="Numbers whose inbound calls are delivered here.",
    ),
    digits("phone_number"),
    FilterField(name="status", label="Status", shape=Shape.CHOICE, choices=_STATUSES, help="Numbers in this state."),
    FilterField(
        name="billing_group_id",
        label="Billing group",
        shape=Shape.LOOKUP,
        lookup="billing_group_id",
        none=True,
        help="Numbers whose charges are reported under this group, or under none.",
    ),
    FilterField(
        name="emergency_address_id",
        label="Emergency address",
        shape=Shape.LOOKUP,
        lookup="emergency_address_id",
        none=True,
        help="Numbers whose emergency calls are sent to this address, or that have none.",
    ),
    FilterField(
        name="customer_reference",
        label="Customer reference",
        shape=Shape.TEXT,
        help="Your own reference, in full.",
    ),
    FilterField(
        name="voice.connection_name",
        label="Connection name",
        shape=Shape.TEXT,
        operators=("eq", "contains", "starts_with", "ends_with"),
        min_length=3,
        help="The name of the connection, or three or more characters of it.",
    ),
    FilterField(
        name="voice.usage_payment_method",
        label="Usage billing",
        shape=Shape.CHOICE,
        choices=(Choice("pay-per-minute", "Per minute"), Choice("channel", "Channels")),
        help="Numbers that are paid for in this way.",
    ),
    FilterField(
        name="country_iso_alpha2",
        label="Country",
        shape=Shape.TEXT,
        several=True,
        capitals=True,
        pattern="[A-Z]{2}",
        pattern_help="takes country codes of two letters, such as US, CA",
        help="One or several country codes, such as US, CA.",
    ),
    FilterField(
        name="number_type",
        label="Number type",
        shape=Shape.CHOICE,
        choices=_NUMBER_TYPES,
        help="Numbers of this type.",
    ),
    FilterField(
        name="source",
        label="Source",
        only="with this source",
        shape=Shape.CHOICE,
        choices=(Choice("ported", "Ported in"), Choice("purchased", "Bought from Telnyx")),
        help="How the numbers came into the account.",
    ),
    FilterField(
        name="without_tags",
        label="Without tags",
        only="without any tag",
        shape=Shape.BOOL,
        choices=(Choice("true", "Yes"),),
        help="Numbers that have no tag at all.",
    ),
    FilterField(
        name="has_bundle",
        label="Has bundle",
        only="with a bundle",
        shape=Shape.BOOL,
        # Its accepted values are not documented; "true" is the one that its description, "have bundles", implies.
        choices=(Choice("true", "Yes"),),
        help="Numbers that are part of a bundle.",
    ),
)

#: The same, except that the update job also accepts one of them: only it finds the numbers of a bundle.
UPDATE_FILTERS: Final = tuple(replace(each, can_be_handed=each.name == "has_bundle") for each in FILTERS)
