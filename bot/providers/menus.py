"""Menus of objects at a provider: short enough, and with distinguishable entries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from bot.changes.model.settings import Choice
from bot.changes.text.characters import visible
from bot.providers.answers import clean

#: Slack shows at most 100 options of at most 75 characters.
MOST: Final = 100
LONGEST: Final = 75
#: Most characters of an id after a name; of a longer id its end, where ids differ.
_OF_ID: Final = 50


def menu(found: Iterable[tuple[str, str]], *, whole: bool = True) -> tuple[Choice, ...]:
    """Return the first of ``found``, ids with their names, as choices.

    A name gets its id appended if another one looks the same, or if it must be shortened. So does every name when
    ``found`` is not ``whole``, as nobody knows then which names occur again.
    """
    named = [(id_, visible(clean(name, 1000))) for id_, name in found]
    alike = Counter(name.casefold() for _, name in named)
    return tuple(
        Choice(id_, name if whole and alike[name.casefold()] == 1 and len(name) <= LONGEST else _with_id(id_, name))
        for id_, name in named[:MOST]
    )


def _with_id(id_: str, name: str) -> str:
    shown = id_ if len(id_) <= _OF_ID else f"…{id_[1 - _OF_ID :]}"
    return f"{clean(name, LONGEST - len(shown) - 3)} ({shown})"
