"""Filling the form of a change, as somebody at a Slack client does; stages and worlds have their people do it here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bot.sandbox.slack import SlackUser, StandInRefused, View
from bot.sandbox.slack.forms import EXTERNAL, TYPED

#: Numbers that are pasted into one box, which holds 3000 characters.
BOX: Final = 140
#: Seconds in which an input has to appear.
SOON: Final = 30.0


async def fill(
    by: SlackUser,
    numbers: str | Iterable[str] | None = None,
    settings: Mapping[str, str] | None = None,
    *,
    filters: Mapping[str, str] | None = None,
    besides: Mapping[str, str] | None = None,
    within: float = SOON,
) -> None:
    """Fill the open form: values of ``settings`` and ``filters`` by their names, ``besides`` by block.

    Raises TimeoutError when an input has not appeared ``within`` so many seconds, and StandInRefused when the form does
    not take something, or has gone.
    """
    if numbers is not None:
        await paste(by, numbers, within=within)
    settings, filters = settings or {}, filters or {}
    if settings or filters:
        await choose(by, list(settings), list(filters), within=within)
    inputs = {f"value:{name}": value for name, value in settings.items()}
    inputs |= {f"filter:{name}": value for name, value in filters.items()}
    for block, value in {**inputs, **(besides or {})}.items():
        await enter(by, block, value)


async def paste(by: SlackUser, numbers: str | Iterable[str], *, within: float = SOON) -> None:
    """Type numbers, into further boxes when one does not hold them; a text goes into the first box as it is."""
    if isinstance(numbers, str):
        await by.type("numbers:0", numbers)
        return
    listed = list(numbers)
    for box, start in enumerate(range(0, len(listed), BOX)):
        block = f"numbers:{box}"
        if by.view is not None and (block, "numbers") not in by.view.form.slots:
            await by.click("more_numbers")
            await _shown(by, {block}, within)
        await by.type(block, "\n".join(listed[start : start + BOX]))


async def choose(by: SlackUser, settings: Sequence[str], filters: Sequence[str] = (), *, within: float = SOON) -> View:
    """Choose which settings to change and by what to filter, and wait for their inputs."""
    if by.view is not None and ("settings", "settings") in by.view.form.slots:  # few settings are shown all at once
        await by.choose("settings", settings)
    if filters:
        await by.choose("filters", filters)
    return await _shown(by, {f"value:{name}" for name in settings} | {f"filter:{name}" for name in filters}, within)


async def enter(by: SlackUser, block: str, value: str) -> None:
    """Type or choose a value, whichever the input wants."""
    if by.view is None:
        raise StandInRefused("the form has gone")
    kind = by.view.form.slot(block).kind
    if kind in TYPED:
        await by.type(block, value)
        return
    if kind in EXTERNAL:
        await by.suggest(block, "")
    await by.choose(block, value)


async def _shown(by: SlackUser, blocks: set[str], within: float) -> View:
    """Return the form once it has all these inputs."""
    return await by.wait_for_view(lambda view: blocks <= {block["block_id"] for block in view.blocks}, timeout=within)
