"""Actions of operators: locks, freezes, exports. Everybody who may view can see the locks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from bot.changes.model.public_ids import public_id, read_public_id
from bot.changes.text.counts import counted
from bot.slack.commands import COMMAND
from bot.slack.interactions import Click, SlashCommand
from bot.slack.message_text import named
from bot.slack.registry import Registry
from bot.slack.services import Services
from bot.slack.views.elements import escape
from bot.slack.views.locks import UNLOCK, locks_list, unlock_question


def register(registry: Registry) -> None:
    """Listen to the button that releases locks."""
    registry.on_click(UNLOCK, _unlock, "unlock")


async def _show_locks(services: Services, command: SlashCommand, _: str) -> None:
    """Answer ``/numbers locks``."""
    await services.say(command, *locks_list(await services.lock_control.locks(by=command.user)))


async def _ask_to_unlock(services: Services, command: SlashCommand, text: str) -> None:
    """Answer ``/numbers unlock CHG-41``: ask an operator for confirmation."""
    change = read_public_id(text)
    if change is None:
        await services.say(
            command,
            (f"Name the change: `{COMMAND} unlock CHG-41`. `{COMMAND} locks` shows which changes hold numbers."),
        )
        return
    await services.lock_control.allow(by=command.user)
    lock = next((lock for lock in await services.lock_control.locks(by=command.user) if lock.change == change), None)
    if lock is None:
        await services.say(command, f"{public_id(change)} holds no numbers.")
        return
    await services.say(command, *unlock_question(lock))


async def _unlock(services: Services, click: Click) -> None:
    said = await services.lock_control.unlock(int(click.value), by=click.user)
    await services.say(click, escape(said))


async def _freeze(services: Services, command: SlashCommand, reason: str) -> None:
    """Answer ``/numbers freeze REASON``."""
    reached = await services.freeze_control.freeze(named(reason), by=command.user)
    said = f"❄️ Submissions are frozen; every card says so. `{COMMAND} unfreeze` lifts it."
    await services.say(command, f"{said} {escape(reached)}".strip())


async def _unfreeze(services: Services, command: SlashCommand, _: str) -> None:
    """Answer ``/numbers unfreeze``."""
    await services.freeze_control.unfreeze(by=command.user)
    await services.say(command, "The freeze is lifted; submissions continue.")


async def _export(services: Services, command: SlashCommand, words: str) -> None:
    """Answer ``/numbers export [FROM] [TO] [csv|jsonl]``: only the operator can read the file."""
    made = await services.audit_export.export(words, by=command.user)
    told = f"{counted(made.events, 'event')} of the audit log, {escape(made.words)}"
    await services.send_file(command.user, made.name, made.content, told)
    await services.say(command, f"{told}: the file is in your direct messages with me.")


#: Word after ``/numbers`` -> its handler, given the text after the word.
ANSWERS: Final[Mapping[str, Callable[[Services, SlashCommand, str], Awaitable[None]]]] = {
    "locks": _show_locks,
    "unlock": _ask_to_unlock,
    "freeze": _freeze,
    "unfreeze": _unfreeze,
    "export": _export,
}
