"""What the account holds: numbers, connections, billing groups, addresses.

Records are mutable on purpose: a test changes one to play the part of somebody working in the portal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bot.sandbox.telnyx.voice import Voice

#: Numbers in another state can be neither verified nor changed. The names are the documented statuses; that
#: it is these two is a reading (providers/telnyx/API.md, "Ownership check").
EDITABLE = frozenset({"active", "port-pending"})

STATUSES = frozenset(
    {
        "purchase-pending",
        "purchase-failed",
        "port-pending",
        "port-failed",
        "active",
        "deleted",
        "emergency-only",
        "ported-out",
        "port-out-pending",
        "requirement-info-pending",
        "requirement-info-under-review",
        "requirement-info-exception",
        "provision-pending",
    },
)


@dataclass(slots=True, kw_only=True, eq=False)
class Number:
    """One phone number of the account."""

    #: An int64, written as a string.
    id: str
    phone_number: str
    created_at: datetime
    purchased_at: datetime
    updated_at: datetime
    activated_at: datetime | None = None
    status: str = "active"
    tags: list[str] = field(default_factory=list)
    connection_id: str | None = None
    billing_group_id: str | None = None
    customer_reference: str | None = None
    #: The port-out PIN. Telnyx returns it in clear, so the stand-in does as well.
    external_pin: str | None = None
    hd_voice_enabled: bool = False
    deletion_lock_enabled: bool = False
    emergency_enabled: bool = False
    emergency_address_id: str | None = None
    emergency_status: str = "disabled"
    voice: Voice = field(default_factory=Voice)
    country_iso_alpha2: str = "US"
    phone_number_type: str = "local"
    source_type: str | None = "number_order"
    messaging_profile_id: str | None = None
    messaging_profile_name: str | None = None
    #: Only the filter ``has_bundle`` of jobs and downloads sees this; no list shows it.
    has_bundle: bool = False

    @property
    def e164(self) -> str:
        """The number itself, by the name that all stand-ins have for it."""
        return self.phone_number

    def value(self, path: str) -> object:
        """Return the value at a dotted field path such as ``voice.call_forwarding.forwards_to``."""
        found: object = self
        for part in path.split("."):
            found = found[part] if isinstance(found, dict) else getattr(found, part)
        return found

    def put(self, path: str, value: object) -> None:
        """Set the value at a dotted field path."""
        parent, _, leaf = path.rpartition(".")
        holder = self.value(parent) if parent else self
        if isinstance(holder, dict):
            holder[leaf] = value
        else:
            setattr(holder, leaf, value)


@dataclass(slots=True, kw_only=True, eq=False)
class Connection:
    """A connection (a trunk, an app, …) that numbers can be routed to."""

    id: str
    connection_name: str
    created_at: datetime
    record_type: str = "ip_connection"
    active: bool = True
    tags: list[str] = field(default_factory=list)
    fqdn: str | None = None
    outbound_voice_profile_id: str | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class BillingGroup:
    """A billing group."""

    #: A UUID.
    id: str
    name: str
    created_at: datetime


@dataclass(slots=True, kw_only=True, eq=False)
class Address:
    """A postal address, which may serve as an emergency address."""

    #: An int64, written as a string.
    id: str
    created_at: datetime
    street_address: str
    locality: str = "Denver"
    administrative_area: str = "CO"
    postal_code: str = "80202"
    country_code: str = "US"
    extended_address: str | None = None
    business_name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    customer_reference: str | None = None
    address_book: bool = True
    #: No answer shows this; enabling emergency services with a bad address fails for every number.
    valid_for_emergency: bool = True
