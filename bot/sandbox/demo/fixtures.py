"""The fixtures of the second act: a sales team at Close that gets one more colleague."""

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
class DemoFixtures:
    """What is at Close before the act begins."""

    close: CloseStandIn
    #: The E.164 numbers of the team.
    chosen: tuple[str, ...]
    #: Who is to ring with them.
    colleague: User
    before: Truth


@dataclass(frozen=True, kw_only=True)
class FixturesSeen:
    """What Close saw, and what became of the numbers."""

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


def furnish_demo(close: CloseStandIn) -> DemoFixtures:
    """Fill the organization."""
    team = furnish(close, shared=SHARED)
    close.group_limits["PUT /phone_number/{id}/"] = RateLimit(LIMIT)
    return DemoFixtures(
        close=close,
        chosen=tuple(number.number for number in team.shared if TEAM in str(number.label)),
        colleague=next(user for user in team.users if user.first_name == "Dev"),
        before=close.truth(),
    )


def look(team: DemoFixtures, approved: Delivery) -> FixturesSeen:
    """Return what is to be judged."""
    return FixturesSeen(
        chosen=team.chosen,
        colleague=team.colleague.id,
        before=team.before,
        after=team.close.truth(),
        updates=team.close.updates,
        calls=team.close.calls,
        approved=approved,
    )
