"""The people of the policy: who somebody is, and lists of people with a right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

_USER: Final = re.compile(r"[UW][A-Z0-9]{2,}")
_GROUP: Final = re.compile(r"S[A-Z0-9]{2,}")
#: A longer entry is not an id, and could be a secret in the wrong place: it is not repeated in a message.
_SHOWN: Final = 24


@dataclass(frozen=True, kw_only=True, slots=True)
class UnknownGroup:
    """A user group whose members nobody knows."""

    #: A lasting problem with the group, which follows "the user group S0…": "which Slack does not know: …". Empty when
    #: it may pass by itself.
    trouble: str = ""
    #: Seconds after which it is worth asking again.
    wait: float = 60.0


#: User group id -> ids of its users. An absent group counts as one that could not be read just now.
Membership: TypeAlias = Mapping[str, frozenset[str] | UnknownGroup]


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """A list of people with one right. The empty grant names nobody."""

    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    #: Every active full member of the workspace.
    everyone: bool = False

    @classmethod
    def parse(cls, text: str, *, everyone_allowed: bool = False) -> Grant:
        """Return the grant that a comma list of user ids ``U…``/``W…``, group ids ``S…`` and ``*`` describes.

        Raises ValueError naming every invalid entry; ``*`` is valid only with ``everyone_allowed``.
        """
        entries = {entry.strip() for entry in text.split(",")} - {""}
        users = frozenset(entry for entry in entries if _USER.fullmatch(entry))
        groups = frozenset(entry for entry in entries if _GROUP.fullmatch(entry))
        stars = entries & {"*"}
        bad = sorted(entries - users - groups - stars)
        problems = []
        if stars and not everyone_allowed:
            problems.append("may not be * (everybody): name the people or their user groups")
        if bad:
            problems.append(
                f"has {', '.join(_shown(entry) for entry in bad)}, which is not a Slack id: give user ids (U… or W…) "
                f"and user group ids (S…), separated by commas"
            )
        if problems:
            raise ValueError("; it also ".join(problems))
        return cls(users=users, groups=groups, everyone=bool(stars))

    @classmethod
    def union(cls, grants: Iterable[Grant]) -> Grant:
        """Return the grant of everybody named by one of ``grants``."""
        every = tuple(grants)
        return cls(
            users=frozenset[str]().union(*(grant.users for grant in every)),
            groups=frozenset[str]().union(*(grant.groups for grant in every)),
            everyone=any(grant.everyone for grant in every),
        )

    @property
    def empty(self) -> bool:
        """Whether the grant names nobody."""
        return not (self.users or self.groups or self.everyone)

    def names(self, user: str) -> bool:
        """Tell whether the grant names ``user``, without reading any group."""
        return self.everyone or user in self.users

    def __str__(self) -> str:
        if self.everyone:
            return "everyone"
        return ", ".join([*sorted(self.users), *sorted(self.groups)]) or "nobody"


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """A person as Slack describes them at the moment of the decision (users.info)."""

    id: str
    name: str
    #: False once the account is deactivated.
    active: bool
    #: Single- or multi-channel guest.
    guest: bool
    #: A member of another workspace (Slack Connect) and not of ours.
    foreign: bool
    bot: bool
    #: Was invited to the workspace and has not joined yet.
    invited: bool = False
    #: Name of the person's time zone, such as ``Europe/Berlin``; UTC when Slack does not say.
    zone: str = "UTC"


@dataclass(frozen=True, kw_only=True, slots=True)
class Audience:
    """People who may approve, or whom a request for approval mentions, as sorted Slack ids."""

    users: tuple[str, ...]
    groups: tuple[str, ...]
    #: Return the plan that restores the current values of a temporary change, if nobody changes them meanwhile.
    delegates: tuple[tuple[str, str], ...] = ()


def _shown(entry: str) -> str:
    return repr(entry) if len(entry) <= _SHOWN else f"an entry of {len(entry)} characters"
