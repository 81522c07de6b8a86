"""The small language in which Block Kit's limits are written: a rule looks at a value and reports problems.

Messages follow Slack's wording and carry a JSON pointer, as ``response_metadata.messages`` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

SurfaceName = Literal["message", "modal", "home"]


@dataclass(frozen=True)
class BlockProblem:
    """One thing that Slack would refuse."""

    pointer: str
    message: str

    def __str__(self) -> str:
        return f"{self.message} [json-pointer:{self.pointer}]"


@dataclass(kw_only=True)
class Inspection:
    """A look at one payload, collecting its problems."""

    surface: SurfaceName
    problems: list[BlockProblem] = field(default_factory=list)

    def fail(self, pointer: str, message: str) -> None:
        """Report a problem."""
        self.problems.append(BlockProblem(pointer, message))


Rule = Callable[[Any, str, Inspection], None]


def string(most: int, least: int = 1) -> Rule:
    """Return a rule for a string of ``least`` to ``most`` characters."""

    def rule(value: object, at: str, look: Inspection) -> None:
        if not isinstance(value, str):
            look.fail(at, "must be a string")
        elif len(value) > most:
            look.fail(at, f"must be less than {most + 1} characters")
        elif len(value) < least:
            look.fail(at, f"must be more than {least - 1} characters")

    return rule


def flag(value: object, at: str, look: Inspection) -> None:
    """Want a boolean."""
    if not isinstance(value, bool):
        look.fail(at, "must be a boolean")


def whole(low: int, high: int) -> Rule:
    """Return a rule for a whole number between two bounds, both allowed."""

    def rule(value: object, at: str, look: Inspection) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            look.fail(at, "must be an integer")
        elif not low <= value <= high:
            look.fail(at, f"must be between {low} and {high}")

    return rule


def number(value: object, at: str, look: Inspection) -> None:
    """Want any number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        look.fail(at, "must be a number")


def one_of(*allowed: str) -> Rule:
    """Return a rule for one of some words."""

    def rule(value: object, at: str, look: Inspection) -> None:
        if value not in allowed:
            look.fail(at, f"must be a valid enum value: {', '.join(allowed)}")

    return rule


def anything(_value: object, _at: str, _look: Inspection) -> None:
    """Accept what Slack does not document closely."""


def nullable(rule: Rule) -> Rule:
    """Return a rule that also takes null."""

    def either(value: object, at: str, look: Inspection) -> None:
        if value is not None:
            rule(value, at, look)

    return either


def items(rule: Rule, most: int, least: int = 1) -> Rule:
    """Return a rule for a list of ``least`` to ``most`` items that each follow ``rule``."""

    def each(value: object, at: str, look: Inspection) -> None:
        if not isinstance(value, list):
            look.fail(at, "must be an array")
            return
        if len(value) > most:
            look.fail(at, f"no more than {most} items allowed")
        if len(value) < least:
            look.fail(at, f"must have at least {least} items")
        for index, item in enumerate(value):
            rule(item, f"{at}/{index}", look)

    return each


def record(required: Mapping[str, Rule], optional: Mapping[str, Rule] | None = None) -> Rule:
    """Return a rule for an object with these fields and no others; its ``type`` is somebody else's business."""
    known = {**required, **(optional or {})}

    def fields(value: object, at: str, look: Inspection) -> None:
        if not isinstance(value, dict):
            look.fail(at, "must be an object")
            return
        for name in required:
            if value.get(name) is None:
                look.fail(at, f"missing required field: {name}")
        for name, content in value.items():
            if name in known:
                if content is not None or name not in required:
                    known[name](content, f"{at}/{name}", look)
            elif name != "type":
                look.fail(f"{at}/{name}", f"no more fields allowed: {name}")

    return fields


def tagged(table: Callable[[], Mapping[str, Rule]], what: str) -> Rule:
    """Return a rule for an object that says by its ``type`` which rule it follows; the table may refer back here."""

    def choose(value: object, at: str, look: Inspection) -> None:
        if not isinstance(value, dict):
            look.fail(at, "must be an object")
            return
        rule = table().get(str(value.get("type")))
        if rule is None:
            look.fail(f"{at}/type", f"unsupported type: {value.get('type')} is not a {what} that may stand here")
            return
        rule(value, at, look)

    return choose


def both(*rules: Rule) -> Rule:
    """Return a rule that follows each of some rules."""

    def every(value: object, at: str, look: Inspection) -> None:
        for rule in rules:
            rule(value, at, look)

    return every


def exactly_one(*names: str) -> Rule:
    """Return a rule for an object with one of some fields."""

    def rule(value: object, at: str, look: Inspection) -> None:
        if isinstance(value, dict) and sum(value.get(name) is not None for name in names) != 1:
            look.fail(at, f"exactly one of {', '.join(names)} is required")

    return rule


def at_least_one(*names: str) -> Rule:
    """Return a rule for an object with one or more of some fields."""

    def rule(value: object, at: str, look: Inspection) -> None:
        if isinstance(value, dict) and not any(value.get(name) for name in names):
            look.fail(at, f"at least one of {', '.join(names)} is required")

    return rule
