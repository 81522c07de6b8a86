"""What operators do: see and release locks, freeze and unfreeze, export. Seeing locks is for whoever may look."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.changes.model.change import public_id, read_public_id
from bot.slack.commands import COMMAND
from bot.slack.message_text import named
from bot.slack.services import Services
from bot.slack.views.elements import escape
from bot.slack.views.locks import UNLOCK, locks_list, unlock_question


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the button that releases locks."""

    async def unlock(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        services.clicks.hand_over(_unlock(services, body), services.to_person(body), "unlock")

    app.block_action(UNLOCK)(unlock)


async def _show_locks(services: Services, body: dict[str, Any], _: str) -> None:
    """Answer ``/numbers locks``."""
    await services.say(body, *locks_list(await services.lock_control.locks(by=body["user_id"])))


async def _ask_to_unlock(services: Services, body: dict[str, Any], text: str) -> None:
    """Answer ``/numbers unlock CHG-41``: ask an operator whether they mean it."""
    change = read_public_id(text)
    if change is None:
        await services.say(
            body, (f"Name the change: `{COMMAND} unlock CHG-41`. `{COMMAND} locks` shows which changes hold numbers.")
        )
        return
    await services.lock_control.allow(by=body["user_id"])
    lock = next((lock for lock in await services.lock_control.locks(by=body["user_id"]) if lock.change == change), None)
    if lock is None:
        await services.say(body, f"{public_id(change)} holds no numbers.")
        return
    await services.say(body, *unlock_question(lock))


async def _unlock(services: Services, body: dict[str, Any]) -> None:
    change = int(body["actions"][0]["value"])
    await services.say(body, escape(await services.lock_control.unlock(change, by=body["user"]["id"])))


async def _freeze(services: Services, body: dict[str, Any], reason: str) -> None:
    """Answer ``/numbers freeze REASON``."""
    reached = await services.freeze_control.freeze(named(reason), by=body["user_id"])
    said = f"❄️ Submissions are frozen; every card says so. `{COMMAND} unfreeze` lifts it."
    await services.say(body, f"{said} {escape(reached)}".strip())


async def _unfreeze(services: Services, body: dict[str, Any], _: str) -> None:
    """Answer ``/numbers unfreeze``."""
    await services.freeze_control.unfreeze(by=body["user_id"])
    await services.say(body, "The freeze is lifted; submissions continue.")


async def _export(services: Services, body: dict[str, Any], words: str) -> None:
    """Answer ``/numbers export [FROM] [TO] [csv|jsonl]``: the file goes where only the operator reads it."""
    user = body["user_id"]
    made = await services.audit_export.export(words, by=user)
    told = f"{made.events:,} {'event' if made.events == 1 else 'events'} of the audit log, {escape(made.words)}"
    await services.send_file(user, made.name, made.content, told)
    await services.say(body, f"{told}: the file is in your direct messages with me.")


#: Word after ``/numbers`` -> what answers it, given what stands behind the word.
ANSWERS: Final[Mapping[str, Callable[[Services, dict[str, Any], str], Awaitable[None]]]] = {
    "locks": _show_locks,
    "unlock": _ask_to_unlock,
    "freeze": _freeze,
    "unfreeze": _unfreeze,
    "export": _export,
}
