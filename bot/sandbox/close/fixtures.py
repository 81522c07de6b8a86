"""A furnished organization: people, teams and numbers, for a demo or a test that wants some to work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.sandbox.close.records import Group, Number, User

if TYPE_CHECKING:
    from bot.sandbox.close.server import CloseStandIn

#: First name, last name, team.
PEOPLE: Final = (
    ("Ana", "Reyes", "Sales"),
    ("Ben", "Okafor", "Sales"),
    ("Cleo", "Lindqvist", "Sales"),
    ("Dev", "Malhotra", "Support"),
    ("Edie", "Fontaine", "Support"),
)


@dataclass(frozen=True, kw_only=True)
class Fixtures:
    """What was put into the organization, all of it live."""

    users: tuple[User, ...]
    #: By name: ``Sales`` and ``Support``.
    groups: dict[str, Group]
    #: Group numbers, which take every setting.
    shared: tuple[Number, ...]
    #: The acting user's own.
    own: tuple[Number, ...]
    #: Personal numbers of the other users, which only their owners can change: one each.
    foreign: tuple[Number, ...]


def furnish(close: CloseStandIn, *, shared: int = 40, own: int = 2, start: str = "+13035551000") -> Fixtures:
    """Fill the organization with consecutive numbers from ``start`` on.

    The shared ones go to the two teams in turn and ring everybody of the team; each third forwards to the line of
    its team, as it has grown over the years. Then come the acting user's own and one of every other user.
    """
    users = tuple(close.add_user(first, last) for first, last, _ in PEOPLE)
    teams: dict[str, list[str]] = {}
    for user, (_, _, team) in zip(users, PEOPLE, strict=True):
        teams.setdefault(team, []).append(user.id)
    groups = {name: close.add_group(name, members=members) for name, members in teams.items()}
    numbers = iter(range(int(start.removeprefix("+")), int(start.removeprefix("+")) + shared + own + len(users)))
    return Fixtures(
        users=users,
        groups=groups,
        shared=tuple(_shared(close, f"+{next(numbers)}", each, groups) for each in range(shared)),
        own=tuple(
            close.add_number(f"+{next(numbers)}", owner=close.me.id, label=f"Robot {each + 1}") for each in range(own)
        ),
        foreign=tuple(
            close.add_number(f"+{next(numbers)}", owner=user.id, label=f"{user.first_name}'s number") for user in users
        ),
    )


def _shared(close: CloseStandIn, e164: str, position: int, groups: dict[str, Group]) -> Number:
    team = list(groups.values())[position % len(groups)]
    number = close.add_number(e164, label=f"{team.name} {position + 1}", participants=team.members)
    if position % 3 == 0:
        number.forward_to, number.forward_to_enabled = "+13035550199", True
    return number
