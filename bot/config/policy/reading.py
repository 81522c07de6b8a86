"""From one table of the policy file to a rule, or to all its problems."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from bot.changes.policy import Rule
from bot.config.policy.hours import read_windows
from bot.config.policy.keys import KEYS, NAME_LENGTH, READERS, STAGES, WINDOWS, sentence, told
from bot.config.policy.stages import fallback_problems, place_problems, read_stages

_ALL: Final = (*KEYS, STAGES, WINDOWS)
#: Longest name that is shown, in characters.
_LONGEST: Final = 60


def place_of(file: str, place: int, name: object) -> str:
    """Return the name of a rule for sentences: "policy.toml, rule 2 “emergency”", without an unprintable name."""
    shown = isinstance(name, str) and name.strip() and name.isprintable() and len(name) <= NAME_LENGTH
    return f"{file}, rule {place} “{name}”" if shown else f"{file}, rule {place}"


@dataclass(kw_only=True, slots=True)
class RuleReader:
    """Reads the rules of one file, one after another."""

    #: The name of the file in sentences.
    file: str
    #: Every existing kind -> the names of its settings; None if unknown.
    kinds: Mapping[str, Collection[str]] | None
    #: Gets a sentence for each problem.
    problems: list[str]
    #: Name -> place of the rule that has it.
    names: dict[str, int] = field(default_factory=dict)

    def rule(self, table: Mapping[str, object], place: int) -> Rule | None:
        """Return the rule in ``table``, which is number ``place``; None if it has problems."""
        where = place_of(self.file, place, table.get("name"))
        known = len(self.problems)
        said = self._values(table, where)
        if "name" not in table:
            self._wrong(where, "name is missing: decisions name the rule that allowed them")
        elif "name" in said and self.names.setdefault(said["name"], place) != place:
            self._wrong(where, f"name is that of rule {self.names[said['name']]} already: give it another")
        for problem in (*fallback_problems(table), *place_problems(table), *match_problems(said, self.kinds)):
            self._wrong(where, problem)
        return None if len(self.problems) > known else Rule(**said)

    def _values(self, table: Mapping[str, object], where: str) -> dict[str, Any]:
        """Return field of Rule -> value, for the readable keys."""
        said: dict[str, Any] = {}
        for key, value in table.items():
            if key == WINDOWS:
                said[key] = read_windows(value, where, self.problems)
            elif key == STAGES:
                said[key] = read_stages(value, where, self.problems)
            elif key not in KEYS:
                self._wrong(where, f"{told(key)} is not a key of a rule: {_hint(key)}")
            else:
                try:
                    said[KEYS[key].field] = KEYS[key].read(value)
                except ValueError as error:
                    self._wrong(where, f"{key} {error}")
        return said

    def _wrong(self, where: str, what: str) -> None:
        self.problems.append(sentence(where, what))


def _hint(key: str) -> str:
    if key == READERS:
        return f"{READERS} stands at the top of the file, above the first [[rule]]"
    near = get_close_matches(key, _ALL, n=1)
    return f"did you mean {near[0]}?" if near else f"the keys are {', '.join(_ALL)}"


def match_problems(said: Mapping[str, Any], kinds: Mapping[str, Collection[str]] | None) -> Iterator[str]:
    """Yield problems of the conditions in ``said``: field of Rule -> value, for the readable ones.

    ``kinds`` maps every existing kind to the names of its settings; None if unknown.
    """
    fewest, most = said.get("min_numbers"), said.get("max_numbers")
    if fewest is not None and most is not None and fewest > most:
        yield f"min_numbers is {fewest:,} and max_numbers is {most:,}, which matches no change"
    if kinds is None:
        return
    patterns: tuple[str, ...] = said.get("kinds", ())
    unknown = [pattern for pattern in patterns if not _matched((pattern,), kinds)]
    for pattern in unknown:
        yield f"kinds has {_shown(pattern)}, which is not a kind of change: {_near(pattern, kinds)}"
    if unknown:
        return
    available = {setting for kind in _matched(patterns, kinds) for setting in kinds[kind]}
    for setting in sorted(said.get("settings", frozenset()) - available):
        yield f"settings has {_shown(setting)}, which is not a setting of the rule's kinds: {_near(setting, available)}"


def _matched(patterns: tuple[str, ...], kinds: Collection[str]) -> list[str]:
    rule = Rule(name="", kinds=patterns)
    return [kind for kind in kinds if rule.governs(kind, ())]


def _shown(name: str) -> str:
    # No kind or setting has such a long name; it could be a secret.
    return name if len(name) <= _LONGEST and name.isprintable() else f"a text of {len(name)} characters"


def _near(wrong: str, known: Collection[str]) -> str:
    near = get_close_matches(wrong, sorted(known), n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known)) or 'none'}"
