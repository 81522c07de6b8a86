"""The buttons below a page."""

from __future__ import annotations

from bot.changes.model.paging import Cursor, Page, read_cursor
from bot.slack.views.elements import Block, actions, button


def pager(action: str, page: Page[object], about: str) -> list[Block]:
    """Return Newer and Older as far as there is something there.

    A button carries only where its page lies and what the list is ``about``: nothing of what is shown.
    """
    turns = [("Newer", "newer", page.newer), ("Older", "older", page.older)]
    buttons = [button(label, f"{action}_{way}", f"{cursor} {about}") for label, way, cursor in turns if cursor]
    return [actions(action, buttons)] if buttons else []


def read_turn(value: str) -> tuple[Cursor | None, str]:
    """Return the cursor and what the list is about, as a button of :func:`pager` carries them."""
    cursor, _, about = value.partition(" ")
    return read_cursor(cursor), about
