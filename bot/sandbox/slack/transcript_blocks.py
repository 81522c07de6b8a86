"""Blocks as plain lines of text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import zip_longest
from types import MappingProxyType

from bot.sandbox.slack.mrkdwn import render_date, zone_of
from bot.sandbox.slack.records import Json
from bot.sandbox.slack.transcript_reader import TranscriptReader, emoji


def blocks_lines(blocks: Iterable[Json], reader: TranscriptReader) -> Iterator[str]:
    """Yield the lines of some blocks."""
    for block in blocks:
        yield from _shown(block, reader)


def _shown(block: Json, reader: TranscriptReader) -> Iterator[str]:
    yield from SHOWN.get(block["type"], _grouped)(block, reader)


def _header(block: Json, reader: TranscriptReader) -> Iterator[str]:
    yield f"# {reader.text(block['text'])}"


def _context(block: Json, reader: TranscriptReader) -> Iterator[str]:
    yield " · ".join(_context_item(item, reader) for item in block["elements"])


def _actions(block: Json, reader: TranscriptReader) -> Iterator[str]:
    yield " ".join(_control(element, reader) for element in block["elements"])


def _divider(_block: Json, _reader: TranscriptReader) -> Iterator[str]:
    yield "─" * 40


def _input(block: Json, reader: TranscriptReader) -> Iterator[str]:
    mark = "" if block.get("optional") else " *"
    yield f"{reader.text(block['label'])}{mark}  {_control(block['element'], reader)}"
    if block.get("hint"):
        yield f"  ({reader.text(block['hint'])})"


def _alert(block: Json, reader: TranscriptReader) -> Iterator[str]:
    yield f"({block.get('level', 'default')}) {reader.text(block['text'])}"


def _markdown(block: Json, _reader: TranscriptReader) -> Iterator[str]:
    yield from str(block["text"]).splitlines()


def _image(block: Json, _reader: TranscriptReader) -> Iterator[str]:
    yield f"[image: {block['alt_text']}]"


def _section(block: Json, reader: TranscriptReader) -> Iterator[str]:
    text = reader.text(block.get("text")).splitlines()
    accessory = block.get("accessory")
    if accessory:
        text = [*text[:-1], f"{text[-1]}  {_control(accessory, reader)}"] if text else [_control(accessory, reader)]
    yield from text
    fields = [reader.text(each).replace("\n", ": ", 1).splitlines() for each in block.get("fields", [])]
    cells = [" ".join(each) for each in fields]
    width = max((len(cell) for cell in cells[::2]), default=0)
    for left, right in zip_longest(cells[::2], cells[1::2], fillvalue=""):
        yield f"{left:<{width}}   {right}".rstrip()


def _grouped(block: Json, reader: TranscriptReader) -> Iterator[str]:
    """Cards, containers, carousels, plans and tasks: their titles, their words, and what is inside them."""
    for name in ("title", "subtitle", "body"):
        yield from reader.text(block.get(name)).splitlines()
    if block["type"] == "task_card":
        yield f"({block['status']})"
    for inner in ("details", "output"):
        if isinstance(block.get(inner), dict):
            yield from _rich_text(block[inner], reader)
    for inside in ("child_blocks", "elements", "tasks"):
        yield from (f"  {line}" for line in blocks_lines(block.get(inside, []), reader))
    if block.get("actions"):
        yield " ".join(_control(element, reader) for element in block["actions"])


def _control(element: Json, reader: TranscriptReader) -> str:
    kind = str(element["type"])
    if kind == "image":
        return f"[image: {element['alt_text']}]"
    if kind in ("button", "workflow_button", "icon_button"):
        return f"[{reader.text(element['text'])}]"
    if kind == "overflow":
        return "[…]"
    if kind in ("checkboxes", "radio_buttons"):
        box = "☐" if kind == "checkboxes" else "○"
        return " ".join(f"{box} {reader.text(each['text'])}" for each in element["options"])
    hint = reader.text(element.get("placeholder"))
    if kind.endswith("_select"):
        return f"[{hint or 'Choose'} ▾]"
    return f"[{hint or '…'}]"


def _context_item(item: Json, reader: TranscriptReader) -> str:
    return f"[image: {item['alt_text']}]" if item["type"] == "image" else reader.text(item)


def _rich_text(block: Json, reader: TranscriptReader) -> Iterator[str]:
    for part in block["elements"]:
        match part["type"]:
            case "rich_text_list":
                indent = "  " * int(part.get("indent", 0))
                for index, item in enumerate(part["elements"], start=1 + int(part.get("offset", 0))):
                    mark = f"{index}." if part["style"] == "ordered" else "•"
                    yield f"{indent}{mark} {_leaves(item['elements'], reader)}"
            case "rich_text_quote":
                yield from (f"│ {line}" for line in _leaves(part["elements"], reader).splitlines())
            case "rich_text_preformatted":
                yield from (f"    {line}" for line in _leaves(part["elements"], reader).splitlines())
            case _:
                yield from _leaves(part["elements"], reader).splitlines()


def _leaves(leaves: Iterable[Json], reader: TranscriptReader) -> str:
    return "".join(_leaf(leaf, reader) for leaf in leaves)


def _leaf(leaf: Json, reader: TranscriptReader) -> str:
    names = reader.names
    match leaf["type"]:
        case "text":
            return str(leaf["text"])
        case "link":
            return str(leaf.get("text") or leaf["url"])
        case "user":
            return "@" + names.people.get(leaf["user_id"], leaf["user_id"])
        case "usergroup":
            return "@" + names.groups.get(leaf["usergroup_id"], leaf["usergroup_id"])
        case "channel":
            return "#" + names.channels.get(leaf["channel_id"], leaf["channel_id"])
        case "broadcast":
            return f"@{leaf['range']}"
        case "emoji":
            return emoji(f":{leaf['name']}:")
        case "date":
            return render_date(f"!date^{leaf['timestamp']}^{leaf['format']}", leaf.get("fallback"), zone_of(reader.tz))
        case _:
            return str(leaf.get("value", ""))


def _table(block: Json, reader: TranscriptReader) -> Iterator[str]:
    if block.get("caption"):
        yield str(block["caption"])
    rows = [[_cell(cell, reader) for cell in row] for row in block["rows"]]
    widths = [max(map(len, column)) for column in zip_longest(*rows, fillvalue="")]
    for index, row in enumerate(rows):
        yield " │ ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)).rstrip()
        if index == 0 and len(rows) > 1:
            yield "─┼─".join("─" * width for width in widths)


def _cell(cell: Json, reader: TranscriptReader) -> str:
    if cell["type"] == "rich_text":
        return " ".join(_rich_text(cell, reader))
    return str(cell.get("text", cell.get("value", "")))


#: Block type -> how it is shown; the others are groups of parts.
SHOWN: Mapping[str, Callable[[Json, TranscriptReader], Iterator[str]]] = MappingProxyType(
    {
        "actions": _actions,
        "alert": _alert,
        "context": _context,
        "context_actions": _actions,
        "data_table": _table,
        "divider": _divider,
        "header": _header,
        "image": _image,
        "input": _input,
        "markdown": _markdown,
        "rich_text": _rich_text,
        "section": _section,
        "table": _table,
        "video": _image,
    }
)
