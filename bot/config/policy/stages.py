"""The stages of a rule, and its fallback approvers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bot.changes.policy import ApprovalStage, Grant
from bot.config.policy.keys import KEYS, NAME_LENGTH, STAGES, Key, line, sentence, told

_LIKE: Final = '{name="safety", approvers=["S0SAFETY"], approvals_required=1}'
#: Fewer are no stages: what the only one says, the rule can say itself.
_FEWEST: Final = 2
_MOST: Final = 10
#: Keys of a rule in whose place its stages stand, and which each stage has for itself.
_OWN: Final = ("approvers", "approvals_required", "fallback_approvers", "fallback_after")
_KEYS: Final[Mapping[str, Key]] = {
    "name": Key("name", lambda value: line(value, NAME_LENGTH), "what people and the audit log call the stage"),
    **{key: KEYS[key] for key in _OWN},
}


def read_stages(value: object, where: str, problems: list[str]) -> tuple[ApprovalStage, ...] | None:
    """Return the stages of the rule called ``where``, or None and more ``problems``."""
    known = len(problems)
    wrong = [value] if not isinstance(value, list) else [entry for entry in value if not isinstance(entry, dict)]
    if wrong or not isinstance(value, list):
        problems.append(f"{where}: {STAGES} must be a list of tables, each like {_LIKE}, not {told(wrong[0])}.")
        return None
    if len(value) < _FEWEST:
        problems.append(
            f"{where}: {STAGES} has {len(value)} in it, and there have to be at least {_FEWEST}: give the rule itself "
            "approvers and approvals_required."
        )
        return None
    if len(value) > _MOST:
        problems.append(f"{where}: {STAGES} has {len(value):,} in it, and there can be {_MOST} at most.")
        return None
    stages: list[ApprovalStage] = []
    for place, entry in enumerate(value, 1):
        here = f"{where}, {_called(place, entry.get('name'))}"
        stage = _stage(entry, here, problems)
        if stage is None:
            continue
        if stage.name in {each.name for each in stages}:
            problems.append(f"{here}: name is that of an earlier stage: give it another.")
        stages.append(stage)
    return None if len(problems) > known else tuple(stages)


def _called(place: int, name: object) -> str:
    """Return what sentences call a stage: "stage 2 “network”", without a name that cannot be shown."""
    shown = isinstance(name, str) and name.strip() and name.isprintable() and len(name) <= NAME_LENGTH
    return f"stage {place} “{name}”" if shown else f"stage {place}"


def _stage(table: Mapping[str, object], where: str, problems: list[str]) -> ApprovalStage | None:
    known = len(problems)
    read: dict[str, Any] = {}
    for key, value in table.items():
        if key not in _KEYS:
            problems.append(f"{where}: {told(key)} is not a key of a stage: they are {', '.join(_KEYS)}.")
            continue
        try:
            read[key] = _KEYS[key].read(value)
        except ValueError as error:
            problems.append(sentence(where, f"{key} {error}"))
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
    """Yield what is wrong with the keys for fallback approvers that stand together in ``table``."""
    if "fallback_approvers" in table and "fallback_after" not in table:
        yield 'fallback_approvers stands without fallback_after: say after what time they may approve, such as "2h"'
    if "fallback_after" in table and "fallback_approvers" not in table:
        yield "fallback_after stands without fallback_approvers: say who may approve after that time"
    if table.get("fallback_approvers") == []:
        yield "fallback_approvers is an empty list: name somebody, or remove it and fallback_after"


def place_problems(table: Mapping[str, object]) -> Iterator[str]:
    """Yield what is wrong with the keys of the rule in ``table`` that its stages stand in place of."""
    if STAGES in table:
        both = [key for key in _OWN if key in table]
        if both:
            yield f"{STAGES} stands in place of {', '.join(both)}: say that in each stage, or remove {STAGES}"
