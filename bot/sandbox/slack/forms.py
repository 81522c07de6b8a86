"""What people typed and chose: the ``state.values`` of a view or a message, kept as a real client keeps it.

State survives an update when block id, action id and element type are the same; otherwise it starts over
(docs.slack.dev/surfaces/modals).
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from bot.sandbox.slack.elements import walk
from bot.sandbox.slack.records import Json, StandInRefused

T = TypeVar("T")

#: element type -> (key in the state, key of the first value in the element)
STATE: dict[str, tuple[str, str]] = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "users_select": ("selected_user", "initial_user"),
    "channels_select": ("selected_channel", "initial_channel"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "file_input": ("files", ""),
}
TYPED = frozenset(kind for kind, (key, _) in STATE.items() if key == "value") | {
    "rich_text_input",
    "datepicker",
    "timepicker",
    "datetimepicker",
}
WITH_OPTIONS = frozenset(kind for kind, (key, _) in STATE.items() if key.startswith("selected_option"))
EXTERNAL = frozenset({"external_select", "multi_external_select"})


@dataclass(kw_only=True, eq=False)
class Slot:
    """One element that holds a value."""

    block: Json
    element: Json
    #: as it appears in ``state.values[block_id][action_id]``
    state: Json

    @property
    def kind(self) -> str:
        """The element's type."""
        return str(self.element["type"])

    @property
    def value(self) -> Any:  # noqa: ANN401 - a string, a number, an option or a list, by the element's type
        """The value inside the state."""
        return self.state[STATE[self.kind][0]]

    @value.setter
    def value(self, value: object) -> None:
        self.state[STATE[self.kind][0]] = value

    @property
    def empty(self) -> bool:
        """Whether the person left it out."""
        return self.value in (None, "", [])

    @property
    def dispatches(self) -> bool:
        """Whether filling it sends ``block_actions``."""
        return bool(self.block["type"] != "input" or self.block.get("dispatch_action"))

    def action(self) -> Json:
        """Return the entry of ``actions`` that filling it sends."""
        return {
            "block_id": self.block["block_id"],
            "action_id": self.element["action_id"],
            **copy.deepcopy(self.state),
        }


class Form:
    """The filled elements of one view, or of one message for one person."""

    def __init__(self, blocks: Iterable[Json]) -> None:
        self.slots: dict[tuple[str, str], Slot] = {}
        self.rebuild(blocks)

    def rebuild(self, blocks: Iterable[Json]) -> None:
        """Take new blocks, keeping the state of elements that stayed the same."""
        old, self.slots = self.slots, {}
        for block, element in walk(blocks):
            if element.get("type") not in STATE:
                continue
            key = (block["block_id"], element["action_id"])
            before = old.get(key)
            kept = before is not None and before.kind == element["type"]
            state = before.state if before is not None and kept else initial_state(element)
            self.slots[key] = Slot(block=block, element=element, state=state)

    @property
    def values(self) -> Json:
        """``state.values`` as Slack sends it."""
        values: Json = {}
        for (block_id, action_id), slot in self.slots.items():
            values.setdefault(block_id, {})[action_id] = copy.deepcopy(slot.state)
        return values

    def slot(self, block_id: str, action_id: str | None = None) -> Slot:
        """Return the element in a block; a block with several needs ``action_id``."""
        found = [
            slot for (block, action), slot in self.slots.items() if block == block_id and action_id in (None, action)
        ]
        if len(found) == 1:
            return found[0]
        if found:
            raise StandInRefused(f"the block {block_id!r} has several elements; give an action_id")
        shown = ", ".join(sorted({block for block, _ in self.slots})) or "nothing"
        raise StandInRefused(f"nothing to fill in the block {block_id!r}; there is: {shown}")

    def refusals(self) -> list[str]:
        """Return why a real client would not submit the form: required inputs left empty, and texts too short."""
        return [sentence for slot in self.slots.values() if (sentence := _refusal(slot))]

    def unfinished(self) -> dict[str, str]:
        """Return what a client writes at each input because of which it does not submit the form, by block id."""
        return {
            slot.block["block_id"]: "Please complete this required field." if slot.empty else "This is too short."
            for slot in self.slots.values()
            if _refusal(slot)
        }


def initial_state(element: Json) -> Json:
    """Return the state of an element that nobody has touched."""
    key, first = STATE[element["type"]]
    empty: list[object] | None = [] if key.endswith("s") else None
    return {"type": element["type"], key: copy.deepcopy(element.get(first, empty))}


def _refusal(slot: Slot) -> str | None:
    block = slot.block
    if block["type"] != "input":
        return None
    if slot.empty:
        return None if block.get("optional") else f"the input {block['block_id']!r} is required and empty"
    least = slot.element.get("min_length")
    if least is not None and len(slot.value) < least:
        return f"the input {block['block_id']!r} needs at least {least} characters"
    return None


def checked_text(slot: Slot, text: str) -> str | int | Json | None:
    """Return typed text as the element's value; raises StandInRefused for what its widget would not take."""
    name, element = slot.block["block_id"], slot.element
    if text == "":
        return None
    match slot.kind:
        case "plain_text_input" | "email_text_input" | "url_text_input":
            longest = element.get("max_length", 3000)
            if len(text) > longest:
                raise StandInRefused(f"the input {name!r} takes at most {longest} characters, not {len(text)}")
            if "\n" in text and not element.get("multiline"):
                raise StandInRefused(f"the input {name!r} is a single line")
            return _shaped(slot, text)
        case "number_input":
            return _number(slot, text)
        case "datepicker":
            return _parsed(name, text, lambda: date.fromisoformat(text).isoformat(), "a date as YYYY-MM-DD")
        case "timepicker":
            return _parsed(name, text, lambda: _matching(r"([01]\d|2[0-3]):[0-5]\d", text), "a time as HH:MM")
        case "datetimepicker":
            return _parsed(name, text, lambda: int(_matching(r"\d{10}", text)), "a Unix time of ten digits")
        case "rich_text_input":
            leaves = [{"type": "text", "text": text}]
            return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": leaves}]}
        case kind:
            raise StandInRefused(f"nobody types into a {kind}; choose() instead")


def _shaped(slot: Slot, text: str) -> str:
    patterns = {"email_text_input": r"[^@\s]+@[^@\s]+\.[^@\s]+", "url_text_input": r"https?://\S+"}
    pattern = patterns.get(slot.kind)
    if pattern and not re.fullmatch(pattern, text):
        raise StandInRefused(f"the input {slot.block['block_id']!r} does not take {text!r}")
    return text


def _number(slot: Slot, text: str) -> str:
    name, element = slot.block["block_id"], slot.element
    pattern = r"-?\d+(\.\d+)?" if element.get("is_decimal_allowed") else r"-?\d+"
    value = float(_parsed(name, text, lambda: _matching(pattern, text), "a number"))
    low, high = element.get("min_value"), element.get("max_value")
    if (low is not None and value < float(low)) or (high is not None and value > float(high)):
        raise StandInRefused(f"the input {name!r} takes {low} to {high}, not {text}")
    return text


def _matching(pattern: str, text: str) -> str:
    if not re.fullmatch(pattern, text):
        raise ValueError(text)
    return text


def _parsed(name: str, text: str, parse: Callable[[], T], shape: str) -> T:
    try:
        return parse()
    except ValueError as error:
        raise StandInRefused(f"the input {name!r} takes {shape}, not {text!r}") from error


def all_options(source: Json) -> list[Json]:
    """Return the options of an element or of an options answer, groups flattened."""
    flat = list(source.get("options") or [])
    for group in source.get("option_groups") or []:
        flat.extend(group.get("options", []))
    return flat


def picked(slot: Slot, wanted: Sequence[str], options: Sequence[Json]) -> object:
    """Return the value that choosing ``wanted`` (option values or labels, or ids for people and channels) gives."""
    several = STATE[slot.kind][0].endswith("s")
    most = slot.element.get("max_selected_items")
    if most is not None and len(wanted) > most:
        raise StandInRefused(f"the menu {slot.block['block_id']!r} takes at most {most} items")
    chosen: list[object] = (
        [_option(slot, each, options) for each in wanted] if slot.kind in WITH_OPTIONS else list(wanted)
    )
    if several:
        return chosen
    if len(chosen) > 1:
        raise StandInRefused(f"the menu {slot.block['block_id']!r} takes one item, not {len(chosen)}")
    return chosen[0] if chosen else None


def _option(slot: Slot, wanted: str, options: Sequence[Json]) -> Json:
    for option in options:
        if option.get("value") == wanted:
            return option
    for option in options:
        if option["text"]["text"] == wanted:
            return option
    offered = ", ".join(str(option.get("value")) for option in options) or "nothing"
    raise StandInRefused(f"the menu {slot.block['block_id']!r} does not offer {wanted!r}; it offers: {offered}")
