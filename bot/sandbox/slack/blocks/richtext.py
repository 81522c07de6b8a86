"""The rich_text block: sections, lists, quotes and preformatted text made of leaves."""

from __future__ import annotations

from collections.abc import Mapping

from bot.sandbox.slack.blocks.rules import (
    Rule,
    anything,
    flag,
    items,
    nullable,
    number,
    one_of,
    record,
    string,
    tagged,
    whole,
)

STYLE = record(
    {},
    {
        "bold": flag,
        "italic": flag,
        "strike": flag,
        "code": flag,
        "underline": flag,
        "highlight": flag,
        "client_highlight": flag,
        "unlink": flag,
    },
)
STYLED: Mapping[str, Rule] = {"style": STYLE}
LONG = 40_000

LEAVES: Mapping[str, Rule] = {
    "text": record({"text": string(LONG)}, STYLED),
    "link": record({"url": string(3000)}, {"text": string(LONG), "unsafe": flag, **STYLED}),
    "user": record({"user_id": string(255)}, STYLED),
    "usergroup": record({"usergroup_id": string(255)}, STYLED),
    "team": record({"team_id": string(255)}, STYLED),
    "channel": record({"channel_id": string(255)}, STYLED),
    "emoji": record({"name": string(255)}, {"unicode": string(255), "skin_tone": whole(1, 6), **STYLED}),
    "broadcast": record({"range": one_of("here", "channel", "everyone")}, STYLED),
    "color": record({"value": string(7)}, STYLED),
    "date": record(
        {"timestamp": number, "format": string(255)},
        {"url": nullable(string(3000)), "fallback": nullable(string(255)), **STYLED},
    ),
}
LEAF = tagged(lambda: LEAVES, "rich text leaf")
SECTION = record({"elements": items(LEAF, LONG, least=0)})
BORDER = whole(0, 1)

PARTS: Mapping[str, Rule] = {
    "rich_text_section": SECTION,
    "rich_text_list": record(
        {
            "elements": items(tagged(lambda: {"rich_text_section": SECTION}, "list item"), LONG, least=0),
            "style": one_of("bullet", "ordered"),
        },
        {"indent": whole(0, 8), "offset": whole(0, 100_000), "border": BORDER},
    ),
    "rich_text_quote": record({"elements": items(LEAF, LONG, least=0)}, {"border": BORDER}),
    "rich_text_preformatted": record(
        {"elements": items(LEAF, LONG, least=0)}, {"border": BORDER, "language": anything}
    ),
}
#: the fields of a rich_text block besides its type and block_id
RICH_TEXT_FIELDS: Mapping[str, Rule] = {"elements": items(tagged(lambda: PARTS, "rich text element"), LONG)}
#: rich text inside another block, where it may carry its own id
RICH_TEXT = tagged(
    lambda: {"rich_text": record(RICH_TEXT_FIELDS, {"block_id": string(255)})},
    "rich_text object",
)
