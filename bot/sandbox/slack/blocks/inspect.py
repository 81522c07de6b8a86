"""Looking at a whole payload: each block by its rule, and what concerns several blocks at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bot.sandbox.slack.blocks import surfaces
from bot.sandbox.slack.blocks.layouts import LAYOUTS
from bot.sandbox.slack.blocks.objects import SUGGESTIONS, plain
from bot.sandbox.slack.blocks.rules import (
    BlockProblem,
    Inspection,
    Rule,
    SurfaceName,
    flag,
    items,
    nullable,
    record,
    string,
    tagged,
)

MOST_MARKDOWN = 12_000
MOST_CHARTS = 2
MOST_DATA_TABLE = 10_000

BLOCK = tagged(lambda: LAYOUTS, "block")


def message_problems(blocks: Sequence[Any], at: str = "/blocks") -> list[BlockProblem]:
    """Return what Slack would refuse in a message's blocks; an empty list is allowed and means none."""
    look = Inspection(surface="message")
    items(BLOCK, surfaces.MOST_BLOCKS["message"], least=0)(list(blocks), at, look)
    _together(blocks, at, look)
    return look.problems


def attachment_problems(attachments: Sequence[dict[str, Any]]) -> list[BlockProblem]:
    """Return what Slack would refuse in the blocks of a message's attachments."""
    return [
        problem
        for index, attachment in enumerate(attachments)
        for problem in message_problems(attachment.get("blocks") or [], f"/attachments/{index}/blocks")
    ]


def option_problems(answer: object) -> list[BlockProblem]:
    """Return what Slack would refuse in the answer to a block_suggestion."""
    look = Inspection(surface="modal")
    SUGGESTIONS(answer, "", look)
    return look.problems


def view_problems(view: dict[str, Any]) -> list[BlockProblem]:
    """Return what Slack would refuse in a modal or a Home tab."""
    surface: SurfaceName = "home" if view.get("type") == "home" else "modal"
    look = Inspection(surface=surface)
    _view_rule(surface)(view, "/view", look)
    blocks = view.get("blocks")
    if isinstance(blocks, list):
        _together(blocks, "/view/blocks", look)
        _submit(view, blocks, surface, look)
    return look.problems


def _view_rule(surface: SurfaceName) -> Rule:
    least = 1 if surface == "modal" else 0
    blocks = items(BLOCK, surfaces.MOST_BLOCKS[surface], least)
    common: dict[str, Rule] = {
        "private_metadata": string(3000, 0),
        "callback_id": string(255, 0),
        "external_id": string(255, 0),
    }
    if surface == "home":
        return record({"type": string(10), "blocks": blocks}, common)
    return record(
        {"type": string(10), "title": plain(24), "blocks": blocks},
        {
            **common,
            "close": nullable(plain(24)),
            "submit": nullable(plain(24)),
            "clear_on_close": flag,
            "notify_on_close": flag,
            "submit_disabled": flag,
        },
    )


def _submit(view: dict[str, Any], blocks: list[Any], surface: SurfaceName, look: Inspection) -> None:
    has_input = any(isinstance(block, dict) and block.get("type") == "input" for block in blocks)
    if surface == "modal" and has_input and not view.get("submit"):
        look.fail("/view/submit", "a submit button is required when there are input blocks")


def _together(blocks: Sequence[Any], at: str, look: Inspection) -> None:
    placed = list(_placed(blocks, at))
    _surface(placed, look)
    _unique_ids(placed, look)
    _totals(placed, at, look)


def _placed(node: Any, at: str) -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: ANN401 - JSON of any shape
    """Yield every object with a type below here, and its pointer."""
    if isinstance(node, dict):
        if isinstance(node.get("type"), str):
            yield at, node
        for name, value in node.items():
            yield from _placed(value, f"{at}/{name}")
    elif isinstance(node, list | tuple):
        for index, value in enumerate(node):
            yield from _placed(value, f"{at}/{index}")


def _surface(placed: list[tuple[str, dict[str, Any]]], look: Inspection) -> None:
    for at, node in placed:
        kind = node["type"]
        element = kind in surfaces.ELEMENTS
        allowed = surfaces.ELEMENTS.get(kind) if element else surfaces.BLOCKS.get(kind)
        if allowed is not None and look.surface not in allowed:
            what = "element" if element else "block"
            look.fail(f"{at}/type", f"unsupported type: the {what} {kind} may not stand in a {look.surface}")


def _unique_ids(placed: list[tuple[str, dict[str, Any]]], look: Inspection) -> None:
    blocks: set[str] = set()
    actions: set[tuple[str, str]] = set()
    focused = 0
    for at, node in placed:
        block_id, action_id = node.get("block_id"), node.get("action_id")
        if isinstance(block_id, str):
            if block_id in blocks:
                look.fail(f"{at}/block_id", f"duplicate block_id: {block_id}")
            blocks.add(block_id)
        if isinstance(action_id, str):
            # The elements of one block share the pointer up to the block's list.
            owner = at.rpartition("/elements/")[0] or at
            if (owner, action_id) in actions:
                look.fail(f"{at}/action_id", f"duplicate action_id in one block: {action_id}")
            actions.add((owner, action_id))
        focused += bool(node.get("focus_on_load"))
        if focused > 1 and node.get("focus_on_load"):
            look.fail(f"{at}/focus_on_load", "only one element may have the focus")


def _totals(placed: list[tuple[str, dict[str, Any]]], at: str, look: Inspection) -> None:
    def of(kind: str) -> list[dict[str, Any]]:
        return [node for _, node in placed if node["type"] == kind]

    if sum(len(str(node.get("text", ""))) for node in of("markdown")) > MOST_MARKDOWN:
        look.fail(at, f"markdown blocks together must be less than {MOST_MARKDOWN + 1} characters")
    if len(of("table")) > 1:
        look.fail(at, "only one table allowed")
    if len(of("data_visualization")) > MOST_CHARTS:
        look.fail(at, f"no more than {MOST_CHARTS} data_visualization blocks allowed")
    for table in of("data_table"):
        if total_characters(table.get("rows") or []) > MOST_DATA_TABLE:
            look.fail(at, f"a data_table must be less than {MOST_DATA_TABLE + 1} characters")


def total_characters(node: object) -> int:
    """Return how many characters the texts in some blocks have together."""
    if isinstance(node, dict):
        own = len(node["text"]) if isinstance(node.get("text"), str) else 0
        return own + sum(total_characters(value) for value in node.values())
    if isinstance(node, list | tuple):
        return sum(total_characters(value) for value in node)
    return 0
