"""History speaks in sentences: every event that the code writes has one, whatever its details are."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from bot.changes.audit.events import PRUNED, Event
from bot.changes.model.lifecycle import ChangeState
from bot.slack.views.events import FORMER, SENTENCES, event_line

BOT: Final = Path(__file__).parents[3] / "bot"
#: Where events are written.
WRITERS: Final = [*(BOT / "workflow").rglob("*.py"), *(BOT / "store" / "maintenance").glob("*.py")]
#: Modules with at least one call that writes an event; fewer would mean that the search has gone blind.
LEAST: Final = 20


class Module:
    """One module and the names of the events that it writes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tree = ast.parse(path.read_text(encoding="utf-8"))

    def written(self) -> Iterator[str]:
        """Yield the name of each event; raises AssertionError at one that cannot be told from the source."""
        for function in (node for node in ast.walk(self._tree) if isinstance(node, ast.AsyncFunctionDef)):
            for call in _calls(function, "add"):
                if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value).endswith("events"):
                    yield from self._names(call.args[1], function)

    def _names(self, name: ast.expr, function: ast.AsyncFunctionDef) -> Iterator[str]:
        match name:
            case ast.Constant(value=str(text)):
                yield text
            case ast.IfExp(body=one, orelse=other):
                yield from self._names(one, function)
                yield from self._names(other, function)
            case ast.Attribute(value=ast.Name(id="ChangeState"), attr=state):
                yield ChangeState[state].value
            case ast.Attribute(value=ast.Name() as state, attr="value"):
                yield from self._names(state, function)
            case ast.Name(id="PRUNED"):
                yield PRUNED
            case ast.Name(id=variable):
                found = [*self._given(variable, function), *self._passed(variable, function)]
                assert found, f"{self._path}: what is {variable}?"
                yield from found
            case _:
                pytest.fail(f"{self._path}:{name.lineno}: cannot tell {ast.unparse(name)}")

    def _given(self, variable: str, function: ast.AsyncFunctionDef) -> Iterator[str]:
        """Yield what a local variable, or a constant of the module, is set to."""
        for node in [*ast.walk(function), *self._tree.body]:
            target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value and ast.unparse(target) == variable:
                yield from self._names(node.value, function)

    def _passed(self, variable: str, function: ast.AsyncFunctionDef) -> Iterator[str]:
        """Yield what the module's own calls pass for a parameter of ``function``."""
        parameters = [argument.arg for argument in function.args.args if argument.arg != "self"]
        if variable in parameters:
            for call in _calls(self._tree, function.name):
                yield from self._names(call.args[parameters.index(variable)], function)


def _calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    """Yield the calls of a method called ``name``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name:
            yield node


def event(what: str, **details: str | int | None) -> Event:
    """Return an event of that name."""
    return Event(
        id=1, change=1, at=datetime(2026, 1, 1, tzinfo=UTC), actor="U0ANA", what=what, digest="", details=details
    )


def test_every_event_that_the_code_writes_has_a_sentence() -> None:
    """Nobody reads a raw name such as ``batch_absent``; and no sentence stands there for an event of the past."""
    written = {path: set(Module(path).written()) for path in WRITERS}

    assert len([names for names in written.values() if names]) >= LEAST
    assert set().union(*written.values()) == set(SENTENCES)


@pytest.mark.parametrize("what", SENTENCES)
def test_a_sentence_says_what_its_event_tells(what: str) -> None:
    """Each detail of the sentence is shown, counts with their noun, and a missing one does not break the line."""
    fields = [(name, noun) for _, name, noun, _ in string.Formatter().parse(SENTENCES[what]) if name]

    told = event_line(event(what, **{name: 1200 if noun else "<!channel>" for name, noun in fields}))
    bare = event_line(event(what))

    assert told.count("1,200") == len([noun for _, noun in fields if noun])
    assert told.count("`&lt;!channel&gt;`") == len([noun for _, noun in fields if not noun])
    assert bare.endswith(" · <@U0ANA>")
    assert "_" not in bare


@pytest.mark.parametrize("what", FORMER)
def test_an_event_under_its_former_name_has_its_sentence(what: str) -> None:
    """What an earlier version wrote reads like what is written today."""
    assert what not in SENTENCES
    assert event_line(event(what)) == event_line(event(FORMER[what]))


def test_one_is_not_told_as_many() -> None:
    """Plurals follow the count, also where a word takes more than an s."""
    assert event_line(event("operators_asked", batches=1)).startswith("Operators asked about 1 batch ·")
    assert event_line(event("operators_asked", batches=2)).startswith("Operators asked about 2 batches ·")


def test_an_event_of_another_version_is_shown_by_its_name() -> None:
    """A database that a newer or older Linesman wrote has events that this one does not know."""
    assert event_line(event("batch_levitated", why="no gravity")) == "Event `batch_levitated`: `no gravity` · <@U0ANA>"
