"""``/numbers``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

from bot.changes.model.draft import FollowUp
from bot.changes.model.file_format import FileFormat
from bot.changes.model.public_ids import named_first, read_public_id
from bot.changes.numbers.phone_numbers import SHORTEST
from bot.slack.click_runner import Answer
from bot.slack.command_text import first_word, tidied, without_days
from bot.slack.commands import COMMAND, command_for, nearest
from bot.slack.interactions import SlashCommand
from bot.slack.listeners import operators
from bot.slack.listeners.cards import follow_named
from bot.slack.listeners.delegations import delegate
from bot.slack.listeners.lists import show_list
from bot.slack.listeners.number_lookup import show_number
from bot.slack.listeners.opening import boxes_of, open_form
from bot.slack.listeners.questions import show_questions
from bot.slack.listeners.templates import run_named, show_templates
from bot.slack.listeners.temporary import end_named, extend_named
from bot.slack.listeners.values import open_values, send_empty_sheet
from bot.slack.message_text import named, typed
from bot.slack.registry import Registry
from bot.slack.services import Services
from bot.slack.views.elements import code, escape
from bot.slack.views.help import help_text
from bot.slack.views.status import status

#: Commands followed by a person's own text, or by numbers: they receive it as it was typed.
_OWN_WORDS: Final = frozenset({"freeze", "run", "find", "values"})
#: Commands that are long to type: a refusal returns them, as Slack has removed them from the keyboard.
_HANDED_BACK: Final = frozenset({"delegate"})
#: Commands that accept a list of numbers, and the brake, which works with any text after it.
_TAKE_LISTS: Final = frozenset({"values", "freeze"})


def register(registry: Registry) -> None:
    """Listen to the slash command."""
    registry.on_command(COMMAND, _answer, "command", refused=_with_list)


def _with_list(services: Services, command: SlashCommand) -> Answer:
    """Return a way to say that a command did not work, including the typed list, if there was one."""
    text = named(typed(command.text))
    back = f"{COMMAND} {text}" if first_word(text)[0] in _HANDED_BACK and first_word(text)[1] else ""

    async def answer(why: str) -> None:
        await services.explain(command, why, boxes_of(text if _is_list(services, text) else back))

    return answer


async def _answer(services: Services, command: SlashCommand) -> None:
    text = typed(command.text)
    word, rest = first_word(text)
    if word == COMMAND:  # an example, pasted whole
        word, rest = first_word(text := rest)
    kind = services.choices.by_command(word)
    wanted = command_for(word)
    if kind is not None or word in {"new", ""} or _begins_with_number(word, rest):
        await open_form(
            services,
            command,
            kind=kind,
            pasted=named(text if _begins_with_number(word, rest) else rest),
        )
    elif (wanted is None or wanted.word not in _TAKE_LISTS) and _is_list(services, rest):
        await _keep_list(services, command, word, rest)
    elif wanted is None and _is_list(services, text):  # the "first word" is part of the list
        await _keep_list(services, command, word, text)
    elif wanted is not None:
        await ANSWERS[wanted.word](services, command, rest if wanted.word in _OWN_WORDS else tidied(rest))
    elif named_first(word)[0] is not None and not rest:
        await _status(services, command, word)
    else:
        await services.say(command, _unknown(services, word))


def _is_list(services: Services, text: str) -> bool:
    """Tell whether a list of numbers was pasted: at least two, readable or not."""
    found = services.number_lookup.read([without_days(text)])
    unreadable = sum(1 for each in found.bad if sum(map(str.isdecimal, each.text)) >= SHORTEST)
    return len(found.identifiers) + unreadable > 1


async def _keep_list(services: Services, command: SlashCommand, word: str, numbers: str) -> None:
    """Open the form with a list pasted after a command without lists: Slack has removed it from the keyboard."""
    if word == "find":
        opened = await open_values(services, command, numbers)
        said = f"`{COMMAND} find` shows one number at a time. The form that opened sends the values of your list."
    else:
        near = "" if command_for(word) else nearest(word, services.choices.kinds) or ""
        opened = await open_form(
            services,
            command,
            kind=services.choices.by_command(near),
            pasted=named(numbers),
        )
        said = (
            f"{code(f'{COMMAND} {word}', 60)} takes no list of numbers, so nothing was done. The form that "
            "opened does, for a new change."
        )
    if opened:
        await services.say(command, said)


def _begins_with_number(word: str, rest: str) -> bool:
    """Tell whether the text begins with numbers: the word for the form was left out, and they are kept."""
    digits = [sum(map(str.isdecimal, part)) for part in (word, word + rest)]
    return digits[0] > 0 and digits[1] >= SHORTEST and not any(map(str.isalpha, word))


def _unknown(services: Services, word: str) -> str:
    near = nearest(word, services.choices.kinds)
    asked = f" Did you mean `{COMMAND} {near}`?" if near else ""
    return f"Unknown command {code(f'{COMMAND} {word}', 60)}.{asked}\n\n{help_text(services.choices.kinds)}"


async def _help(services: Services, command: SlashCommand, _: str) -> None:
    await services.say(command, help_text(services.choices.kinds))


async def _status(services: Services, command: SlashCommand, text: str) -> None:
    change, form = named_first(text)
    if change is None or form.lower() not in {"", FileFormat.XLSX.value}:
        await services.say(
            command,
            (
                f"Name the change: `{COMMAND} status CHG-42`, or `{COMMAND} status CHG-42 xlsx` for its "
                f"results as a workbook. `{COMMAND} list` shows the newest ones."
            ),
        )
        return
    if form:
        await services.say(command, escape(await services.results_export.workbook(change, by=command.user)))
        return
    await services.say(command, *status(*await services.change_details.shown(change, by=command.user)))


async def _cancel(services: Services, command: SlashCommand, text: str) -> None:
    change = read_public_id(text)
    if change is None:
        await services.say(command, f"Name the change: `{COMMAND} cancel CHG-42`.")
        return
    await services.say(command, escape(await services.cancellation.cancel(change, by=command.user)))


async def _retry(services: Services, command: SlashCommand, text: str) -> None:
    await follow_named(services, command, FollowUp.RETRY, text)


async def _undo(services: Services, command: SlashCommand, text: str) -> None:
    await follow_named(services, command, FollowUp.UNDO, text)


#: Word of a command that does not open the form -> its handler, given the text after the word.
ANSWERS: Final[Mapping[str, Callable[[Services, SlashCommand, str], Awaitable[object]]]] = MappingProxyType(
    {
        "status": _status,
        "list": show_list,
        "find": show_number,
        "sheet": send_empty_sheet,
        "values": open_values,
        "templates": show_templates,
        "run": run_named,
        "cancel": _cancel,
        "end": end_named,
        "extend": extend_named,
        "retry": _retry,
        "undo": _undo,
        "delegate": delegate,
        "resolve": show_questions,
        "help": _help,
        **operators.ANSWERS,
    }
)
