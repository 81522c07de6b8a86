"""How people ask for changes: by the form, by a template, or by what follows an earlier change; and try again."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Final

from bot.sandbox.slack import SlackUser, StandInRefused, View
from tests.filling import enter, fill
from tests.simulation.people import LATER, SOON, action_ids
from tests.simulation.wishes import Wish

if TYPE_CHECKING:
    from tests.simulation.world import World

#: How often somebody tries before they leave it.
TRIES: Final = 12
#: How often somebody changes their mind before they ask for approval, and how often they take what they can get.
EDITS: Final = 0.15
RESTS: Final = 0.3
#: Stands for a plan that there is nothing to ask approval for.
NOTHING: Final = 0
FILTER: Final = "phone_number"

_NAME: Final = re.compile(r"CHG-(\d+)")


class Asking:
    """What requesters do."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._people = world.people
        self._random = Random(f"asking {world.seed}")

    async def ask(self, by: SlackUser, wish: Wish) -> int | None:
        """Take a wish to its request for approval and return its number; None when it was given up."""
        for _ in range(TRIES):
            with suppress(StandInRefused):
                name = await self._planned(by, wish)
                if name == NOTHING:
                    return None
                if name is not None and await self.request(by, name):
                    self._world.plans.requested(name)
                    return name
            await self._people.close(by)
            await self._people.think(LATER)
            if self._world.calm:
                return None
        return None

    async def _planned(self, by: SlackUser, wish: Wish) -> int | None:
        """Fill the form until a plan is shown, and return its number."""
        await self._people.type(by, wish.command)
        if await self._people.seen(lambda: self._people.open(by, "change_form"), SOON) is None:
            return None
        return await self.plan(by, wish)

    async def plan(self, by: SlackUser, wish: Wish | None) -> int | None:
        """Fill the open form, or leave it as it is, and return the number of the plan; NOTHING for none."""
        if wish is None:
            view = await self._previewed(by)
            return None if view is None else self._named(view)
        if not await self._filled(by, wish):
            return None
        await self._people.think(SOON)
        meant = self._world.meant(wish)
        view = await self._previewed(by)
        if view is not None and "edit" in action_ids(view.blocks) and not wish.sheet and self._random.random() < EDITS:
            wish = wish.other(self._random)
            view = await self._edited(by, wish)
        return None if view is None else await self._looked_at(by, view, wish, meant)

    async def _filled(self, by: SlackUser, wish: Wish) -> bool:
        """Fill the open form; tell whether that went well."""
        numbers = None if wish.part or wish.sheet else wish.numbers
        filters = {FILTER: wish.part} if wish.part else {}
        filters |= {"has_bundle": "true"} if wish.bundled else {}
        besides = {"reason": "Moving to the new PBX", **wish.besides}
        if wish.sheet:
            await by.attach("sheet:0", ("numbers.csv", wish.as_sheet()))
        values = {} if wish.sheet else wish.values
        try:
            await fill(by, numbers, values, filters=filters, besides=besides, within=SOON)
        except TimeoutError:
            return False
        return True

    async def _edited(self, by: SlackUser, wish: Wish) -> View | None:
        """Go back to the form, change what it says, and send it once more."""
        await by.click("edit")
        if await self._people.seen(lambda: self._people.open(by, "change_form"), SOON) is None:
            return None
        for name, value in wish.values.items():
            await enter(by, f"value:{name}", value)
        await by.type("reason", "Moving to the newest PBX")
        return await self._previewed(by)

    async def _previewed(self, by: SlackUser) -> View | None:
        """Send the form and return what is shown after planning; None when it was refused, or nothing came."""
        sent = await by.submit()
        if sent.errors or sent.delivery.error:
            self._world.trace.add(f"{by.profile.name} is refused: {sent.errors} {sent.delivery.error}")
            return None
        return await self._people.seen(lambda: self._answered(by), LATER)

    async def _looked_at(self, by: SlackUser, view: View, wish: Wish, meant: set[str]) -> int | None:
        """Read what was planned for a wish that ``meant`` these numbers, and return the change; NOTHING for none."""
        whole = True
        if "leave_out" in action_ids(view.blocks) and self._random.random() < RESTS:
            await by.click("leave_out")
            before = str(view.blocks)
            shown = await self._people.seen(lambda: self._answered(by, but=before), LATER)
            if shown is None:
                return None
            view, whole = shown, False
        read = self._people.read(view)
        self._world.trace.add(f"{by.profile.name} sees {read[:200]!r}")
        if change := self._named(view):
            self._world.plans.shown(change, wish, meant, whole=whole)
        return change

    def _named(self, view: View) -> int:
        """Return the change whose plan can be requested there; NOTHING for none."""
        found = _NAME.search(self._people.read(view))
        if not found or not view.content.get("submit"):
            return NOTHING
        self._world.revisions.shown(int(found[1]))
        return int(found[1])

    async def planned_again(self, by: SlackUser) -> int:
        """Return the change that is planned after a press of "Plan again" on a card; NOTHING for none."""
        view = await self._people.seen(lambda: self._answered(by), LATER)
        return NOTHING if view is None else self._named(view)

    async def request(self, by: SlackUser, change: int, there: Callable[[], bool] | None = None) -> bool:
        """Press "Request approval" until the request is ``there``: by itself, it is a message of its own."""
        people = self._people
        posted = there or (lambda: people.posted(change, "approval_card") is not None)
        await people.think(SOON)
        for _ in range(TRIES):
            if posted():
                return True
            view = people.open(by, "preview")
            if view is None or not view.content.get("submit"):
                break
            if ("count", "count") in view.form.slots:
                numbers = re.search(r"Numbers: ([\d,]+)", people.read(view))
                await by.type("count", numbers[1] if numbers else "0")
            self._world.revisions.requesting(change)
            sent = await by.submit()
            self._world.trace.add(f"{by.profile.name} requests approval of CHG-{change}: {sent.delivery.error}")
            await people.seen(posted, LATER)
        return await people.seen(posted, LATER) is not None

    def _answered(self, by: SlackUser, *, but: str = "") -> View | None:
        """Return the modal once it shows a plan, or why there is none, ``but`` for one with these blocks."""
        view = self._people.open(by, "preview")
        shown = view is not None and any(block["type"] == "actions" for block in view.blocks)
        return view if view is not None and shown and str(view.blocks) != but else None

    # What follows an earlier change

    async def follow(self, by: SlackUser, change: int, word: str) -> int | None:
        """Ask for what follows a change, ``undo`` or ``retry``, and return its number."""
        people = self._people
        with suppress(StandInRefused):
            await people.type(by, f"{word} CHG-{change}")
            view = await people.seen(lambda: people.open(by, "change_form") or self._answered(by), LATER)
            if view is not None and view.callback_id == "change_form":
                await by.submit()
                view = await people.seen(lambda: self._answered(by), LATER)
            found = _NAME.search(people.read(view)) if view is not None else None
            if view is not None and found and view.content.get("submit"):
                self._world.plans.followed(int(found[1]), change, word)
                if await self.request(by, int(found[1])):
                    return int(found[1])
        await people.close(by)
        return None

    async def keep(self, by: SlackUser, change: int, name: str) -> bool:
        """Save a change as a template and tell whether that went well."""
        people, card = self._people, self._people.posted(change, "card")
        saved = None
        with suppress(StandInRefused):
            if card is not None:
                await self._world.judge.click(by, "keep_template", card)
                if await people.seen(lambda: people.open(by, "save_template"), SOON) is not None:
                    await by.type("name", name)
                    await by.submit()
                    saved = await people.seen(lambda: people.open(by, "notice") or self._taken(by), SOON)
                    if saved is not None and saved.callback_id != "notice":
                        await by.submit()
                        saved = await people.seen(lambda: people.open(by, "notice"), SOON)
        kept = saved is not None and "is saved" in people.read(saved)
        await people.close(by)
        return kept

    def _taken(self, by: SlackUser) -> View | None:
        """Return the question whether what has this name is to be replaced; None when it is not asked."""
        view = self._people.open(by, "save_template")
        return None if view is None or ("name", "name") in view.form.slots else view

    async def run(self, by: SlackUser, name: str, wish: Wish) -> int | None:
        """Run a template of a change that was this wish, and return the change that came of it."""
        people = self._people
        with suppress(StandInRefused):
            await people.type(by, f"run {name}")
            form = await people.seen(lambda: people.open(by, "change_form"), LATER)
            if form is not None:
                for hidden in {"external_pin"} & set(wish.values):
                    await enter(by, f"value:{hidden}", wish.values[hidden])
                await by.type("reason", "Once more")
                meant = self._world.meant(wish)
                view = await self._previewed(by)
                again = replace(wish, besides={name: wish.besides[name] for name in {"until"} & set(wish.besides)})
                change = None if view is None else await self._looked_at(by, view, again, meant)
                if change and await self.request(by, change):
                    return change
        await people.close(by)
        return None
