"""The stages of a rule, and its fallback approvers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from bot.changes.policy import ApprovalStage, Grant
from bot.config.policy.keys import KEYS, NAME_LENGTH, STAGES, line, sentence
from bot.config.policy.tables import tables_in, values_of

_LIKE: Final = '{name="safety", approvers=["S0SAFETY"], approvals_required=1}'
#: Fewer are not stages: the rule itself can say everything about a single one.
_FEWEST: Final = 2
_MOST: Final = 10
#: Keys of a rule that its stages replace; each stage has its own.
_OWN: Final = ("approvers", "approvals_required", "fallback_approvers", "fallback_after")
_KEYS: Final[Mapping[str, Callable[[object], Any]]] = {
    "name": lambda value: line(value, NAME_LENGTH),
    **{key: KEYS[key].read for key in _OWN},
}


def read_stages(value: object, where: str, problems: list[str]) -> tuple[ApprovalStage, ...] | None:
    """Return the stages of the rule called ``where``, or None and more ``problems``."""
    known = len(problems)
    tables = tables_in(value, STAGES, _LIKE, where, problems)
    if tables is None:
        return None
    if len(tables) < _FEWEST:
        problems.append(
            f"{where}: {STAGES} has {len(tables)} in it, and there have to be at least {_FEWEST}: give the rule itself "
            "approvers and approvals_required."
        )
        return None
    if len(tables) > _MOST:
        problems.append(f"{where}: {STAGES} has {len(tables):,} in it, and there can be {_MOST} at most.")
        return None
    stages: list[ApprovalStage] = []
    for place, entry in enumerate(tables, 1):
        here = f"{where}, {_called(place, entry.get('name'))}"
        stage = _stage(entry, here, problems)
        if stage is None:
            continue
        if stage.name in {each.name for each in stages}:
            problems.append(f"{here}: name is that of an earlier stage: give it another.")
        stages.append(stage)
    return None if len(problems) > known else tuple(stages)


def _called(place: int, name: object) -> str:
    """Return the name of a stage for sentences: "stage 2 “network”", without an unprintable name."""
    shown = isinstance(name, str) and name.strip() and name.isprintable() and len(name) <= NAME_LENGTH
    return f"stage {place} “{name}”" if shown else f"stage {place}"


def _stage(table: Mapping[str, object], where: str, problems: list[str]) -> ApprovalStage | None:
    known = len(problems)
    read = values_of(table, _KEYS, f"a key of a stage: they are {', '.join(_KEYS)}", where, problems)
    if "name" not in table:
        problems.append(f"{where}: name is missing: people and decisions call the stage by it.")
    if "approvers" not in table:
        problems.append(f"{where}: approvers is missing: say who may approve in this stage.")
    problems += [sentence(where, problem) for problem in fallback_problems(table)]
    if len(problems) > known:
        return None
    return ApprovalStage(
        name=read["name"],
        approvers=read["approvers"],
        approvals_required=read.get("approvals_required", 1),
        fallback_approvers=read.get("fallback_approvers", Grant()),
        fallback_after=read.get("fallback_after"),
    )


def fallback_problems(table: Mapping[str, object]) -> Iterator[str]:
    """Yield problems of the keys for fallback approvers in ``table``, which belong together."""
    if "fallback_approvers" in table and "fallback_after" not in table:
        yield 'fallback_approvers stands without fallback_after: say after what time they may approve, such as "2h"'
    if "fallback_after" in table and "fallback_approvers" not in table:
        yield "fallback_after stands without fallback_approvers: say who may approve after that time"
    if table.get("fallback_approvers") == []:
        yield "fallback_approvers is an empty list: name somebody, or remove it and fallback_after"


def place_problems(table: Mapping[str, object]) -> Iterator[str]:
    """Yield problems of keys of the rule in ``table`` that its stages replace."""
    if STAGES in table:
        both = [key for key in _OWN if key in table]
        if both:
            yield f"{STAGES} stands in place of {', '.join(both)}: say that in each stage, or remove {STAGES}"
