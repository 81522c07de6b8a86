"""Block elements, each with its limits, and the blocks that each may stand in.

Source: docs.slack.dev/reference/block-kit/block-elements.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bot.sandbox.slack.blocks.objects import (
    CHOICE_OPTION,
    CONFIRM,
    DISPATCH,
    FILTER,
    MENU_OPTION,
    OPTION_GROUPS,
    OPTIONS,
    OVERFLOW_OPTION,
    SELECTED_ITEMS,
    SLACK_FILE,
    WORKFLOW,
    plain,
)
from bot.sandbox.slack.blocks.rules import (
    Inspection,
    Rule,
    anything,
    both,
    exactly_one,
    flag,
    items,
    one_of,
    record,
    string,
    tagged,
    whole,
)

ACTION_ID = string(255)
IDS = items(string(255), 100)
BASE: Mapping[str, Rule] = {"action_id": ACTION_ID}
CONFIRMED: Mapping[str, Rule] = {**BASE, "confirm": CONFIRM, "focus_on_load": flag}
MENU: Mapping[str, Rule] = {**CONFIRMED, "placeholder": plain(150)}
TYPED: Mapping[str, Rule] = {
    **BASE,
    "placeholder": plain(150),
    "focus_on_load": flag,
    "dispatch_action_config": DISPATCH,
}
SEVERAL: Mapping[str, Rule] = {**MENU, "max_selected_items": SELECTED_ITEMS}
ONE_LIST = exactly_one("options", "option_groups")
NUMBER = string(40)


def _lengths(value: object, at: str, look: Inspection) -> None:
    if not isinstance(value, dict):
        return
    low, high, first = value.get("min_length", 0), value.get("max_length", 3000), value.get("initial_value")
    if isinstance(low, int) and isinstance(high, int) and low > high:
        look.fail(f"{at}/min_length", "must not be more than max_length")
    if isinstance(first, str) and isinstance(high, int) and len(first) > high:
        look.fail(f"{at}/initial_value", f"must be less than {high + 1} characters")


def _first_among_options(value: object, at: str, look: Inspection) -> None:
    """Want every initial option to be one of the options, exactly."""
    if not isinstance(value, dict):
        return
    offered = list(value.get("options") or [])
    for group in value.get("option_groups") or []:
        offered.extend(group.get("options", []) if isinstance(group, dict) else [])
    chosen = list(value.get("initial_options") or [])
    if value.get("initial_option") is not None:
        chosen.append(value["initial_option"])
    if any(each not in offered for each in chosen):
        look.fail(at, "initial option must exactly match one of the options provided")
    values = [each.get("value") for each in offered if isinstance(each, dict)]
    if len(set(map(str, values))) != len(values):
        look.fail(at, "option values must be unique")


def _choices(*, several: bool) -> Rule:
    first: Mapping[str, Rule] = (
        {"initial_options": items(CHOICE_OPTION, 10)} if several else {"initial_option": CHOICE_OPTION}
    )
    return both(record({"options": items(CHOICE_OPTION, 10)}, {**CONFIRMED, **first}), _first_among_options)


def _menu(first: Mapping[str, Rule], base: Mapping[str, Rule]) -> Rule:
    lists: Mapping[str, Rule] = {"options": OPTIONS, "option_groups": OPTION_GROUPS}
    return both(record({}, {**base, **lists, **first}), ONE_LIST, _first_among_options)


BUTTON = record(
    {"text": plain(75)},
    {
        **BASE,
        "url": string(3000),
        "value": string(2000),
        "style": one_of("primary", "danger"),
        "confirm": CONFIRM,
        "accessibility_label": string(75),
        "visible_to_user_ids": IDS,
        "agent_prompt": string(4000),
        "agent_prompt_display": anything,
    },
)
IMAGE = both(
    record({"alt_text": string(2000)}, {"image_url": string(3000), "slack_file": SLACK_FILE}),
    exactly_one("image_url", "slack_file"),
)
FEEDBACK = record({"text": plain(75), "value": string(2000)}, {"accessibility_label": string(75)})

ELEMENTS: Mapping[str, Rule] = MappingProxyType(
    {
        "button": BUTTON,
        "checkboxes": _choices(several=True),
        "radio_buttons": _choices(several=False),
        "overflow": record({"options": items(OVERFLOW_OPTION, 5)}, {**BASE, "confirm": CONFIRM}),
        "image": IMAGE,
        "datepicker": record({}, {**MENU, "initial_date": string(10)}),
        "timepicker": record({}, {**MENU, "initial_time": string(5), "timezone": string(100)}),
        "datetimepicker": record({}, {**CONFIRMED, "initial_date_time": whole(1_000_000_000, 9_999_999_999)}),
        "plain_text_input": both(
            record(
                {},
                {
                    **TYPED,
                    "initial_value": string(3000, 0),
                    "multiline": flag,
                    "min_length": whole(0, 3000),
                    "max_length": whole(1, 3000),
                },
            ),
            _lengths,
        ),
        "email_text_input": record({}, {**TYPED, "initial_value": string(3000, 0)}),
        "url_text_input": record({}, {**TYPED, "initial_value": string(3000, 0)}),
        "number_input": record(
            {"is_decimal_allowed": flag},
            {**TYPED, "initial_value": NUMBER, "min_value": NUMBER, "max_value": NUMBER},
        ),
        "rich_text_input": record({}, {**TYPED, "initial_value": anything}),
        "file_input": record({}, {**BASE, "filetypes": items(string(20), 100), "max_files": whole(1, 10)}),
        "static_select": _menu({"initial_option": MENU_OPTION}, MENU),
        "multi_static_select": _menu({"initial_options": items(MENU_OPTION, 100)}, SEVERAL),
        "external_select": record({}, {**MENU, "initial_option": MENU_OPTION, "min_query_length": whole(0, 3000)}),
        "multi_external_select": record(
            {}, {**SEVERAL, "initial_options": items(MENU_OPTION, 100), "min_query_length": whole(0, 3000)}
        ),
        "users_select": record({}, {**MENU, "initial_user": string(255)}),
        "multi_users_select": record({}, {**SEVERAL, "initial_users": IDS}),
        "channels_select": record({}, {**MENU, "initial_channel": string(255), "response_url_enabled": flag}),
        "multi_channels_select": record({}, {**SEVERAL, "initial_channels": IDS}),
        "conversations_select": record(
            {},
            {
                **MENU,
                "initial_conversation": string(255),
                "default_to_current_conversation": flag,
                "response_url_enabled": flag,
                "filter": FILTER,
            },
        ),
        "multi_conversations_select": record(
            {},
            {
                **SEVERAL,
                "initial_conversations": IDS,
                "default_to_current_conversation": flag,
                "filter": FILTER,
            },
        ),
        "workflow_button": record(
            {"text": plain(75), "workflow": WORKFLOW},
            {**BASE, "style": one_of("primary", "danger"), "accessibility_label": string(75)},
        ),
        "feedback_buttons": record({"positive_button": FEEDBACK, "negative_button": FEEDBACK}, BASE),
        "icon_button": record(
            {"icon": one_of("trash"), "text": plain(75)},
            {
                **BASE,
                "value": string(2000),
                "confirm": CONFIRM,
                "accessibility_label": string(75),
                "visible_to_user_ids": IDS,
            },
        ),
    }
)

SELECTS = frozenset(name for name in ELEMENTS if name.endswith("_select") and not name.startswith("multi_"))
MULTI = frozenset(name for name in ELEMENTS if name.startswith("multi_"))
CHOICES = frozenset({"checkboxes", "radio_buttons"})
PICKERS = frozenset({"datepicker", "timepicker"})

#: block type -> the elements that may stand in it
PLACES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "section": SELECTS | MULTI | CHOICES | PICKERS | {"button", "overflow", "image", "workflow_button"},
        "actions": SELECTS
        | MULTI
        | CHOICES
        | PICKERS
        | {"button", "overflow", "datetimepicker", "workflow_button", "rich_text_input"},
        "input": SELECTS
        | MULTI
        | CHOICES
        | PICKERS
        | {
            "plain_text_input",
            "email_text_input",
            "url_text_input",
            "number_input",
            "rich_text_input",
            "datetimepicker",
            "file_input",
        },
        "context_actions": frozenset({"feedback_buttons", "icon_button"}),
        "card": frozenset({"button"}),
    }
)


def element_in(block: str) -> Rule:
    """Return the rule for an element inside a block of this type, on the surface at hand."""
    allowed = {name: ELEMENTS[name] for name in PLACES[block]}
    return tagged(lambda: allowed, "block element")
