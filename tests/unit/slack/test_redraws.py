"""Redrawing a form in the order in which somebody chose, whatever the order of our work."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from bot.slack.interactions import NO_VIEW, SentView
from bot.slack.redraws import Redraws


class Form:
    """A form at Slack: takes what is for its present state."""

    def __init__(self) -> None:
        self.states = ["0"]
        self.shown: list[str] = []

    def seen(self, state: int = -1) -> SentView:
        """Return the form as somebody saw it."""
        return replace(NO_VIEW, id="V1", hash=self.states[state])

    async def show(self, what: str, state: str) -> dict[str, Any]:
        """Show ``what`` in the place of ``state``."""
        await asyncio.sleep(0)
        assert state == self.states[-1], "it is for another state than the present one"
        self.states.append(str(len(self.states)))
        self.shown.append(what)
        return {"view": {"hash": self.states[-1]}}


async def test_the_later_of_two_choices_takes_the_place_of_the_earlier_one() -> None:
    """Both were made in the same state; the second is shown once the first is, and so is one made after that."""
    form, redraws = Form(), Redraws()
    first = form.seen()

    await asyncio.gather(
        redraws.redraw(first, "100.1", lambda state: form.show("one", state)),
        redraws.redraw(first, "100.2", lambda state: form.show("both", state)),
    )
    await redraws.redraw(form.seen(1), "100.3", lambda state: form.show("three", state))
    await redraws.redraw(form.seen(), "100.4", lambda state: form.show("four", state))

    assert form.shown == ["one", "both", "three", "four"]


async def test_the_earlier_of_two_choices_takes_the_place_of_nothing() -> None:
    """Whose redrawing took longer, although it was chosen first, knows less than what is shown."""
    form, redraws = Form(), Redraws()
    first = form.seen()

    await redraws.redraw(first, "100.2", lambda state: form.show("both", state))
    await redraws.redraw(first, "100.1", lambda state: form.show("one", state))

    assert form.shown == ["both"]
