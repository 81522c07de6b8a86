"""``/numbers``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.changes.records import read_public_id
from bot.slack.front import Front
from bot.slack.listeners.opening import open_form
from bot.slack.listeners.operators import ask_to_unlock, freeze, show_locks, unfreeze
from bot.slack.listeners.values import open_values, send_template
from bot.slack.manifest import COMMAND
from bot.slack.views.elements import escape
from bot.slack.views.help import help_text
from bot.slack.views.status import listing, status

#: Word -> what answers it, given what follows the word.
_ANSWERS: Final[Mapping[str, Callable[[Front, dict[str, Any], str], Awaitable[None]]]] = MappingProxyType(
    {"unlock": ask_to_unlock, "freeze": freeze, "template": send_template, "values": open_values}
)


def register(app: AsyncApp, front: Front) -> None:
    """Listen to the slash command."""

    async def numbers(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        front.desk.hand_over(_answer(front, body), front.to_person(body), "command")

    app.command(COMMAND)(numbers)


async def _answer(front: Front, body: dict[str, Any]) -> None:
    word, _, rest = body.get("text", "").strip().partition(" ")
    word, rest = word.lower(), rest.strip()
    kind = front.choices.by_command(word)
    if kind is not None or word == "new":
        await open_form(
            front,
            user=body["user_id"],
            trigger=body["trigger_id"],
            origin=body["channel_id"],
            kind=kind,
            pasted=rest,
        )
        return
    if word in _ANSWERS:
        await _ANSWERS[word](front, body, rest)
        return
    match word:
        case "status":
            await _status(front, body, rest)
        case "cancel":
            await _cancel(front, body, rest)
        case "list":
            await _list(front, body, rest)
        case "locks":
            await show_locks(front, body)
        case "unfreeze":
            await unfreeze(front, body)
        case "help" | "":
            await front.say(body, help_text(front.choices.kinds))
        case _:
            said = f"There is no `{COMMAND} {escape(word[:40])}`.\n\n"
            await front.say(body, said + help_text(front.choices.kinds))


async def _status(front: Front, body: dict[str, Any], text: str) -> None:
    change = read_public_id(text)
    if change is None:
        await front.say(body, f"Say which change: `{COMMAND} status CHG-42`. `{COMMAND} list` shows the newest ones.")
        return
    story = await front.stories.read(change)
    history = await front.stories.history(change)
    await front.say(body, *status(story, history))


async def _cancel(front: Front, body: dict[str, Any], text: str) -> None:
    change = read_public_id(text)
    if change is None:
        await front.say(body, f"Say which change: `{COMMAND} cancel CHG-42`.")
        return
    await front.say(body, escape(await front.cancelling.cancel(change, by=body["user_id"])))


async def _list(front: Front, body: dict[str, Any], text: str) -> None:
    if text not in {"", "mine"}:
        await front.say(body, f"`{COMMAND} list` shows the newest changes, `{COMMAND} list mine` only yours.")
        return
    mine = text == "mine"
    stories = await front.stories.list(requester=body["user_id"] if mine else "")
    await front.say(body, *listing(stories, mine=mine))
