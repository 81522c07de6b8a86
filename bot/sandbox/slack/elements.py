"""Finding the interactive elements of blocks, and the ids that Slack gives to those that have none."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Iterable, Iterator
from typing import Any

from bot.sandbox.slack.records import Json

ALPHABET = string.ascii_letters + string.digits
NESTED = {"container": "child_blocks", "carousel": "elements"}


def short_id() -> str:
    """Return an id such as Slack gives to blocks and elements without one."""
    return "".join(secrets.choice(ALPHABET) for _ in range(5))


def flat(blocks: Iterable[Json]) -> Iterator[Json]:
    """Yield blocks and the blocks inside containers and carousels."""
    for block in blocks:
        yield block
        yield from flat(block.get(NESTED.get(str(block.get("type")), ""), ()))


def walk(blocks: Iterable[Json]) -> Iterator[tuple[Json, Json]]:
    """Yield each element that a person can use, with its block."""
    for block in flat(blocks):
        match block.get("type"):
            case "section" if isinstance(block.get("accessory"), dict):
                candidates: list[Any] = [block["accessory"]]
            case "actions" | "context_actions":
                candidates = block.get("elements", [])
            case "card":
                candidates = block.get("actions", [])
            case "input":
                candidates = [block.get("element")]
            case _:
                candidates = []
        for element in candidates:
            if isinstance(element, dict) and element.get("type") != "image":
                yield block, element


def with_ids(blocks: Iterable[Json]) -> list[Json]:
    """Return a copy of the blocks in which each block and each usable element has an id."""
    owned: list[Json] = json.loads(json.dumps(list(blocks)))
    for block in flat(owned):
        block.setdefault("block_id", short_id())
    for _, element in walk(owned):
        element.setdefault("action_id", short_id())
    return owned
