"""The page draws whatever the bot builds: a new block, element or property has to be drawn, or this fails."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

BOT: Final = Path(__file__).parents[3] / "bot"
STATIC: Final = BOT / "sandbox" / "page" / "static"
#: What is said by ``type`` and is neither block nor element nor part of rich text, each with who sees to it.
OTHERS: Final = {
    "modal": "modal.js draws it",
    "home": "pane.js draws it",
    "plain_text": "text() in blocks.js draws it",
    "mrkdwn": "text() in blocks.js draws it",
    "global": "a shortcut of the manifest",
    "message": "a shortcut of the manifest",
}
#: Where the parts of blocks are built, also those without a ``type``.
BUILDERS: Final = ("slack/views/elements.py", "slack/views/inputs.py")
#: Properties with nothing to draw, each with who sees to it.
UNSEEN: Final = {
    "type": "says what is drawn",
    "callback_id": "for the bot",
    "private_metadata": "for the bot",
    "base": "form.py writes it into the private metadata",
    "left_out": "form.py writes it into the private metadata",
    "notify_on_close": "the stand-in tells the bot",
    "dispatch_action": "the stand-in tells the bot",
    "verbatim": "nothing in the page makes links of plain words",
    "emoji": "emoji are drawn in every text",
    "max_length": "the stand-in refuses longer ones, with a sentence at the field",
    "min_value": "the stand-in refuses smaller ones, with a sentence at the field",
    "max_value": "the stand-in refuses larger ones, with a sentence at the field",
    "is_decimal_allowed": "the stand-in refuses others, with a sentence at the field",
    "max_files": "the stand-in refuses more, with a sentence at the field",
}


def tables() -> Mapping[str, set[str]]:
    """Return the keys of the page's own tables, from which it draws: what is not in them it shows as raw JSON."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(STATIC.glob("*.js")))
    found = re.findall(r"^export const ([A-Z_]+) = \{\n(.*?)^\};", text, re.MULTILINE | re.DOTALL)
    return {name: {*re.findall(r"^  (\w+)[,:(]", body, re.MULTILINE)} for name, body in found}


def trees() -> Iterator[tuple[str, ast.Module]]:
    """Yield each module that builds what Slack shows, by its name."""
    for path in sorted((BOT / "slack").rglob("*.py")):
        yield path.relative_to(BOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def built(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Yield name and value of every property that a module writes into a dictionary: in braces, by index, as a word."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            yield from ((str(k.value), v) for k, v in pairs if isinstance(k, ast.Constant))
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
                    yield str(target.slice.value), node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
            yield from ((word.arg, word.value) for word in node.keywords if word.arg is not None)


def properties(name: str, tree: ast.Module) -> Iterator[str]:
    """Yield the name of every property that a module gives to what it builds.

    These are all of a dictionary with a ``type``, all that is put in by index, and all in the modules of the parts.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            names = [str(key.value) for key in node.keys if isinstance(key, ast.Constant)]
            if "type" in names or name in BUILDERS:
                yield from names
        elif isinstance(node, ast.Assign) and "/views/" in name:
            yield from (
                str(target.slice.value)
                for target in node.targets
                if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant)
            )


def constants(value: ast.expr) -> list[str] | None:
    """Return the texts that an expression can be; None when that cannot be told by reading it."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return [value.value]
    if isinstance(value, ast.IfExp):
        one, other = constants(value.body), constants(value.orelse)
        return None if one is None or other is None else [*one, *other]
    return None


def test_every_type_is_one_that_the_page_draws() -> None:
    """Each type of block, element or part that the bot writes anywhere is a key of the page's tables."""
    drawn = set().union(*tables().values()) | OTHERS.keys()
    wrong = [
        f"{name}: {each}"
        for name, tree in trees()
        for key, value in built(tree)
        if key == "type"
        for each in constants(value) or [f"line {value.lineno} does not say the type by a word of its own"]
        if each not in drawn
    ]

    assert wrong == []


def test_every_property_is_one_that_the_page_looks_at() -> None:
    """Each property beside a type is read by the page, or stands above with the reason why there is nothing to draw."""
    page = "".join(path.read_text(encoding="utf-8") for path in sorted(STATIC.glob("*.js")))
    wrong = [
        f"{name}: {key}"
        for name, tree in trees()
        for key in properties(name, tree)
        if key not in UNSEEN and not re.search(rf"[.?\"{{ ]{key}\b", page)
    ]

    assert sorted({*wrong}) == []
    assert UNSEEN.keys() <= {key for name, tree in trees() for key in properties(name, tree)}


def test_the_tables_are_read_and_the_bot_as_well() -> None:
    """The comparison can fail: it sees what is known to be drawn, and what is known to be built."""
    assert {"BLOCKS", "ELEMENTS", "RICH_TEXT", "LEAVES"} <= tables().keys()
    assert {"section", "input", "rich_text"} <= tables()["BLOCKS"]
    assert {"button", "external_select", "file_input"} <= tables()["ELEMENTS"]
    seen = {
        each for _, tree in trees() for key, value in built(tree) if key == "type" for each in constants(value) or ()
    }
    assert {"section", "modal", "multi_external_select", "rich_text_preformatted", "header"} <= seen
    assert constants(ast.parse("kind", mode="eval").body) is None
