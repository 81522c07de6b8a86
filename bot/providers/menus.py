"""Menus of things that live at a provider: few enough, short enough, and each told from every other."""

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
#: Most characters of an id that stand behind a name; of a longer one its end, in which ids differ.
_OF_ID: Final = 50


def menu(found: Iterable[tuple[str, str]], *, whole: bool = True) -> tuple[Choice, ...]:
    """Return the first of ``found``, which are ids with their names, as choices.

    A name that another one looks like, or of which not all can be shown, has its id behind it. So has every name when
    ``found`` is not the ``whole`` of what it was taken from: nobody knows then which names there are once more.
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
