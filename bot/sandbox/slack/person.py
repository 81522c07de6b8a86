"""Playing a person: everything that a Slack client lets them do, and nothing that it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from bot.sandbox.slack import acks, payloads
from bot.sandbox.slack.delivery import Courier
from bot.sandbox.slack.forms import TYPED, Slot, checked_text, picked
from bot.sandbox.slack.interactions import Interactions
from bot.sandbox.slack.modal import View
from bot.sandbox.slack.records import (
    Channel,
    Delivery,
    File,
    Json,
    Message,
    Profile,
    StandInRefused,
    SubmittedView,
)
from bot.sandbox.slack.surfaces import Surface, on_message, on_view
from bot.sandbox.slack.webapi.files import new_file
from bot.sandbox.slack.workspace import Workspace

LARGEST_INPUT_FILE = 10_000_000


class SlackUser:
    """Somebody at a Slack client. Each method returns once the bot has answered, or has failed to in three seconds."""

    def __init__(self, ws: Workspace, courier: Courier, profile: Profile) -> None:
        self.profile = profile
        self._ws = ws
        self._courier = courier
        self._interactions = Interactions(ws, courier, profile)

    @property
    def id(self) -> str:
        """The person's id."""
        return self.profile.id

    @property
    def view(self) -> View | None:
        """The modal on top of the person's stack, or None."""
        return self._ws.views.top(self.id)

    async def wait_for_view(
        self,
        predicate: Callable[[View], bool] | None = None,
        timeout: float = 30.0,  # noqa: ASYNC109 - the caller's word; it is asyncio.timeout inside
    ) -> View:
        """Return the top modal once there is one that satisfies ``predicate``; raises TimeoutError."""

        def shown() -> View | None:
            view = self.view
            return view if view is not None and (predicate is None or predicate(view)) else None

        titles = [view.title for view in self._ws.views.stacks.get(self.id, [])]
        view = await self._ws.journal.wait_for(
            shown, timeout=timeout, what=f"a modal of {self.profile.name} (now open: {titles})"
        )
        if view is None:
            raise StandInRefused("no modal is open")
        return view

    async def command(self, command: str, text: str = "", *, channel: str | None = None) -> Delivery:
        """Type a slash command, in the direct message with the bot when no channel is given."""
        place = self._place(channel)
        payload = payloads.slash_command(self._ws, self.profile, place, command, text)
        delivery = await self._courier.send(payload, kind="slash_command")
        acks.command_reply(self._ws, delivery)
        return delivery

    async def global_shortcut(self, callback_id: str) -> Delivery:
        """Choose a global shortcut; its payload has no channel and no response address."""
        return await self._interactions.shortcut("shortcut", callback_id=callback_id)

    async def message_shortcut(self, callback_id: str, *, message: Message) -> Delivery:
        """Choose a shortcut from a message's menu."""
        on_message(self._ws, message, self.id)
        channel = self._ws.channels[message.channel]
        return await self._interactions.shortcut(
            "message_action",
            callback_id=callback_id,
            message_ts=message.ts,
            message=self._ws.message_json(message),
            channel={"id": channel.id, "name": payloads.channel_name(channel)},
            response_url=self._ws.link(channel.id, self.id, None),
        )

    async def open_home(self) -> Delivery:
        """Open the app's Home tab."""
        inner: Json = {
            "type": "app_home_opened",
            "user": self.id,
            "channel": self._ws.direct_message(self.id).id,
            "tab": "home",
        }
        home = self._ws.views.homes.get(self.id)
        if home is not None:
            inner["view"] = payloads.view_json(home)
        return await self._courier.send(payloads.event(self._ws, inner), kind="event_callback")

    def post(
        self,
        channel: str,
        text: str = "",
        *,
        thread_ts: str | None = None,
        files: Sequence[tuple[str, bytes]] = (),
    ) -> Message:
        """Write a message, with files given as (name, bytes); the bot is not told, as it subscribes to no messages."""
        place = self._place(channel)
        kept = [self._file(name, content, place.id, thread_ts) for name, content in files]
        message = Message(
            channel=place.id,
            ts=self._ws.next_ts(),
            user=self.id,
            text=text,
            thread_ts=thread_ts,
            files=kept,
            from_bot=False,
        )
        return self._ws.add_message(message)

    async def click(
        self,
        action_id: str,
        *,
        message: Message | None = None,
        home: bool = False,
        block_id: str | None = None,
        value: str | None = None,
    ) -> Delivery:
        """Press a button of a message, of the Home tab, or of the open modal; ``value`` picks an overflow menu's entry.

        A ``message.snapshot()`` presses what the person still saw before an edit.
        """
        surface = self._surface(message, home=home)
        block, element = surface.find(action_id, block_id, value)
        action: Json = {"action_id": action_id, "block_id": block["block_id"], "type": element["type"]}
        match element["type"]:
            case "button" | "workflow_button" | "icon_button":
                action |= {key: element[key] for key in ("text", "value", "style") if key in element}
            case "overflow":
                chosen = [each for each in element["options"] if value in (each.get("value"), each["text"]["text"])]
                if not chosen:
                    raise StandInRefused(f"the menu {action_id!r} does not offer {value!r}")
                action["selected_option"] = chosen[0]
            case other:
                raise StandInRefused(f"{action_id!r} is a {other}; choose() or type() instead of click()")
        return await self._interactions.action(surface, action)

    async def double_click(
        self, action_id: str, *, message: Message | None = None, block_id: str | None = None, value: str | None = None
    ) -> tuple[Delivery, Delivery]:
        """Press a button twice before the first press was answered."""
        first = self.click(action_id, message=message, block_id=block_id, value=value)
        second = self.click(action_id, message=message, block_id=block_id, value=value)
        one, two = await asyncio.gather(first, second)
        return one, two

    async def type(
        self,
        block_id: str,
        text: str,
        *,
        message: Message | None = None,
        home: bool = False,
        action_id: str | None = None,
    ) -> Delivery | None:
        """Type into an input; dates are ``YYYY-MM-DD``, times ``HH:MM``, date-times Unix seconds.

        Returns the delivery of ``block_actions`` when the input dispatches it.
        """
        surface = self._surface(message, home=home)
        slot = surface.form.slot(block_id, action_id)
        if slot.kind not in TYPED:
            raise StandInRefused(f"nobody types into the {slot.kind} in {block_id!r}; choose() instead")
        slot.value = checked_text(slot, text)
        return await self._filled(surface, slot)

    async def choose(
        self,
        block_id: str,
        wanted: str | Sequence[str],
        *,
        message: Message | None = None,
        home: bool = False,
        action_id: str | None = None,
    ) -> Delivery | None:
        """Choose options by value or label, people and channels by id; an empty list clears.

        Menus with options from the app ask it when they have not been asked already. Returns the delivery of
        ``block_actions`` when the menu dispatches it.
        """
        surface = self._surface(message, home=home)
        slot = surface.form.slot(block_id, action_id)
        names = [wanted] if isinstance(wanted, str) else list(wanted)
        if slot.kind in TYPED or slot.kind == "file_input":
            raise StandInRefused(f"there is nothing to choose in the {slot.kind} in {block_id!r}")
        slot.value = picked(slot, names, await self._interactions.options(surface, slot, names))
        return await self._filled(surface, slot)

    async def suggest(
        self,
        block_id: str,
        text: str,
        *,
        message: Message | None = None,
        home: bool = False,
        action_id: str | None = None,
    ) -> list[Json]:
        """Type into a menu whose options come from the app, and return the options it offers."""
        surface = self._surface(message, home=home)
        return await self._interactions.suggestions(surface, surface.form.slot(block_id, action_id), text)

    async def attach(self, block_id: str, *files: tuple[str, bytes]) -> Delivery | None:
        """Put files, given as (name, bytes), into a file input of the modal."""
        surface = self._surface(None, home=False)
        slot = surface.form.slot(block_id)
        if slot.kind != "file_input":
            raise StandInRefused(f"the element in {block_id!r} is a {slot.kind}, not a file_input")
        most = slot.element.get("max_files", 10)
        if len(files) > most:
            raise StandInRefused(f"the input {block_id!r} takes at most {most} files")
        if any(len(content) > LARGEST_INPUT_FILE for _, content in files):
            raise StandInRefused("a file input takes at most 10 MB a file")
        slot.value = [self._ws.file_json(self._file(name, content, None, None)) for name, content in files]
        return await self._filled(surface, slot)

    async def submit(self) -> SubmittedView:
        """Press the modal's Submit button; raises StandInRefused when a real client would not send the form."""
        view = self._open_view()
        if not view.content.get("submit"):
            raise StandInRefused(f"the modal {view.title!r} has no Submit button")
        refusals = view.form.refusals()
        if refusals:
            raise StandInRefused("; ".join(refusals))
        view.errors = {}
        delivery = await self._interactions.submission(view)
        await asyncio.sleep(max(0.0, self._ws.ack_lag - delivery.seconds))
        return SubmittedView(errors=acks.submission_errors(self._ws, view, delivery), delivery=delivery)

    async def close(self, *, everything: bool = False) -> Delivery | None:
        """Press Cancel, or with ``everything`` the X that closes the whole stack.

        Returns the delivery of ``view_closed`` when the view asked for it.
        """
        view = self._open_view()
        stack = list(self._ws.views.stacks.get(self.id, []))
        subject = stack[0] if everything else view
        if everything:
            self._ws.views.clear(self.id)
        else:
            self._ws.views.pop(view)
        self._ws.journal.touch()
        if not subject.content.get("notify_on_close"):
            return None
        return await self._interactions.closing(subject, everything=everything)

    def _place(self, channel: str | None) -> Channel:
        place = self._ws.direct_message(self.id) if channel is None else self._ws.channels.get(channel)
        if place is None:
            raise StandInRefused(f"there is no channel {channel!r}")
        if self.id not in place.members:
            raise StandInRefused(f"{self.profile.name} is not in #{place.name} and cannot write there")
        if place.archived:
            raise StandInRefused(f"#{place.name} is archived")
        return place

    def _open_view(self) -> View:
        if self.view is None:
            raise StandInRefused(f"{self.profile.name} has no modal open")
        return self.view

    def _surface(self, message: Message | None, *, home: bool) -> Surface:
        if message is not None:
            return on_message(self._ws, message, self.id)
        if home:
            if self.id not in self._ws.views.homes:
                raise StandInRefused(f"the Home tab of {self.profile.name} is empty")
            return on_view(self._ws.views.homes[self.id])
        return on_view(self._open_view())

    async def _filled(self, surface: Surface, slot: Slot) -> Delivery | None:
        self._ws.journal.touch()
        return await self._interactions.action(surface, slot.action()) if slot.dispatches else None

    def _file(self, name: str, content: bytes, channel: str | None, thread_ts: str | None) -> File:
        file = new_file(self._ws, name=name, user=self.id, content=content)
        file.channel, file.thread_ts = channel, thread_ts
        self._ws.files[file.id] = file
        return file
