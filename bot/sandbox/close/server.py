"""The stand-in itself, and the handles by which a test plays the rest of Close's world."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Unpack

from bot.sandbox.close.account import Account
from bot.sandbox.close.behaviour import Behaviour, Drop, Failure
from bot.sandbox.close.bodies import SETTINGS
from bot.sandbox.close.errors import at_path, invalid, refused
from bot.sandbox.close.faults import REFUSALS
from bot.sandbox.close.lookups import LookupRoutes
from bot.sandbox.close.middleware import Middleware
from bot.sandbox.close.number_routes import NumberRoutes
from bot.sandbox.close.query import Caps, Paging
from bot.sandbox.close.rates import RateLimit
from bot.sandbox.close.records import Group, Number, Update, User
from bot.sandbox.close.registration import NumberFields, register
from bot.sandbox.close.rows import number_row
from bot.sandbox.provider.account import consecutive
from bot.sandbox.provider.clock import Clock, utc_now
from bot.sandbox.provider.server import ProviderStandIn


class CloseStandIn(ProviderStandIn[Number]):
    """Behaves as Close's v1 API for the endpoints that read and update phone numbers.

    Use it as an async context manager; then ``url`` is the base to give to a client.

    Args:
        api_key: the key that callers send as the user of HTTP Basic, with an empty password.
        access_token: the OAuth token that they may send as a bearer instead.
        clock: the source of the time; real UTC by default. ``advance`` works on top of either.
        port: the loopback port; 0 takes a free one.
        caps: the largest ``_limit`` and ``_skip`` of the lists.

    """

    def __init__(
        self,
        *,
        api_key: str = "api_0123456789",
        access_token: str = "oauth_0123456789",  # noqa: S107 - it opens nothing but this stand-in
        clock: Callable[[], datetime] = utc_now,
        port: int = 0,
        caps: Caps | None = None,
    ) -> None:
        self.api_key = api_key
        self.access_token = access_token
        caps = caps or Caps()
        time = Clock(clock)
        self._account = Account(time)
        self._behaviour = Behaviour(self._account)
        self._middleware = Middleware(api_key, access_token, time)
        self._number_routes = NumberRoutes(self._account, self._behaviour, caps)
        lookups = LookupRoutes(self._account, caps)
        super().__init__(
            clock=time,
            account=self._account,
            middleware=self._middleware,
            routes=[*self._number_routes.routes(), *lookups.routes()],
            port=port,
        )

    @property
    def me(self) -> User:
        """The user to whom both credentials belong."""
        return self._account.me

    def truth(self) -> dict[str, dict[str, object]]:
        """Return a copy of every number's fields, by E.164, as they are and whatever any answer said.

        ``date_updated`` is left out: two truths are equal when nothing that matters has changed.
        """
        return {
            number.number: {
                name: value for name, value in number_row(number, self._account).items() if name != "date_updated"
            }
            for number in self._account.numbers.values()
        }

    def add_number(self, number: str, **given: Unpack[NumberFields]) -> Number:
        """Give the organization a number; a ``ValueError`` says what is wrong with it."""
        return register(self._account, number, given)

    def add_numbers(self, count: int, *, start: str, **given: Unpack[NumberFields]) -> list[Number]:
        """Give the organization ``count`` consecutive numbers from ``start`` on, all with the same fields."""
        return [self.add_number(number, **given) for number in consecutive(count, start=start)]

    def add_user(
        self,
        first_name: str,
        last_name: str,
        *,
        id: str | None = None,  # noqa: A002 - it is the field's own name
        email: str | None = None,
    ) -> User:
        """Give the organization a user."""
        user = User(
            id=id or self._account.new_id("user"),
            email=email or f"{first_name}.{last_name}@example.com".lower(),
            first_name=first_name,
            last_name=last_name,
            date_created=self._clock.now(),
        )
        self._account.users[user.id] = user
        return user

    def add_group(
        self,
        name: str,
        *,
        id: str | None = None,  # noqa: A002 - it is the field's own name
        members: Iterable[str] = (),
    ) -> Group:
        """Give the organization a group of users, whose ids ``members`` are.

        Raises:
            ValueError: for a name that is taken, or a member who is no user.

        """
        members = list(members)
        if (stranger := self._account.strange_user(members)) is not None:
            raise ValueError(f"the stand-in does not know {stranger!r}; add it first")
        if any(group.name == name for group in self._account.groups.values()):
            raise ValueError(f"the stand-in already has a group {name!r}")
        group = Group(id=id or self._account.new_id("group"), name=name, members=members)
        self._account.groups[group.id] = group
        return group

    def names(self) -> dict[str, str]:
        """Return what ids of users and groups stand for."""
        users = {each.id: f"{each.first_name} {each.last_name}" for each in self._account.users.values()}
        return users | {each.id: each.name for each in self._account.groups.values()}

    def permit(self, *, manage: bool, permission: str | None = None) -> None:
        """Say whether the acting user may manage the organization's numbers, and what refusals call that."""
        self._account.may_manage = manage
        if permission is not None:
            self._account.permission = permission

    def fail(
        self,
        key: str,
        *,
        field: str | None = None,
        text: str = "This value is not allowed.",
        status: int = 400,
        times: int | None = None,
    ) -> None:
        """Let updates of a number (E.164 or id) be refused; ``times=None`` means always.

        A 400 carries ``text`` at the dotted path ``field`` of its field errors, or without one as a general error;
        any other status carries it as ``error``.

        Raises:
            ValueError: for a field on another status than 400, or a status that Close does not answer.

        """
        if status not in REFUSALS or (field is not None and status != 400):
            raise ValueError(f"the stand-in cannot refuse with {status} and field={field!r}")
        if status == 400:
            error = invalid(at_path(field, text) if field else {}, [] if field else [text])
        else:
            error = refused(status, text)
        self._behaviour.failures.append(Failure(key=key, status=error.status, body=error.body, times=times))

    def drop(
        self,
        setting: str,
        key: str | None = None,
        *,
        pretend: bool = False,
        times: int | None = None,
    ) -> None:
        """Let updates of a number (or of all) succeed but leave one setting as it was.

        With ``pretend`` the answer shows the new value nevertheless, and only another look tells.

        Raises:
            ValueError: for something that is no setting.

        """
        if setting not in SETTINGS:
            raise ValueError(f"{setting!r} is no setting; there are {', '.join(SETTINGS)}")
        self._behaviour.drops.append(Drop(setting=setting, key=key, pretend=pretend, times=times))

    @property
    def missing_fields(self) -> set[str]:
        """Fields that this revision of the API does not have, such as ``participant_groups``; none by default.

        No answer shows them, no update takes them and no list filters by them.
        """
        return self._account.missing

    @property
    def ignored_filters(self) -> set[str]:
        """Parameters of the list of numbers that are overlooked from now on, such as ``number``; none by default."""
        return self._number_routes.ignored

    @property
    def paging(self) -> Paging:
        """How all lists are cut into pages; change it to have them cut wrongly."""
        return self._account.paging

    @property
    def updates(self) -> Sequence[Update]:
        """Every update that took effect, in order, also those whose callers got no answer."""
        return self._behaviour.updates

    @property
    def rate_limit(self) -> RateLimit | None:
        """The rate limit of every endpoint group that has none of its own; none by default."""
        return self._middleware.rates.default

    @rate_limit.setter
    def rate_limit(self, limit: RateLimit | None) -> None:
        self._middleware.rates.default = limit

    @property
    def group_limits(self) -> dict[str, RateLimit]:
        """The rate limits of single endpoint groups, such as ``PUT /phone_number/{id}/``."""
        return self._middleware.rates.groups

    def others_call(self, group: str, count: int) -> None:
        """Let somebody else's key use up ``count`` calls of the organization's allowance for an endpoint group.

        Raises:
            ValueError: when there is no limit on the group.

        """
        self._middleware.rates.spend(group, count, self._clock.now())
