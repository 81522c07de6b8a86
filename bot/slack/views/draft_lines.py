"""The content of a form, in the words that the preview and the card use for a plan."""

from __future__ import annotations

import json
from collections.abc import Mapping

from bot.changes.input.times import end_time
from bot.changes.input.wanted_values import read_wanted_value
from bot.changes.model.draft import Draft
from bot.changes.model.filter_fields import PREFIX, read_filter, show_condition
from bot.changes.model.kinds import Kind
from bot.changes.model.list_edits import show_wanted
from bot.changes.model.settings import Setting, Shape
from bot.changes.model.values import Secret
from bot.errors import InputError, InvalidValue
from bot.slack.views.elements import code

#: A name and its wanted value. Neither is escaped.
Line = tuple[str, str]


def setting_lines(draft: Draft, kind: Kind | None) -> list[Line]:
    """Return each setting that ``draft`` changes, with its value or its edit of a list.

    A setting or value that the kind no longer has is shown as it was typed.
    """
    settings = kind.by_name if kind else {}
    names = dict.fromkeys((*draft.chosen, *draft.typed))
    return [
        (settings[name].label, _wanted(settings[name], draft)) if name in settings else (name, _as_typed(name, draft))
        for name in names
    ]


def _wanted(setting: Setting, draft: Draft) -> str:
    typed = draft.typed.get(setting.name)
    if isinstance(typed, Secret):
        return show_wanted(setting, typed)
    text = "" if typed is None else str(typed)
    try:
        wanted = read_wanted_value(setting, text, draft.ways.get(setting.name))
    except InvalidValue:
        return _as_typed(setting.name, draft)
    return show_wanted(setting, wanted, _names(setting, text, draft.picked.get(setting.name, "")))


def _as_typed(name: str, draft: Draft) -> str:
    way = draft.ways.get(name)
    typed = draft.typed.get(name)
    text = "(empty)" if typed in {None, ""} else str(typed)
    return f"{way.value} {text}" if way else text


def _names(setting: Setting, identifier: str, picked: str) -> Mapping[str, str]:
    """Return id -> name of the ids picked for ``setting``."""
    if not picked:
        return {}
    names = json.loads(picked) if setting.shape is Shape.LOOKUPS else {identifier: picked}
    return {each: _bare(name, each) for each, name in names.items()}


def _bare(name: str, identifier: str) -> str:
    """Return a picked name without the id that is appended to names that look alike."""
    return name.removesuffix(f" ({identifier})")


def filter_lines(draft: Draft, kind: Kind | None) -> list[str]:
    """Return each condition of the filter in ``draft``; unreadable ones are shown as they were typed."""
    return [_condition(key, typed, draft, kind) for key, typed in draft.filters.items()]


def _condition(key: str, typed: str, draft: Draft, kind: Kind | None) -> str:
    try:
        found = read_filter(kind, {key: typed}) if kind else ()
    except InputError:
        found = ()
    if kind is None or not found:
        return f"{key}: {typed}"
    field = next(each for each in kind.filters if each.name == found[0].field)
    picked = draft.picked.get(f"{PREFIX}{key}")
    return show_condition(field, found[0], _bare(picked, typed) if picked else None)


def course_lines(draft: Draft) -> list[str]:
    """Return the waves and the end of ``draft``, as they were typed, in mrkdwn."""
    lines = []
    if draft.until:
        lines.append(f"⏲️ Until {code(end_time(draft.until), 60)}")
    if draft.canary:
        first = f"🐤 Canary: {code(draft.canary, 60)} first"
        lines.append(first if draft.canary.strip().isdecimal() else f"🌊 Waves: {code(draft.canary, 60)}")
    if draft.pause:
        lines.append(f"⏸️ Between waves: {code(draft.pause, 60)}")
    if draft.threshold:
        lines.append(f"⏸️ Pause when more than {code(draft.threshold, 60)} are not as approved")
    return lines
