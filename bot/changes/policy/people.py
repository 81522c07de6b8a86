"""The people of the policy: who somebody is, and lists of who has a right."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

#: User group id -> ids of its users; None when Slack did not say who is in it. A group that is absent counts as None.
Membership: TypeAlias = Mapping[str, frozenset[str] | None]

_USER: Final = re.compile(r"[UW][A-Z0-9]{2,}")
_GROUP: Final = re.compile(r"S[A-Z0-9]{2,}")
#: A longer entry is not an id, and could be a secret in the wrong place: it is not repeated in a message.
_SHOWN: Final = 24


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """A list of who has one right. The empty grant names nobody."""

    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    #: Every active full member of the workspace.
    everyone: bool = False

    @classmethod
    def parse(cls, text: str, *, everyone_allowed: bool = False) -> Grant:
        """Return the grant that a comma list of user ids ``U…``/``W…``, group ids ``S…`` and ``*`` describes.

        Raises ValueError naming every entry that is none of these; ``*`` is one of them only when
        ``everyone_allowed``.
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
                f"has {', '.join(_shown(entry) for entry in bad)}, which is no Slack id: give user ids (U… or W…) "
                f"and user group ids (S…), separated by commas"
            )
        if problems:
            raise ValueError("; it also ".join(problems))
        return cls(users=users, groups=groups, everyone=bool(stars))

    @property
    def empty(self) -> bool:
        """Whether the grant names nobody."""
        return not (self.users or self.groups or self.everyone)

    def __str__(self) -> str:
        if self.everyone:
            return "everyone"
        return ", ".join([*sorted(self.users), *sorted(self.groups)]) or "nobody"


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Somebody in Slack, as Slack describes them at the moment of the decision (users.info)."""

    id: str
    name: str
    #: False once the account is deactivated.
    active: bool
    #: Single- or multi-channel guest.
    guest: bool
    #: A member of another workspace.
    foreign: bool
    bot: bool
    #: Name of the time zone that they live in, such as ``Europe/Berlin``; UTC when Slack does not say.
    zone: str = "UTC"


@dataclass(frozen=True, kw_only=True, slots=True)
class Audience:
    """Whom a request for approval addresses, as sorted Slack ids."""

    users: tuple[str, ...]
    groups: tuple[str, ...]


def _shown(entry: str) -> str:
    return repr(entry) if len(entry) <= _SHOWN else f"an entry of {len(entry)} characters"
