"""Things that can be wrong about a story that ended right, for the checker to notice."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from typing import TypeAlias

from tests.acceptance.checker import assert_right
from tests.acceptance.stage import Stage

#: Makes one thing wrong, and puts it right again at its end.
Wrong: TypeAlias = Callable[[Stage], AbstractContextManager[None]]


def assert_all_are_noticed(stage: Stage, wrongs: Mapping[str, Wrong]) -> None:
    """Check that the story of ``stage`` is right, and is not with any one of ``wrongs``, which have names."""
    unnoticed = []
    for name, wrong in wrongs.items():
        assert_right(stage)
        with wrong(stage):
            try:
                assert_right(stage)
            except (AssertionError, ValueError):  # a list that has two elements instead of one
                continue
            unnoticed.append(name)

    assert unnoticed == []
    assert_right(stage)


def said_twice(channel: str, *, below: bool) -> Wrong:
    """Return what repeats a message: the card or the notice, or the last line below it."""

    @contextmanager
    def repeated(stage: Stage) -> Iterator[None]:
        [top] = stage.slack.messages(channel)
        said = stage.slack.thread(channel, top.ts)[-1] if below else top
        twin = said.snapshot()
        twin.ts = stage.slack.workspace.next_ts()
        stage.slack.workspace.add_message(twin)
        yield
        twin.deleted = True

    return repeated


def written(statement: str) -> Wrong:
    """Return what changes the database behind Linesman's back."""

    @contextmanager
    def changed(stage: Stage) -> Iterator[None]:
        whole = stage.database.read_bytes()
        with closing(sqlite3.connect(stage.database)) as connection, connection:
            connection.execute(statement)
        yield
        stage.database.write_bytes(whole)

    return changed
