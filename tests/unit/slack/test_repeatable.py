"""What a person asked for is done anew when the database puts another transaction first."""

from __future__ import annotations

import ast
import inspect
import textwrap
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bot import slack
from bot.slack.services import Services

#: Of the form ``services.approvals.decide``.
CALLS: Final = {
    (node.value.attr, node.attr)
    for path in Path(slack.__file__).parent.rglob("*.py")
    for node in ast.walk(ast.parse(path.read_text()))
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute)
}


def writing_methods() -> Iterator[tuple[str, set[str]]]:
    """Yield what listeners call that opens a transaction that writes, and the decorators of it."""
    for field, room in typing.get_type_hints(Services).items():
        if not room.__module__.startswith("bot.workflow."):
            continue
        [tree] = ast.parse(textwrap.dedent(inspect.getsource(room))).body
        assert isinstance(tree, ast.ClassDef)
        methods = {each.name: each for each in tree.body if isinstance(each, ast.AsyncFunctionDef)}
        for name, method in methods.items():
            if (field, name) in CALLS and writes(methods, name, set()):
                yield f"{room.__name__}.{name}", {ast.unparse(each).split("(")[0] for each in method.decorator_list}


def writes(methods: dict[str, ast.AsyncFunctionDef], name: str, seen: set[str]) -> bool:
    """Tell whether a method opens such a transaction, itself or in another method of its class."""
    seen.add(name)
    used = {each.attr for each in ast.walk(methods[name]) if isinstance(each, ast.Attribute)}
    return "transaction" in used or any(writes(methods, each, seen) for each in used & methods.keys() - seen)


def test_every_click_that_writes_is_repeated_after_a_conflict() -> None:
    """Tasks are repeated by the worker; what listeners call says so itself."""
    found = dict(writing_methods())

    assert {"Approvals.decide", "Requests.propose", "Cancellation.cancel", "Resolution.adopt"} <= found.keys()
    assert [name for name, decorators in found.items() if "repeatable" not in decorators] == []
