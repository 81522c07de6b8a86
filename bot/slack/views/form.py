"""The form: kind, numbers, which settings, their values, the reason. Building it, and reading it back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from bot.changes.drafts import CANARY, EXCLUDED, NUMBERS, REASON, REASON_LENGTH, SETTINGS
from bot.changes.filters import PREFIX, FilterField
from bot.changes.kinds import Kind
from bot.changes.records import Base, Draft, Following, public_id
from bot.changes.settings import Choice, Setting, Shape
from bot.changes.starts import LENGTH as START_LENGTH
from bot.changes.starts import START
from bot.changes.values import Secret, Value, Way
from bot.slack.views.elements import (
    Block,
    View,
    actions,
    button,
    context,
    escape,
    field,
    listed,
    modal,
    option,
    plain,
    section,
)
from bot.slack.views.sheet_field import kept, sheet_fields

FORM: Final = "change_form"
KIND: Final = "kind"
VALUE: Final = "value:"
WAY: Final = "way:"
MORE: Final = "more_numbers"
FILTERS: Final = "filters"

#: The way that is none of :class:`bot.changes.values.Way`: what is typed becomes the whole list.
REPLACE: Final = "replace"
WAYS: Final = {REPLACE: "Replace the list", Way.ADD.value: "Add to it", Way.REMOVE.value: "Take away from it"}
#: Characters that one input holds (Slack: max_length of plain_text_input).
BOX_LENGTH: Final = 3000
#: Number boxes in one form: about 4,600 numbers. More would not fit beside the settings in Slack's 250 kB per view.
MOST_BOXES: Final = 20


def form(
    kinds: Sequence[Kind],
    kind: Kind,
    draft: Draft,
    *,
    origin: str,
    boxes: int = 1,
    source: int | None = None,
    problems: Mapping[str, str] | None = None,
    turn: int = 0,
) -> View:
    """Return the form for ``kind``, filled with ``draft``, with at least ``boxes`` number boxes.

    ``source`` is the change whose plan is being edited: its sealed secrets stay when their fields are left empty.
    ``problems`` stand above everything; they are for when Slack no longer takes them at the fields.
    ``turn`` counts how often the input for a sheet has started over.

    The ids of blocks and actions stay the same from view to view, so that Slack keeps what was typed.
    """
    boxes = min(max(boxes, len(draft.pasted), 1), MOST_BOXES)
    blocks = [kind_field(kinds, kind), *number_fields(draft, boxes), *sheet_fields(draft.sheet, turn)]
    if problems:
        blocks.insert(0, section("⚠️ *Not sent yet.*\n" + listed([f"• {escape(each)}" for each in problems.values()])))
    if fields := ways_to_filter(kind):
        blocks += filter_fields(kind, draft, fields)
    if any(not setting.always for setting in kind.settings):
        blocks.append(_settings_field(kind, draft))
    for setting in kind.settings:
        if setting.always or setting.name in draft.chosen:
            blocks += _value_fields(setting, draft)
    blocks.append(
        field(
            REASON,
            "Reason",
            _text_input(REASON, draft.reason, REASON_LENGTH, multiline=True),
            hint="The approver decides on it, and it stays in the history.",
        )
    )
    blocks += [_start_field(draft), _canary_field(draft)]
    about = {"origin": origin, "boxes": boxes, "kind": kind.name, "source": source, **kept(draft.sheet, turn)}
    if draft.base:
        blocks.insert(0, section(base_text(draft.base)))
        about["base"] = {"change": draft.base.change, "what": draft.base.what.value}
    private = json.dumps(about, ensure_ascii=False)
    return modal(FORM, "Change phone numbers", blocks, submit="Preview", close="Cancel", private=private)


def base_text(base: Base) -> str:
    """Return which numbers of an earlier change are meant, in mrkdwn."""
    if base.what is Following.UNDO:
        return f"↩️ The numbers that *{public_id(base.change)}* changed get back what they had before it."
    return (
        f"🔁 Meant are the numbers of *{public_id(base.change)}* that failed, differ or were not attempted, besides "
        "what you add below. Correct what was wrong, or ask for the same once more."
    )


def _start_field(draft: Draft) -> Block:
    """Return the input for the start; the person's time zone is the one that Slack knows."""
    hint = (
        "In your time zone: tonight 22:00, tomorrow 6am, Mon 06:30, 2026-11-30 02:00, in 2 hours. "
        "Leave it empty to start once approved."
    )
    return field(START, "Start", _text_input(START, draft.start, START_LENGTH), hint=hint, optional=True)


def _canary_field(draft: Draft) -> Block:
    """Return the input for the size of the first try."""
    element: Block = {"type": "number_input", "action_id": CANARY, "is_decimal_allowed": False, "min_value": "1"}
    if draft.canary.isdigit():
        element["initial_value"] = draft.canary
    hint = (
        "So many numbers go first, alone, and are read back. If any is not as it should be, the change pauses and asks "
        "you. Leave it empty to change all together."
    )
    return field(CANARY, "First try on so many numbers", element, hint=hint, optional=True)


def kind_field(kinds: Sequence[Kind], kind: Kind) -> Block:
    """Return the choice of what to change."""
    options = {each.name: option(f"{each.provider.title()}: {each.title}", each.name) for each in kinds}
    element = {
        "type": "static_select",
        "action_id": KIND,
        "options": list(options.values()),
        "initial_option": options[kind.name],
    }
    return field(KIND, "What to change", element, dispatch=True)


def number_fields(draft: Draft, boxes: int) -> list[Block]:
    """Return the boxes for numbers, with a way to add one."""
    fields = []
    for index in range(boxes):
        text = draft.pasted[index] if index < len(draft.pasted) else ""
        hint = "Numbers such as +13035550100, or the provider's ids; separated by commas, spaces or new lines."
        fields.append(
            field(
                f"{NUMBERS}:{index}",
                "Numbers" if boxes == 1 else f"Numbers, box {index + 1} of {boxes}",
                _text_input(NUMBERS, text, BOX_LENGTH, multiline=True),
                hint=hint if index == 0 else "",
                optional=True,  # a sheet or a filter will do; the server knows what is missing
            )
        )
    said = f"A box holds {BOX_LENGTH:,} characters, about 230 numbers. "
    if boxes < MOST_BOXES:
        fields.append(
            context(f"{said}For a longer list add boxes before you paste the rest; there can be {MOST_BOXES}.")
        )
        fields.append(actions(MORE, [button("Add a box", MORE, str(boxes + 1))]))
    else:
        fields.append(
            context(f"{said}All {MOST_BOXES} boxes are there; put the rest of a longer list in a second change.")
        )
    return fields


def ways_to_filter(kind: Kind) -> dict[str, tuple[FilterField, str]]:
    """Return key -> (field, what people call this way of comparing) of every filter of ``kind``."""
    ways: dict[str, tuple[FilterField, str]] = {}
    for each in kind.filters:
        if not each.operators:
            ways[each.name] = (each, each.label)
        for operator in each.operators:
            ways[f"{each.name}[{operator}]"] = (each, f"{each.label}: {operator.replace('eq', 'is').replace('_', ' ')}")
    return ways


def filter_fields(kind: Kind, draft: Draft, ways: Mapping[str, tuple[FilterField, str]]) -> list[Block]:
    """Return the choice of filters, an input for each chosen one, and the exclusions."""
    options = {key: option(label, key) for key, (_, label) in ways.items()}
    element: Block = {
        "type": "multi_static_select",
        "action_id": FILTERS,
        "placeholder": plain("Choose filters"),
        "options": list(options.values()),
    }
    if chosen := [options[key] for key in draft.filters if key in options]:
        element["initial_options"] = chosen
    hint = f"All numbers of the {kind.provider.title()} account that meet every filter, beside those above."
    blocks = [field(FILTERS, "Filter by", element, hint=hint, optional=True, dispatch=True)]
    for key, typed in draft.filters.items():
        if key in ways:
            each, label = ways[key]
            blocks.append(field(f"{PREFIX}{key}", label, _filter_element(each, typed, draft, key), hint=each.help))
    if draft.filters:
        text = _text_input(EXCLUDED, draft.excluded, BOX_LENGTH, multiline=True)
        blocks.append(field(EXCLUDED, "Except", text, hint="Numbers that are not to be touched.", optional=True))
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
            return _text_input(PREFIX, typed, 250)


def _settings_field(kind: Kind, draft: Draft) -> Block:
    options = {s.name: option(s.label, s.name) for s in kind.settings if not s.always}
    element: Block = {
        "type": "multi_static_select",
        "action_id": SETTINGS,
        "placeholder": plain("Choose settings"),
        "options": list(options.values()),
    }
    if chosen := [options[name] for name in draft.chosen if name in options]:
        element["initial_options"] = chosen
    # A sheet may say all of it; the server knows what is missing.
    hint = "Only what you choose here is changed, and what a sheet has a column for."
    return field(SETTINGS, "Settings to change", element, hint=hint, optional=True, dispatch=True)


def _value_fields(setting: Setting, draft: Draft) -> list[Block]:
    value = _value_field(setting, draft)
    return [_way_field(setting, draft), value] if setting.listed else [value]


def _way_field(setting: Setting, draft: Draft) -> Block:
    """Return the choice between a new list and an edit of the list that each number has."""
    way = draft.ways.get(setting.name)
    select = _select([option(text, key) for key, text in WAYS.items()], way.value if way else REPLACE)
    return field(f"{WAY}{setting.name}", f"{setting.label}: how", {**select, "action_id": WAY})


def _value_field(setting: Setting, draft: Draft) -> Block:
    value = draft.typed.get(setting.name)
    sealed = isinstance(value, Secret) and bool(value.sealed)
    hint = setting.help
    if setting.secret:
        hint = "Kept from before; type only to replace it." if sealed else f"{hint} It is never shown again.".strip()
    element = _value_element(setting, value, draft.picked.get(setting.name, ""))
    # Slack cannot know when an empty value means something; the server checks it and answers on the field.
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
            return _text_input(VALUE, "", setting.max_length)
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
            return _text_input(VALUE, str(value or ""), length)


def _select(options: list[Block], value: Value) -> Block:
    element: Block = {"type": "static_select", "action_id": VALUE, "options": options}
    for each in options:
        if each["value"] == value:
            element["initial_option"] = each
    return element


def _text_input(action: str, text: str, length: int, *, multiline: bool = False) -> Block:
    element: Block = {"type": "plain_text_input", "action_id": action, "multiline": multiline, "max_length": length}
    if text:
        element["initial_value"] = text[:length]
    return element
