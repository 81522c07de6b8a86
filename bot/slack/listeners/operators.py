"""What operators do: see and release locks, freeze and unfreeze. Seeing is for everybody."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.changes.records import public_id, read_public_id
from bot.slack.front import Front
from bot.slack.manifest import COMMAND
from bot.slack.views.locks import UNLOCK, locks_list, unlock_question


def register(app: AsyncApp, front: Front) -> None:
    """Listen to the button that releases locks."""

    async def unlock(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        front.desk.hand_over(_unlock(front, body), front.to_person(body), "unlock")

    app.block_action(UNLOCK)(unlock)


async def show_locks(front: Front, body: dict[str, Any], _text: str = "") -> None:
    """Answer ``/numbers locks``."""
    await front.say(body, *locks_list(await front.unlocking.locks()))


async def ask_to_unlock(front: Front, body: dict[str, Any], text: str) -> None:
    """Answer ``/numbers unlock CHG-41``: ask an operator whether they mean it."""
    change = read_public_id(text)
    if change is None:
        await front.say(body, f"Say whose numbers: `{COMMAND} unlock CHG-41`. `{COMMAND} locks` shows who holds some.")
        return
    await front.unlocking.allow(by=body["user_id"])
    lock = next((lock for lock in await front.unlocking.locks() if lock.change == change), None)
    if lock is None:
        await front.say(body, f"{public_id(change)} holds no numbers.")
        return
    await front.say(body, *unlock_question(lock))


async def _unlock(front: Front, body: dict[str, Any]) -> None:
    change = int(body["actions"][0]["value"])
    released = await front.unlocking.unlock(change, by=body["user"]["id"])
    await front.say(body, f"{released:,} numbers of {public_id(change)} are released.")


async def freeze(front: Front, body: dict[str, Any], reason: str) -> None:
    """Answer ``/numbers freeze REASON``."""
    await front.freezing.freeze(reason, by=body["user_id"])
    await front.say(body, f"❄️ Submissions are frozen; every card says so. `{COMMAND} unfreeze` lifts it.")


async def unfreeze(front: Front, body: dict[str, Any], _text: str = "") -> None:
    """Answer ``/numbers unfreeze``."""
    await front.freezing.unfreeze(by=body["user_id"])
    await front.say(body, "Submissions go on.")
