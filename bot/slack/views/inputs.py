"""The form's inputs that follow from a kind's table: its filters, its settings and their values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from bot.changes.input.targets import EXCLUDED
from bot.changes.input.wanted_values import SETTINGS
from bot.changes.model.draft import Draft
from bot.changes.model.filter_fields import PREFIX, FilterField
from bot.changes.model.kinds import Kind
from bot.changes.model.settings import Choice, Setting, Shape
from bot.changes.model.values import EditMode, Secret, Value
from bot.slack.views.elements import (
    Block,
    field,
    option,
    plain,
)

VALUE: Final = "value:"
#: Value of the menu entry that says why there are no others; choosing it counts as no choice.
UNAVAILABLE: Final = "#unavailable"


WAY: Final = "way:"


FILTERS: Final = "filters"


#: The way besides those of :class:`bot.changes.model.values.EditMode`: the typed text becomes the whole list.
REPLACE: Final = "replace"


WAYS: Final = {
    REPLACE: "Replace the list",
    EditMode.ADD.value: ("Add to the list"),
    EditMode.REMOVE.value: "Remove from the list",
}


#: Characters that one input holds (Slack: max_length of plain_text_input).
BOX_LENGTH: Final = 3000


def ways_to_filter(kind: Kind) -> dict[str, tuple[FilterField, str]]:
    """Return key -> (field, the form's name for this way of comparing) for every filter of ``kind``."""
    ways: dict[str, tuple[FilterField, str]] = {}
    for each in kind.filters:
        if not each.operators:
            ways[each.name] = (each, each.asked)
        for operator in each.operators:
            ways[f"{each.name}[{operator}]"] = (each, f"{each.asked}: {operator.replace('eq', 'is').replace('_', ' ')}")
    return ways


def filter_fields(kind: Kind, draft: Draft, ways: Mapping[str, tuple[FilterField, str]]) -> list[Block]:
    """Return the choice of filters, an input for each chosen filter, and the exclusions."""
    options = {key: option(label, key) for key, (_, label) in ways.items()}
    element: Block = {
        "type": "multi_static_select",
        "action_id": FILTERS,
        "placeholder": plain("Choose filters"),
        "options": list(options.values()),
    }
    if chosen := [options[key] for key in draft.filters if key in options]:
        element["initial_options"] = chosen
    hint = f"All numbers of the {kind.provider.title()} account that match every filter, in addition to those above."
    blocks = [field(FILTERS, "Filter by", element, hint=hint, optional=True, dispatch=True)]
    for key, typed in draft.filters.items():
        if key in ways:
            each, label = ways[key]
            blocks.append(field(f"{PREFIX}{key}", label, _filter_element(each, typed, draft, key), hint=each.help))
    text = text_input(EXCLUDED, draft.excluded, BOX_LENGTH, multiline=True)
    hint = "These numbers are not changed, even if they are listed or match a filter."
    blocks.append(field(EXCLUDED, "Exclude", text, hint=hint, optional=True))
    return blocks


def _filter_element(each: FilterField, typed: str, draft: Draft, key: str) -> Block:
    match each.shape:
        case Shape.LOOKUP:
            element: Block = {
                "type": "external_select",
                "action_id": PREFIX,
                "min_query_length": 0,
                "placeholder": plain("Type to search"),
            }
            if typed:
                element["initial_option"] = option(draft.picked.get(f"{PREFIX}{key}", typed), typed)
            return element
        case Shape.CHOICE | Shape.BOOL:
            choices = each.choices or (Choice("true", "Yes"),)
            select = _select([option(choice.label, choice.value) for choice in choices], typed)
            return {**select, "action_id": PREFIX}
        case _:
            return text_input(PREFIX, typed, 250)


def settings_field(kind: Kind, draft: Draft) -> Block:
    """Return the choice of settings to change."""
    options = {s.name: option(s.label, s.name) for s in kind.settings if not s.always}
    element: Block = {
        "type": "multi_static_select",
        "action_id": SETTINGS,
        "placeholder": plain("Choose settings"),
        "options": list(options.values()),
    }
    if chosen := [options[name] for name in draft.chosen if name in options]:
        element["initial_options"] = chosen
    # A sheet may set everything; the server knows what is missing.
    hint = "Only settings that you choose here, or that a sheet has a column for, are changed."
    return field(SETTINGS, "Settings to change", element, hint=hint, optional=True, dispatch=True)


def value_fields(setting: Setting, draft: Draft) -> list[Block]:
    """Return the inputs for a setting's value, and for how it changes a list."""
    value = _value_field(setting, draft)
    return [_way_field(setting, draft), value] if setting.listed else [value]


def _way_field(setting: Setting, draft: Draft) -> Block:
    """Return the choice between a new list and an edit of each number's list."""
    way = draft.ways.get(setting.name)
    select = _select([option(text, key) for key, text in WAYS.items()], way.value if way else REPLACE)
    return field(f"{WAY}{setting.name}", f"{setting.label}: how", {**select, "action_id": WAY})


def _value_field(setting: Setting, draft: Draft) -> Block:
    value = draft.typed.get(setting.name)
    sealed = isinstance(value, Secret) and bool(value.sealed)
    hint = setting.help
    if setting.secret:
        hint = (
            ("The earlier value is kept. Type only to replace it.")
            if sealed
            else f"{hint} It is never shown again.".strip()
        )
    element = _value_element(setting, value, draft.picked.get(setting.name, ""))
    # Slack cannot know when an empty value has a meaning; the server checks it and reports it at the field.
    optional = setting.clearable or sealed or setting.always
    return field(f"{VALUE}{setting.name}", setting.label, element, hint=hint, optional=optional)


def _value_element(setting: Setting, value: Value, picked: str) -> Block:
    match setting.shape:
        case Shape.BOOL:
            return _select([option("On", "true"), option("Off", "false")], value)
        case Shape.CHOICE:
            return _select([option(choice.label, choice.value) for choice in setting.choices], value)
        case Shape.LOOKUP:
            element: Block = {
                "type": "external_select",
                "action_id": VALUE,
                "min_query_length": 0,
                "placeholder": plain("Type to search"),
            }
            if isinstance(value, str) and value:
                element["initial_option"] = option(picked or value, value)
            return element
        case Shape.SECRET:
            return text_input(VALUE, "", setting.max_length)
        case Shape.LOOKUPS:
            picked_ids = [each for each in str(value or "").split(",") if each]
            element = {
                "type": "multi_external_select",
                "action_id": VALUE,
                "min_query_length": 0,
                "placeholder": plain("Type to search"),
            }
            if picked_ids:
                names = json.loads(picked) if picked else {}
                element["initial_options"] = [option(names.get(each, each), each) for each in picked_ids]
            return element
        case Shape.INTEGER:
            least, most = setting.bounds
            element = {"type": "number_input", "action_id": VALUE, "is_decimal_allowed": False}
            element |= {"min_value": str(least), "max_value": str(most)}
            return {**element, "initial_value": str(value)} if value else element
        case Shape.TEXT | Shape.PHONE | Shape.TAGS | Shape.NUMBERS | Shape.URL:
            length = BOX_LENGTH if setting.listed else setting.max_length
            return text_input(VALUE, str(value or ""), length)


def _select(options: list[Block], value: Value) -> Block:
    element: Block = {"type": "static_select", "action_id": VALUE, "options": options}
    for each in options:
        if each["value"] == value:
            element["initial_option"] = each
    return element


def text_input(action: str, text: str, length: int, *, multiline: bool = False) -> Block:
    """Return a text input with the text typed so far, for texts of up to ``length`` characters.

    It holds one more if Slack allows: a full input may have been cut off, a text that just fits was not.
    """
    most = min(length + 1, BOX_LENGTH)
    element: Block = {"type": "plain_text_input", "action_id": action, "multiline": multiline, "max_length": most}
    if text:
        element["initial_value"] = text[:most]
    return element
