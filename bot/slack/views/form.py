"""The form: kind, numbers, which settings, their values, the reason. Building it, and reading it back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.changes.drafts import EXCLUDED, NUMBERS, REASON, REASON_LENGTH, SETTINGS
from bot.changes.filters import PREFIX, FilterField
from bot.changes.kinds import Kind
from bot.changes.records import Draft
from bot.changes.settings import Choice, Setting, Shape
from bot.changes.values import Secret, Value
from bot.slack.views.elements import Block, View, actions, button, context, field, modal, option, plain

FORM: Final = "change_form"
KIND: Final = "kind"
VALUE: Final = "value:"
MORE: Final = "more_numbers"
FILTERS: Final = "filters"

#: Characters that one input holds (Slack: max_length of plain_text_input).
BOX_LENGTH: Final = 3000
#: Number boxes in one form: about 4,600 numbers. More would not fit beside the settings in Slack's 250 kB per view.
MOST_BOXES: Final = 20


def form(
    kinds: Sequence[Kind], kind: Kind, draft: Draft, *, origin: str, boxes: int = 1, source: int | None = None
) -> View:
    """Return the form for ``kind``, filled with ``draft``, with at least ``boxes`` number boxes.

    ``source`` is the change whose plan is being edited: its sealed secrets stay when their fields are left empty.

    The ids of blocks and actions stay the same from view to view, so that Slack keeps what was typed.
    """
    boxes = min(max(boxes, len(draft.pasted), 1), MOST_BOXES)
    blocks = [_kind_field(kinds, kind), *_number_fields(draft, boxes)]
    if fields := ways_to_filter(kind):
        blocks += _filter_fields(kind, draft, fields)
    if any(not setting.always for setting in kind.settings):
        blocks.append(_settings_field(kind, draft))
    blocks += [
        _value_field(setting, draft) for setting in kind.settings if setting.always or setting.name in draft.chosen
    ]
    blocks.append(
        field(
            REASON,
            "Reason",
            _text_input(REASON, draft.reason, REASON_LENGTH, multiline=True),
            hint="The approver decides on it, and it stays in the history.",
        )
    )
    private = json.dumps({"origin": origin, "boxes": boxes, "kind": kind.name, "source": source})
    return modal(FORM, "Change phone numbers", blocks, submit="Preview", close="Cancel", private=private)


def _kind_field(kinds: Sequence[Kind], kind: Kind) -> Block:
    options = {each.name: option(f"{each.provider.title()}: {each.title}", each.name) for each in kinds}
    element = {
        "type": "static_select",
        "action_id": KIND,
        "options": list(options.values()),
        "initial_option": options[kind.name],
    }
    return field(KIND, "What to change", element, dispatch=True)


def _number_fields(draft: Draft, boxes: int) -> list[Block]:
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
                optional=True,  # a filter will do; the server knows what is missing
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
    """Return key -> (field, what people call this way of comparing) of every filter that can be previewed."""
    ways: dict[str, tuple[FilterField, str]] = {}
    for each in kind.filters:
        if not each.previewable:
            continue
        if not each.operators:
            ways[each.name] = (each, each.label)
        for operator in each.operators:
            ways[f"{each.name}[{operator}]"] = (each, f"{each.label}: {operator.replace('eq', 'is').replace('_', ' ')}")
    return ways


def _filter_fields(kind: Kind, draft: Draft, ways: Mapping[str, tuple[FilterField, str]]) -> list[Block]:
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
    return field(SETTINGS, "Settings to change", element, hint="Only what you choose here is changed.", dispatch=True)


def _value_field(setting: Setting, draft: Draft) -> Block:
    value = draft.typed.get(setting.name)
    kept = isinstance(value, Secret) and bool(value.sealed)
    hint = setting.help
    if setting.secret:
        hint = "Kept from before; type only to replace it." if kept else f"{hint} It is never shown again.".strip()
    element = _value_element(setting, value, draft.picked.get(setting.name, ""))
    # Slack cannot know when an empty value means something; the server checks it and answers on the field.
    optional = setting.clearable or kept or (setting.always and setting.shape is not Shape.BOOL)
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
        case Shape.TEXT | Shape.PHONE | Shape.TAGS:
            length = BOX_LENGTH if setting.shape is Shape.TAGS else setting.max_length
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


def read_form(view: Mapping[str, Any], kinds: Mapping[str, Kind], kept: Mapping[str, Value] | None = None) -> Draft:
    """Return what the person has typed so far, from the payload's ``view``.

    ``kept`` holds sealed secrets from an earlier round, for secret fields that were left empty.
    """
    state: Mapping[str, Mapping[str, Mapping[str, Any]]] = view.get("state", {}).get("values", {})
    answers: dict[str, Mapping[str, Any]] = {
        block: next(iter(elements.values()), {}) for block, elements in state.items()
    }
    private = read_private(view)
    kind = kinds.get(_answer(answers.get(KIND, {})) or private.get("kind", "")) or next(iter(kinds.values()))
    boxes = int(private.get("boxes", 1))
    chosen = tuple(item["value"] for item in answers.get(SETTINGS, {}).get("selected_options") or ())
    typed: dict[str, Value] = {}
    picked: dict[str, str] = {}
    for setting in kind.settings:
        answer = answers.get(f"{VALUE}{setting.name}")
        if answer is None:
            continue
        text = _answer(answer)
        if text:
            typed[setting.name] = text
            if setting.lookup:
                picked[setting.name] = answer["selected_option"]["text"]["text"]
        elif setting.secret and kept and setting.name in kept:
            typed[setting.name] = kept[setting.name]
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
    return Draft(
        kind=kind.name,
        filters=filters,
        excluded=_answer(answers.get(EXCLUDED, {})) if filters else "",
        pasted=tuple(_answer(answers.get(f"{NUMBERS}:{index}", {})) for index in range(boxes)),
        chosen=tuple(name for name in chosen if name in kind.by_name),
        typed=typed,
        picked=picked,
        reason=_answer(answers.get(REASON, {})),
    )


def _answer(answer: Mapping[str, Any]) -> str:
    """Return what was typed or chosen in one element; an empty text when nothing was."""
    if selected := answer.get("selected_option"):
        return str(selected["value"])
    return str(answer.get("value") or "")


def read_private(view: Mapping[str, Any]) -> dict[str, Any]:
    """Return the view's private metadata."""
    text = view.get("private_metadata") or "{}"
    stored: dict[str, Any] = json.loads(text)
    return stored


def field_errors(problems: Mapping[str, str], view: Mapping[str, Any]) -> dict[str, str]:
    """Return Slack's errors, by block id, for problems by field; each lands on an input that the view has."""
    inputs = [block["block_id"] for block in view["blocks"] if block["type"] == "input"]
    errors: dict[str, str] = {}
    for name, problem in problems.items():
        candidates = (name, f"{name}:0", f"{VALUE}{name}", *(each for each in inputs if each.startswith(f"{name}[")))
        block = next((each for each in candidates if each in inputs), REASON)
        errors[block] = f"{errors[block]} {problem}" if block in errors else problem
    return errors


def full_boxes(draft: Draft) -> dict[str, str]:
    """Return a problem for every number box that is full to the last character.

    Nobody can tell a box that just fits from one whose rest was cut off by Slack, so a full one is never trusted.
    """
    return {
        f"{NUMBERS}:{index}": (
            f"This box is full ({BOX_LENGTH:,} characters), so the end of your list may have been cut off. "
            "Press “Add a box” and move the last numbers there."
        )
        for index, text in enumerate(draft.pasted)
        if len(text) >= BOX_LENGTH
    }
