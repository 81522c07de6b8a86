"""What a visitor does as one of the people, and the sentence that Slack would show when it fails."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypedDict

from bot.sandbox.page.given import Given
from bot.sandbox.slack import TROUBLE, Delivery, Message, SlackStandIn, SlackUser, StandInRefused
from bot.sandbox.slack.records import Json

#: What people read beside a button, or after a shortcut, that nobody answered.
NOTHING_CAME: Final = "Oh no, something went wrong. Please try that again."
#: What they read in a menu whose options did not come.
NO_OPTIONS: Final = "These options could not be loaded."
#: The refusals of the stand-in that a visitor can meet, in words that need no block ids.
_PLAINER: Final = (
    (re.compile(r"^nothing (with the action_id|to fill in the block) .*"), "this has just changed; look again"),
    (re.compile(r"\bthe (input|menu) '[^']*'"), "this field"),
)

Act = Callable[[SlackUser, Given], Awaitable[Json]]


class Place(TypedDict, total=False):
    """Where something is done: at a message or on the Home tab; with neither in the top modal."""

    message: Message
    home: bool


class Actions:
    """Carries out what the page asks for."""

    def __init__(self, slack: SlackStandIn) -> None:
        self._slack = slack
        #: How many acts are under way in each view, by its id.
        self.waiting: Counter[str] = Counter()
        self._acts: dict[str, Act] = {
            "command": self._command,
            "post": self._post,
            "shortcut": self._shortcut,
            "click": self._click,
            "type": self._type,
            "choose": self._choose,
            "suggest": self._suggest,
            "attach": self._attach,
            "submit": self._submit,
            "close": self._close,
            "open_home": self._open_home,
        }

    async def carry_out(self, given: Given) -> Json:
        """Do it and return what the page is told besides that it is done; ``error`` is a sentence or None.

        Raises StandInRefused for what nobody can do, or not now.
        """
        act, person = self._act(given.text("do")), self._person(given.text("as"))
        if act == self._suggest:  # a menu waits by itself
            return await act(person, given)
        with self._waiting_in(person):
            return await act(person, given)

    def _act(self, name: str) -> Act:
        if name not in self._acts:
            raise StandInRefused("the page asks for something that nobody can do")
        return self._acts[name]

    def _person(self, user: str) -> SlackUser:
        try:
            return self._slack.person(user)
        except KeyError:
            raise StandInRefused(f"nobody here is {user}") from None

    @contextmanager
    def _waiting_in(self, person: SlackUser) -> Iterator[None]:
        """Mark the modal that is open as one that waits for an answer."""
        view = person.view.id if person.view is not None else ""
        self.waiting[view] += 1
        self._slack.workspace.journal.touch()
        try:
            yield
        finally:
            self.waiting[view] -= 1
            self.waiting += Counter()  # what nobody waits for is gone
            self._slack.workspace.journal.touch()

    async def _command(self, person: SlackUser, given: Given) -> Json:
        word, _, text = given.text("text").partition(" ")
        delivery = await person.command(word, text.strip(), channel=given.optional("channel"))
        return _outcome(delivery, f"{word} failed with the error “{delivery.error}”")

    async def _post(self, person: SlackUser, given: Given) -> Json:
        person.post(
            given.text("channel"),
            given.optional("text") or "",
            thread_ts=given.optional("thread_ts"),
            files=given.files(),
        )
        return _outcome(None)

    async def _shortcut(self, person: SlackUser, given: Given) -> Json:
        callback = given.text("callback_id")
        message = self._place(person, given).get("message")
        if message is None:
            return _outcome(await person.global_shortcut(callback), NOTHING_CAME)
        return _outcome(await person.message_shortcut(callback, message=message), NOTHING_CAME)

    async def _click(self, person: SlackUser, given: Given) -> Json:
        place = self._place(person, given)
        delivery = await person.click(
            given.text("action_id"), block_id=given.optional("block_id"), value=given.optional("value"), **place
        )
        return _outcome(delivery, NOTHING_CAME if place else TROUBLE)

    async def _type(self, person: SlackUser, given: Given) -> Json:
        place = self._place(person, given)
        text, action = given.optional("text") or "", given.optional("action_id")
        return _outcome(await person.type(given.text("block_id"), text, action_id=action, **place))

    async def _choose(self, person: SlackUser, given: Given) -> Json:
        place = self._place(person, given)
        wanted, action = given.texts("wanted"), given.optional("action_id")
        return _outcome(await person.choose(given.text("block_id"), wanted, action_id=action, **place))

    async def _suggest(self, person: SlackUser, given: Given) -> Json:
        place = self._place(person, given)
        text, action = given.optional("text") or "", given.optional("action_id")
        options = await person.suggest(given.text("block_id"), text, action_id=action, **place)
        return {**_outcome(self._asked(person, text), NO_OPTIONS), "options": options}

    async def _attach(self, person: SlackUser, given: Given) -> Json:
        return _outcome(await person.attach(given.text("block_id"), *given.files()))

    async def _submit(self, person: SlackUser, _: Given) -> Json:
        view = person.view
        if view is not None and (unfinished := view.form.unfinished()):
            view.errors = unfinished
            return _outcome(None)
        return _outcome((await person.submit()).delivery)

    async def _close(self, person: SlackUser, given: Given) -> Json:
        await person.close(everything=given.flag("everything"))
        return _outcome(None)  # the modal is gone, whatever the app makes of it

    async def _open_home(self, person: SlackUser, _: Given) -> Json:
        await person.open_home()
        return _outcome(None)  # an event: nobody waits for its answer

    def _asked(self, person: SlackUser, text: str) -> Delivery | None:
        """Return the newest question for options that a person's typing led to."""
        return next(
            (
                each
                for each in reversed(self._slack.deliveries)
                if each.kind == "block_suggestion"
                and (each.payload["user"]["id"], each.payload["value"]) == (person.id, text)
            ),
            None,
        )

    def _place(self, person: SlackUser, given: Given) -> Place:
        channel = given.optional("channel")
        if channel is None:
            return {"home": True} if given.flag("home") else {}
        ts = given.text("ts")
        whispers = self._slack.ephemerals(person.id)
        mine = next((each for each in whispers if (each.channel, each.ts) == (channel, ts)), None)
        message = mine or self._slack.workspace.message(channel, ts)
        if message is None:
            raise StandInRefused("this message is not there any more")
        return {"message": message}


def _outcome(delivery: Delivery | None, failed: str = TROUBLE) -> Json:
    """Return what the page is told of a delivery: Slack's own sentence where nobody answered it."""
    if delivery is None or delivery.error is None:
        return {"error": None}
    unanswered = delivery.error in ("operation_timeout", "dispatch_failed")
    return {"error": failed if unanswered else delivery.error}


def sentence(refusal: str) -> str:
    """Return a refusal of the stand-in as a person reads it."""
    for pattern, plainer in _PLAINER:
        refusal = pattern.sub(plainer, refusal)
    return f"{refusal[:1].upper()}{refusal[1:]}."
