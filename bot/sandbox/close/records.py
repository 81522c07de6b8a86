"""What the organization holds: numbers, users, groups; and the log of updates.

Records are mutable on purpose: a test changes one to play the part of somebody working in the app.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True, kw_only=True, eq=False)
class Number:
    """One phone number of the organization."""

    #: ``phon_`` and an opaque text.
    id: str
    number: str
    date_created: datetime
    date_updated: datetime
    #: The id of the user whose personal number it is; ``None`` makes it a group number.
    owner: str | None = None
    #: A rented number may come without one (``null``), whatever the schema says.
    label: str | None = ""
    forward_to: str | None = None
    forward_to_enabled: bool = False
    #: Seconds; ``None`` is Close's own default of 30.
    inbound_ring_duration: int | None = None
    #: User ids; group numbers only.
    participants: list[str] = field(default_factory=list)
    #: Group ids; group numbers only.
    participant_groups: list[str] = field(default_factory=list)
    #: External E.164 numbers that ring as well; group numbers only.
    phone_numbers: list[str] = field(default_factory=list)
    press_1_to_accept: bool = False
    voicemail_greeting_url: str | None = None
    type: str = "internal"
    carrier: str | None = None
    carrier_type: str | None = None
    country: str | None = "US"
    is_premium: bool = False
    is_verified: bool = True
    mms_enabled: bool = True
    sms_enabled: bool = True
    was_ported: bool = False
    address_id: str | None = None
    bundle_id: str | None = None
    last_billed_price: float | None = None
    next_billing_on: datetime | None = None
    #: Fields that the answers about this number leave out: not ``null``, not there.
    absent: set[str] = field(default_factory=set)
    #: Fields that no documentation has; answers show them all the same.
    undocumented: dict[str, object] = field(default_factory=dict)
    #: The number as it was before its latest update.
    before: Number | None = None

    @property
    def e164(self) -> str:
        """The number itself, by the name that all stand-ins have for it."""
        return self.number

    @property
    def is_group_number(self) -> bool:
        """Whether it is nobody's personal number."""
        return self.owner is None


@dataclass(slots=True, kw_only=True, eq=False)
class User:
    """A member of the organization."""

    #: ``user_`` and an opaque text.
    id: str
    email: str
    first_name: str
    last_name: str
    date_created: datetime
    image: str | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Group:
    """A named collection of users."""

    #: ``group_`` and an opaque text.
    id: str
    name: str
    #: User ids.
    members: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One update that took effect, whether or not its caller ever heard of it."""

    number: str
    #: What was set; without the settings that were silently dropped.
    settings: Mapping[str, object]
    at: datetime
