"""What the key's user may change, as far as Close shows it before anything is sent.

A row tells whose number it is: a person's own (``is_group_number`` and ``user_id``, deprecated but still there: API.md,
"Finding numbers"), or that of its only member. No answer tells whether the user has the permission to change the
organization's numbers (API.md, "Permissions"); only an accepted update that needed it shows that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from bot.changes.model.values import JSON
from bot.providers.close.kinds import FORWARD_TO, FORWARDING, GREETING, LABEL
from bot.providers.close.rows import Row
from bot.providers.http import PacedClient

#: Settings that the only member of a number may change without the permission (API.md, "Revisions of the page").
_OWN: Final = frozenset({LABEL, GREETING, FORWARD_TO, FORWARDING})
#: Seconds for which the user of the key is remembered.
_FRESH: Final = 60.0

OTHERS: Final = "somebody else's personal number, which Close lets only its owner change"
NEEDS_PERMISSION: Final = (
    "Close takes this only from a user who may manage the team's phone numbers, and does not say beforehand whether "
    "the API key's user may"
)


class Rights:
    """The rights of the key's user."""

    def __init__(self, http: PacedClient) -> None:
        self._http = http
        self._user, self._asked_at = "", -float("inf")
        #: Whether the last update that needed the permission was accepted.
        self._permitted = False

    async def doubt(self, row: Row, names: Collection[str]) -> str:
        """Return why Close may refuse to change ``names`` of a number, as the end of a sentence; otherwise empty."""
        me = await self._me()
        if _is_personal(row) and me and row.get("user_id") not in {None, "", me}:
            return OTHERS
        return NEEDS_PERMISSION if not self._permitted and _needs_permission(row, names, me) else ""

    def taken(self, row: Mapping[str, JSON], names: Collection[str]) -> None:
        """Take note that Close accepted an update of ``names`` and answered with ``row``."""
        self._permitted = self._permitted or (bool(self._user) and _needs_permission(row, names, self._user))

    def refused(self) -> None:
        """Take note that Close did not let the user change a number: the permission is no longer certain."""
        self._permitted = False

    async def _me(self) -> str:
        """Return the id of the key's user; empty when Close does not tell."""
        if self._http.now() - self._asked_at > _FRESH:
            answer = await self._http.read("GET", "/me/")
            self._user = str(answer.get("id") or "") if isinstance(answer, dict) else ""
            self._asked_at = self._http.now()
        return self._user


def _is_personal(row: Mapping[str, JSON]) -> bool:
    return row.get("is_group_number") is False


def _needs_permission(row: Mapping[str, JSON], names: Collection[str], me: str) -> bool:
    """Tell whether changing ``names`` of a number takes more than being its only member."""
    if _is_personal(row):
        return False
    return not (_OWN.issuperset(names) and _only_member(row) == me)


def _only_member(row: Mapping[str, JSON]) -> str:
    """Return the only member of the number; empty if there is none, several, or Close does not tell."""
    if user := row.get("user_id"):
        return str(user)
    people = row.get("participants")
    if isinstance(people, list) and len(people) == 1 and not row.get("participant_groups"):
        return str(people[0])
    return ""
