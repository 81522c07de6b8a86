"""Composition objects: texts, options, confirmations (docs.slack.dev/reference/block-kit/composition-objects)."""

from __future__ import annotations

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
    whole,
)

PLAIN = {"text", "type", "emoji"}
MRKDWN = {"text", "type", "verbatim"}

#: the sources disagree about 75 and 150 (slack/API.md, "Lengths of texts and elements"); 75 is safe by both
OPTION_VALUE = 75


def text(most: int, *kinds: str, least: int = 1) -> Rule:
    """Return a rule for a text object of the given kinds, both when none is given."""
    allowed = kinds or ("plain_text", "mrkdwn")
    length = string(most, least)

    def rule(value: object, at: str, look: Inspection) -> None:
        if not isinstance(value, dict):
            look.fail(at, "must be a text object")
            return
        kind = value.get("type")
        if kind not in allowed:
            look.fail(f"{at}/type", f"must be {' or '.join(allowed)}")
            return
        if "text" not in value:
            look.fail(at, "missing required field: text")
            return
        length(value["text"], f"{at}/text", look)
        for name in sorted(set(value) - (PLAIN if kind == "plain_text" else MRKDWN)):
            look.fail(f"{at}/{name}", f"no more fields allowed: {name}")

    return rule


def plain(most: int) -> Rule:
    """Return a rule for a plain_text object."""
    return text(most, "plain_text")


def option(*kinds: str) -> Rule:
    """Return a rule for an option whose texts are of these kinds: menus take plain text, checkboxes and radios both."""
    return record(
        {"text": text(75, *kinds), "value": string(OPTION_VALUE)},
        {"description": text(75, *kinds)},
    )


MENU_OPTION = option("plain_text")
CHOICE_OPTION = option()
OVERFLOW_OPTION = record(
    {"text": plain(75), "value": string(OPTION_VALUE)}, {"description": plain(75), "url": string(3000)}
)
OPTIONS = items(MENU_OPTION, 100)
OPTION_GROUPS = items(record({"label": plain(75), "options": OPTIONS}), 100)

#: what an app answers to block_suggestion; no options at all are a good answer
SUGGESTIONS = both(
    record(
        {},
        {
            "options": items(MENU_OPTION, 100, least=0),
            "option_groups": items(record({"label": plain(75), "options": items(MENU_OPTION, 100)}), 100, least=0),
        },
    ),
    exactly_one("options", "option_groups"),
)

CONFIRM = record(
    {"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30)},
    {"style": one_of("primary", "danger")},
)
DISPATCH = record({}, {"trigger_actions_on": items(one_of("on_enter_pressed", "on_character_entered"), 2)})
FILTER = record(
    {},
    {
        "include": items(one_of("im", "mpim", "private", "public"), 4),
        "exclude_external_shared_channels": flag,
        "exclude_bot_users": flag,
    },
)
SLACK_FILE = both(record({}, {"id": string(255), "url": string(3000)}), exactly_one("id", "url"))
WORKFLOW = record({"trigger": record({"url": string(3000)}, {"customizable_input_parameters": anything})})
SELECTED_ITEMS = whole(1, 100)
