"""Whether the conditions of a rule can be met by any change at all."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final

from bot.changes.policy import Rule

_LONGEST: Final = 60


def match_problems(said: Mapping[str, Any], kinds: Mapping[str, Collection[str]] | None) -> Iterator[str]:
    """Yield what is wrong with the conditions in ``said``: field of Rule -> value, of those that could be read.

    ``kinds`` maps every kind that there is to the names of its settings; None when that is not known.
    """
    fewest, most = said.get("min_numbers"), said.get("max_numbers")
    if fewest is not None and most is not None and fewest > most:
        yield f"min_numbers is {fewest:,} and max_numbers is {most:,}, which matches no change"
    if kinds is None:
        return
    patterns: tuple[str, ...] = said.get("kinds", ())
    unknown = [pattern for pattern in patterns if not _matched((pattern,), kinds)]
    for pattern in unknown:
        yield f"kinds has {_shown(pattern)}, which is not a kind of change: {_hint(pattern, kinds)}"
    if unknown:
        return
    available = {setting for kind in _matched(patterns, kinds) for setting in kinds[kind]}
    for setting in sorted(said.get("settings", frozenset()) - available):
        yield f"settings has {_shown(setting)}, which is not a setting of the rule's kinds: {_hint(setting, available)}"


def _matched(patterns: tuple[str, ...], kinds: Collection[str]) -> list[str]:
    rule = Rule(name="", kinds=patterns)
    return [kind for kind in kinds if rule.governs(kind, ())]


def _shown(name: str) -> str:
    # No kind and no setting has a name as long as that; it could be a secret.
    return name if len(name) <= _LONGEST and name.isprintable() else f"a text of {len(name)} characters"


def _hint(wrong: str, known: Collection[str]) -> str:
    near = get_close_matches(wrong, sorted(known), n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known)) or 'none'}"
