"""Layout blocks, each with its limits (docs.slack.dev/reference/block-kit/blocks)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bot.sandbox.slack.blocks.elements import ELEMENTS, IMAGE, element_in
from bot.sandbox.slack.blocks.objects import SLACK_FILE, plain, text
from bot.sandbox.slack.blocks.richtext import RICH_TEXT, RICH_TEXT_FIELDS
from bot.sandbox.slack.blocks.rules import (
    Inspection,
    Rule,
    anything,
    at_least_one,
    both,
    exactly_one,
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

BLOCK_ID: Mapping[str, Rule] = {"block_id": string(255)}


def _block(required: Mapping[str, Rule], optional: Mapping[str, Rule] | None = None) -> Rule:
    return record(required, {**BLOCK_ID, **(optional or {})})


def _no_dispatching_files(value: object, at: str, look: Inspection) -> None:
    if isinstance(value, dict) and value.get("dispatch_action"):
        element = value.get("element")
        if isinstance(element, dict) and element.get("type") == "file_input":
            look.fail(f"{at}/dispatch_action", "must not be true for a file_input")


def _even_rows(value: object, at: str, look: Inspection) -> None:
    rows = value.get("rows") if isinstance(value, dict) else None
    if not isinstance(rows, list) or not rows:
        return
    if len({len(row) for row in rows if isinstance(row, list)}) > 1:
        look.fail(f"{at}/rows", "every row must have the same number of cells")
    header = rows[0] if isinstance(rows[0], list) else []
    for index, cell in enumerate(header):
        if isinstance(cell, dict) and cell.get("type") == "rich_text":
            look.fail(f"{at}/rows/0/{index}", "the header row takes no rich_text")


def _collapse(value: object, at: str, look: Inspection) -> None:
    if isinstance(value, dict) and value.get("is_collapsible") and value.get("has_header_divider"):
        look.fail(f"{at}/has_header_divider", "must not be set when is_collapsible is true")


CONTEXT_ITEM = tagged(
    lambda: {"plain_text": text(2000), "mrkdwn": text(2000), "image": ELEMENTS["image"]}, "context element"
)
CELL = tagged(
    lambda: {
        "raw_text": record({"text": string(3000, 0)}),
        "raw_number": record({"value": number}, {"text": string(3000, 0)}),
        "rich_text": RICH_TEXT,
    },
    "table cell",
)
COLUMN = nullable(record({}, {"align": one_of("left", "center", "right"), "is_wrapped": flag}))
CARD = both(
    _block(
        {},
        {
            "hero_image": IMAGE,
            "icon": IMAGE,
            "title": text(150),
            "subtitle": text(150),
            "body": text(200),
            "subtext": text(150),
            "actions": items(element_in("card"), 2),
        },
    ),
    at_least_one("hero_image", "title", "actions", "body"),
)
STATUS = one_of("pending", "in_progress", "complete", "error")
SOURCE = tagged(lambda: {"url": record({"url": string(3000), "text": string(3000)})}, "source")
TASK = _block(
    {"task_id": string(255), "title": string(3000), "status": STATUS},
    {"details": RICH_TEXT, "output": RICH_TEXT, "sources": items(SOURCE, 100, least=0)},
)
CHART = record(
    {"type": one_of("pie", "bar", "line", "area")},
    {"segments": items(anything, 6), "series": items(anything, 6), "axis_config": anything},
)

LAYOUTS: Mapping[str, Rule] = MappingProxyType(
    {
        "actions": _block({"elements": items(element_in("actions"), 25)}),
        "alert": _block({"text": text(3000)}, {"level": one_of("default", "info", "warning", "error", "success")}),
        "card": CARD,
        "carousel": _block({"elements": items(tagged(lambda: {"card": CARD}, "carousel card"), 10)}),
        "container": both(
            _block(
                {"child_blocks": items(tagged(lambda: CHILDREN, "block"), 10)},
                {
                    "title": plain(150),
                    "rich_text_title": RICH_TEXT,
                    "subtitle": text(150),
                    "width": one_of("narrow", "standard", "wide", "full"),
                    "icon": IMAGE,
                    "is_collapsible": flag,
                    "default_collapsed": flag,
                    "has_header_divider": flag,
                },
            ),
            at_least_one("title", "rich_text_title"),
            _collapse,
        ),
        "context": _block({"elements": items(CONTEXT_ITEM, 10)}),
        "context_actions": _block({"elements": items(element_in("context_actions"), 5)}),
        "data_table": both(
            _block(
                {"caption": string(3000), "rows": items(items(CELL, 20), 101, least=2)},
                {"page_size": whole(1, 100), "row_header_column_index": whole(0, 19)},
            ),
            _even_rows,
        ),
        "data_visualization": _block({"title": string(150), "chart": CHART}),
        "divider": _block({}),
        "header": _block({"text": plain(150)}, {"level": whole(1, 6)}),
        "image": both(
            _block(
                {"alt_text": string(2000)},
                {"image_url": string(3000), "slack_file": SLACK_FILE, "title": plain(2000)},
            ),
            exactly_one("image_url", "slack_file"),
        ),
        "input": both(
            _block(
                {"label": plain(2000), "element": element_in("input")},
                {"hint": plain(2000), "optional": flag, "dispatch_action": flag},
            ),
            _no_dispatching_files,
        ),
        "markdown": _block({"text": string(12_000)}),
        "plan": _block(
            {"title": string(3000)}, {"tasks": items(tagged(lambda: {"task_card": TASK}, "task"), 50, least=0)}
        ),
        "rich_text": _block(RICH_TEXT_FIELDS),
        "section": both(
            _block(
                {},
                {
                    "text": text(3000),
                    "fields": items(text(2000), 10),
                    "accessory": element_in("section"),
                    "expand": flag,
                },
            ),
            at_least_one("text", "fields"),
        ),
        "table": _block({"rows": items(items(CELL, 20), 100)}, {"column_settings": items(COLUMN, 20, least=0)}),
        "task_card": TASK,
        "video": _block(
            {
                "alt_text": string(2000),
                "title": plain(199),
                "thumbnail_url": string(3000),
                "video_url": string(3000),
            },
            {
                "title_url": string(3000),
                "description": plain(200),
                "provider_icon_url": string(3000),
                "provider_name": string(50),
                "author_name": string(49),
            },
        ),
    }
)
#: the blocks that may stand inside a container
CHILDREN: Mapping[str, Rule] = MappingProxyType(
    {
        name: LAYOUTS[name]
        for name in (
            "actions",
            "context",
            "divider",
            "header",
            "image",
            "input",
            "rich_text",
            "section",
            "table",
            "video",
        )
    }
)
