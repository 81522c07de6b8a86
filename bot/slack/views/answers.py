"""Reading the form back: the answers so far, and the right places for problems."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from bot.changes.input.drafts import REASON
from bot.changes.input.targets import EXCLUDED, NUMBERS
from bot.changes.input.times import START, UNTIL
from bot.changes.input.wanted_values import SETTINGS
from bot.changes.input.waves import CANARY, PAUSE, THRESHOLD
from bot.changes.model.draft import Base, Draft, FollowUp
from bot.changes.model.filter_fields import PREFIX
from bot.changes.model.kinds import Kind
from bot.changes.model.settings import Setting, Shape
from bot.changes.model.values import EditMode, Value
from bot.slack.interactions import SentView
from bot.slack.views.form import KIND
from bot.slack.views.inputs import BOX_LENGTH, FILTERS, REPLACE, UNAVAILABLE, VALUE, WAY, ways_to_filter
from bot.slack.views.sheet_field import attached

#: Block id -> content of its element.
Answers: TypeAlias = Mapping[str, Mapping[str, Any]]


def read_form(view: SentView, kinds: Mapping[str, Kind], kept: Mapping[str, Value] | None = None) -> Draft:
    """Return what the person has filled in so far, from the view that was sent.

    ``kept`` holds sealed secrets from an earlier round, for secret fields that were left empty.
    """
    answers, private = view.answers, view.private
    kind = kinds.get(_answer(answers.get(KIND, {})) or private.get("kind", "")) or next(iter(kinds.values()))
    boxes = int(private.get("boxes", 1))
    chosen = tuple(item["value"] for item in answers.get(SETTINGS, {}).get("selected_options") or ())
    typed, picked, ways = _read_settings(kind, answers, kept or {})
    filters = _read_filters(kind, answers, picked)
    return Draft(
        kind=kind.name,
        filters=filters,
        excluded=_answer(answers.get(EXCLUDED, {})),
        pasted=tuple(_answer(answers.get(f"{NUMBERS}:{index}", {})) for index in range(boxes)),
        chosen=tuple(name for name in chosen if name in kind.by_name),
        typed=typed,
        picked=picked,
        ways=ways,
        base=_base(private.get("base")),
        sheet=attached(view),
        reason=_answer(answers.get(REASON, {})),
        start=_answer(answers.get(START, {})),
        canary=_answer(answers.get(CANARY, {})),
        pause=_answer(answers.get(PAUSE, {})),
        threshold=_answer(answers.get(THRESHOLD, {})),
        until=_answer(answers.get(UNTIL, {})),
    )


def _base(stored: Mapping[str, Any] | None) -> Base | None:
    return Base(change=int(stored["change"]), what=FollowUp(stored["what"])) if stored else None


def _read_settings(
    kind: Kind, answers: Answers, kept: Mapping[str, Value]
) -> tuple[dict[str, Value], dict[str, str], dict[str, EditMode]]:
    """Return the text typed for each setting, the names of picked ids, and the ways to edit lists."""
    typed: dict[str, Value] = {}
    picked: dict[str, str] = {}
    ways: dict[str, EditMode] = {}
    for setting in kind.settings:
        answer = answers.get(f"{VALUE}{setting.name}")
        if answer is None:
            continue
        if (way := _answer(answers.get(f"{WAY}{setting.name}", {}))) not in {"", REPLACE}:
            ways[setting.name] = EditMode(way)
        if text := _answer(answer):
            typed[setting.name] = text
            if setting.lookup:
                picked[setting.name] = _picked(setting, answer)
        elif setting.secret and setting.name in kept:
            typed[setting.name] = kept[setting.name]
    return typed, picked, ways


def _picked(setting: Setting, answer: Mapping[str, Any]) -> str:
    """Return the name of the picked id; for several ids, a JSON object of id -> name."""
    if setting.shape is Shape.LOOKUPS:
        chosen = (item for item in answer["selected_options"] if item["value"] != UNAVAILABLE)
        return json.dumps({item["value"]: item["text"]["text"] for item in chosen})
    return str(answer["selected_option"]["text"]["text"])


def _read_filters(kind: Kind, answers: Answers, picked: dict[str, str]) -> dict[str, str]:
    """Return the chosen filters; the names of picked ids go into ``picked``."""
    ways = ways_to_filter(kind)
    filters: dict[str, str] = {}
    for item in answers.get(FILTERS, {}).get("selected_options") or ():
        key = item["value"]
        if key not in ways:
            continue
        answer = answers.get(f"{PREFIX}{key}", {})
        filters[key] = _answer(answer)
        if filters[key] and ways[key][0].lookup:
            picked[f"{PREFIX}{key}"] = answer["selected_option"]["text"]["text"]
    return filters


def _answer(answer: Mapping[str, Any]) -> str:
    """Return what was typed or chosen in one element; an empty text when nothing was."""
    if selected := answer.get("selected_option"):
        return "" if selected["value"] == UNAVAILABLE else str(selected["value"])
    if several := answer.get("selected_options"):
        return ",".join(str(item["value"]) for item in several if item["value"] != UNAVAILABLE)
    return str(answer.get("value") or "")


def field_errors(problems: Mapping[str, str], view: SentView) -> dict[str, str]:
    """Return Slack's errors, by block id, for problems by field; each is placed at an input that the view has."""
    inputs = [block["block_id"] for block in view.blocks if block["type"] == "input"]
    errors: dict[str, str] = {}
    for name, problem in problems.items():
        longer = (each for each in inputs if each.startswith((f"{name}[", f"{name}:")))
        candidates = (name, f"{name}:0", f"{VALUE}{name}", *longer)
        block = next((each for each in candidates if each in inputs), REASON)
        errors[block] = f"{errors[block]} {problem}" if block in errors else problem
    return errors


def full_boxes(view: SentView) -> dict[str, str]:
    """Return a problem, by block id, for every text input of ``view`` that is completely full.

    A text that just fits looks the same as one that Slack cut off, so a full input is never trusted.
    """
    problems: dict[str, str] = {}
    for block in view.blocks:
        if block["type"] != "input":
            continue
        name, most = block["block_id"], block["element"].get("max_length", BOX_LENGTH)
        # Browsers count in UTF-16: a picture before a number takes two characters there.
        if len(view.typed(name).encode("utf-16-le", "surrogatepass")) // 2 < most:
            continue
        more = (
            "Press “Add a box” and move the last numbers there."
            if name.startswith(f"{NUMBERS}:")
            else f"Keep it under {most:,} characters."
        )
        problems[name] = f"This box is full, so the end of its text may have been cut off. {more}"
    return problems
