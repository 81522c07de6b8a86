"""The office of the second act: a sales team at Close that gets one more colleague."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.sandbox.close import Call, CloseStandIn, RateLimit, Update, User, furnish
from bot.sandbox.slack import Delivery

#: Numbers of both teams; every other one is of Sales.
SHARED: Final = 80
#: Updates that Close takes in a second.
LIMIT: Final = 30
#: What the numbers of the team have in their label.
TEAM: Final = "Sales"

#: E.164 -> field -> value.
Truth = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True, kw_only=True)
class Office:
    """What is at Close before the act begins."""

    close: CloseStandIn
    #: The E.164 numbers of the team.
    chosen: tuple[str, ...]
    #: Who is to ring with them.
    colleague: User
    before: Truth


@dataclass(frozen=True, kw_only=True)
class OfficeSeen:
    """What Close saw, and what became of the office."""

    chosen: tuple[str, ...]
    colleague: str
    before: Truth
    after: Truth
    updates: Sequence[Update]
    calls: Sequence[Call]
    approved: Delivery


def stand_in_for_close() -> CloseStandIn:
    """Return an empty organization, with a key that exists for this story only."""
    return CloseStandIn(api_key=f"api_{secrets.token_hex(16)}")


def furnish_office(close: CloseStandIn) -> Office:
    """Fill the organization."""
    office = furnish(close, shared=SHARED)
    close.group_limits["PUT /phone_number/{id}/"] = RateLimit(LIMIT)
    return Office(
        close=close,
        chosen=tuple(number.number for number in office.shared if TEAM in str(number.label)),
        colleague=next(user for user in office.users if user.first_name == "Dev"),
        before=close.truth(),
    )


def look(office: Office, approved: Delivery) -> OfficeSeen:
    """Return what is to be judged."""
    return OfficeSeen(
        chosen=office.chosen,
        colleague=office.colleague.id,
        before=office.before,
        after=office.close.truth(),
        updates=office.close.updates,
        calls=office.close.calls,
        approved=approved,
    )
