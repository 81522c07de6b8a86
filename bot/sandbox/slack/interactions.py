"""What a Slack client sends to the app when its person acts, and the options that it asks the app for."""

from __future__ import annotations

from collections.abc import Sequence

from bot.sandbox.slack import acks, payloads
from bot.sandbox.slack.delivery import Courier
from bot.sandbox.slack.forms import EXTERNAL, WITH_OPTIONS, Slot, all_options
from bot.sandbox.slack.modal import View
from bot.sandbox.slack.records import Delivery, Json, Profile, StandInRefused
from bot.sandbox.slack.surfaces import Surface
from bot.sandbox.slack.workspace import Workspace


class Interactions:
    """One person's interactions. Each returns once the bot has answered, or has failed to in three seconds."""

    def __init__(self, ws: Workspace, courier: Courier, profile: Profile) -> None:
        self._ws = ws
        self._courier = courier
        self._profile = profile
        self._suggested: dict[tuple[str, str], list[Json]] = {}

    async def shortcut(self, kind: str, **extra: object) -> Delivery:
        """Send a shortcut of ``kind``, global or a message's."""
        payload = payloads.interaction(kind, self._profile)
        payload |= {
            "trigger_id": self._ws.triggers.issue(self._profile.id, None),
            "action_ts": self._ws.next_ts(),
            **extra,
        }
        delivery = await self._courier.send(payload)
        acks.no_body(self._ws, delivery)
        return delivery

    async def action(self, surface: Surface, action: Json) -> Delivery:
        """Send ``block_actions`` with the one ``action`` on ``surface``."""
        payload = payloads.interaction("block_actions", self._profile)
        payload |= surface.context(self._ws, self._profile.id)
        payload |= {
            "trigger_id": self._ws.triggers.issue(self._profile.id, surface.root_view),
            "actions": [{**action, "action_ts": self._ws.next_ts()}],
        }
        delivery = await self._courier.send(payload)
        acks.no_body(self._ws, delivery)
        return delivery

    async def submission(self, view: View) -> Delivery:
        """Send ``view_submission`` of ``view``."""
        payload = payloads.interaction("view_submission", self._profile)
        payload |= {
            "trigger_id": self._ws.triggers.issue(self._profile.id, view.root_id),
            "view": payloads.view_json(view),
            "response_urls": self._response_urls(view),
        }
        return await self._courier.send(payload)

    async def closing(self, view: View, *, everything: bool) -> Delivery:
        """Send ``view_closed`` of ``view``; ``everything`` says that its whole stack was closed."""
        payload = payloads.interaction("view_closed", self._profile)
        payload |= {"view": payloads.view_json(view), "is_cleared": everything}
        return await self._courier.send(payload)

    async def options(self, surface: Surface, slot: Slot, wanted: Sequence[str]) -> list[Json]:
        """Return the options of a menu; one whose options come from the app asks for each of ``wanted``, once."""
        if slot.kind not in WITH_OPTIONS:
            return []
        if slot.kind not in EXTERNAL:
            return all_options(slot.element)
        known = list(self._suggested.get((slot.block["block_id"], slot.element["action_id"]), []))
        for each in wanted:
            if not any(each in (option["value"], option["text"]["text"]) for option in known):
                known.extend(await self.suggestions(surface, slot, each))
        return known

    async def suggestions(self, surface: Surface, slot: Slot, text: str) -> list[Json]:
        """Send ``block_suggestion`` with what was typed into a menu, and return the options that the app offers."""
        if slot.kind not in EXTERNAL:
            raise StandInRefused(f"the {slot.kind} in {slot.block['block_id']!r} does not ask the app for options")
        least = slot.element.get("min_query_length", 3)
        if len(text) < least:
            raise StandInRefused(f"the menu {slot.block['block_id']!r} asks only from {least} characters on")
        payload = payloads.interaction("block_suggestion", self._profile)
        payload |= {
            key: value
            for key, value in surface.context(self._ws, self._profile.id).items()
            if key not in ("response_url", "state")
        }
        payload |= {"action_id": slot.element["action_id"], "block_id": slot.block["block_id"], "value": text}
        offered = acks.suggestions(self._ws, await self._courier.send(payload))
        self._suggested[slot.block["block_id"], slot.element["action_id"]] = offered
        return offered

    def _response_urls(self, view: View) -> list[Json]:
        urls: list[Json] = []
        for slot in view.form.slots.values():
            if slot.element.get("response_url_enabled") and not slot.empty:
                url = self._ws.link(slot.value, self._profile.id, None)
                ids = {"block_id": slot.block["block_id"], "action_id": slot.element["action_id"]}
                urls.append({**ids, "channel_id": slot.value, "response_url": url})
        return urls
