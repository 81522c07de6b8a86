"""What operators do: see and release locks, freeze and unfreeze, export. Seeing locks is for whoever may look."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.changes.records import public_id, read_public_id
from bot.slack.front import Front
from bot.slack.manifest import COMMAND
from bot.slack.said import named
from bot.slack.views.elements import escape
from bot.slack.views.locks import UNLOCK, locks_list, unlock_question


def register(app: AsyncApp, front: Front) -> None:
    """Listen to the button that releases locks."""

    async def unlock(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        front.desk.hand_over(_unlock(front, body), front.to_person(body), "unlock")

    app.block_action(UNLOCK)(unlock)


async def _show_locks(front: Front, body: dict[str, Any], _: str) -> None:
    """Answer ``/numbers locks``."""
    await front.say(body, *locks_list(await front.unlocking.locks(by=body["user_id"])))


async def _ask_to_unlock(front: Front, body: dict[str, Any], text: str) -> None:
    """Answer ``/numbers unlock CHG-41``: ask an operator whether they mean it."""
    change = read_public_id(text)
    if change is None:
        await front.say(body, f"Say whose numbers: `{COMMAND} unlock CHG-41`. `{COMMAND} locks` shows who holds some.")
        return
    await front.unlocking.allow(by=body["user_id"])
    lock = next((lock for lock in await front.unlocking.locks(by=body["user_id"]) if lock.change == change), None)
    if lock is None:
        await front.say(body, f"{public_id(change)} holds no numbers.")
        return
    await front.say(body, *unlock_question(lock))


async def _unlock(front: Front, body: dict[str, Any]) -> None:
    change = int(body["actions"][0]["value"])
    await front.say(body, escape(await front.unlocking.unlock(change, by=body["user"]["id"])))


async def _freeze(front: Front, body: dict[str, Any], reason: str) -> None:
    """Answer ``/numbers freeze REASON``."""
    reached = await front.freezing.freeze(named(reason), by=body["user_id"])
    said = f"❄️ Submissions are frozen; every card says so. `{COMMAND} unfreeze` lifts it."
    await front.say(body, f"{said} {escape(reached)}".strip())


async def _unfreeze(front: Front, body: dict[str, Any], _: str) -> None:
    """Answer ``/numbers unfreeze``."""
    await front.freezing.unfreeze(by=body["user_id"])
    await front.say(body, "Submissions go on.")


async def _export(front: Front, body: dict[str, Any], words: str) -> None:
    """Answer ``/numbers export [FROM] [TO] [csv|jsonl]``: the file goes where only the operator reads it."""
    user = body["user_id"]
    made = await front.exporting.export(words, by=user)
    told = f"{made.events:,} {'event' if made.events == 1 else 'events'} of the audit trail, {escape(made.words)}"
    await front.send_file(user, made.name, made.content, told)
    await front.say(body, f"{told}: the file is in your direct messages with me.")


#: Word after ``/numbers`` -> what answers it, given what stands behind the word.
COMMANDS: Final[Mapping[str, Callable[[Front, dict[str, Any], str], Awaitable[None]]]] = {
    "locks": _show_locks,
    "unlock": _ask_to_unlock,
    "freeze": _freeze,
    "unfreeze": _unfreeze,
    "export": _export,
}
