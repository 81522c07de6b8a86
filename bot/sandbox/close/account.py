"""The organization: its numbers, users and groups, and what the acting user may do."""

from __future__ import annotations

import string
from collections.abc import Iterable
from hashlib import sha256
from itertools import count

from bot.sandbox.close.query import Paging
from bot.sandbox.close.records import Group, Number, User
from bot.sandbox.provider.account import ProviderAccount
from bot.sandbox.provider.clock import Clock

_DIGITS = string.digits + string.ascii_letters


class Account(ProviderAccount[Number]):
    """Holds the records, and finds numbers by id or E.164.

    Attributes:
        me: the user to whom the credentials belong.
        may_manage: whether that user's role has the permission to change numbers of the organization.
        permission: what a refusal calls that permission. Close has changed the name before.
        missing: fields that this revision of the API does not have: no answer shows them, no update takes them,
            no list filters by them.
        paging: how lists are cut into pages.

    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._ids = count(1)
        self.organization_id = self.new_id("orga")
        self.users: dict[str, User] = {}
        self.groups: dict[str, Group] = {}
        self.missing: set[str] = set()
        self.paging = Paging()
        self.may_manage = True
        self.permission = "Manage Team Phone Numbers"
        self.me = User(
            id=self.new_id("user"),
            email="linesman@example.com",
            first_name="Line",
            last_name="Robot",
            date_created=clock.now(),
        )
        self.users[self.me.id] = self.me

    def new_id(self, kind: str) -> str:
        """Return the next id of a kind: opaque, and the same in every run."""
        seed = int.from_bytes(sha256(f"{kind} {next(self._ids)}".encode()).digest(), "big")
        text = ""
        while len(text) < 43:
            seed, digit = divmod(seed, len(_DIGITS))
            text += _DIGITS[digit]
        return f"{kind}_{text}"

    def newest_first(self) -> list[Number]:
        """Return all numbers, as reads see them, in the order of the list.

        The order is not documented: the newest comes first, as in Close's example.
        """
        newest_last = (self.seen(number) for number in reversed(self.numbers.values()))
        return sorted(newest_last, key=lambda number: number.date_created, reverse=True)

    def seen(self, number: Number) -> Number:
        """Return the number as reads see it: as it was before, while the latest update is younger than the lag.

        A third party measured such a lag with leads: a GET right after a DELETE still found one.
        """
        age = (self.clock.now() - number.date_updated).total_seconds()
        return number if number.before is None or age >= self.read_lag else number.before

    def sole_member(self, number: Number) -> str | None:
        """Return the id of the only user on a number, or None when there are more, or groups, or nobody."""
        if number.owner is not None:
            return number.owner
        alone = len(number.participants) == 1 and not number.participant_groups
        return number.participants[0] if alone else None

    def takes_part(self, user_id: str, number: Number) -> bool:
        """Tell whether a user is on a number, by itself or through a group.

        That groups count is our reading of "every number the user participates in"; it returns more.
        """
        return (
            user_id == number.owner
            or user_id in number.participants
            or any(user_id in self.groups[group].members for group in number.participant_groups)
        )

    def strange_user(self, ids: Iterable[str]) -> str | None:
        """Return the first id that is no user's, if there is one."""
        return next((each for each in ids if each not in self.users), None)

    def strange_group(self, ids: Iterable[str]) -> str | None:
        """Return the first id that is no group's, if there is one."""
        return next((each for each in ids if each not in self.groups), None)
