"""``/numbers``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Final

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.changes.numbering import SHORTEST
from bot.changes.records import Following, named_first, read_public_id
from bot.changes.tabular import Form
from bot.slack.front import Front
from bot.slack.listeners import operators
from bot.slack.listeners.finding import show_number
from bot.slack.listeners.following import follow_named
from bot.slack.listeners.listing import show_list
from bot.slack.listeners.opening import open_form
from bot.slack.listeners.questions import show_questions
from bot.slack.listeners.templates import run_named, show_templates
from bot.slack.listeners.values import open_values, send_template
from bot.slack.manifest import COMMAND
from bot.slack.said import named, typed
from bot.slack.views.elements import code, escape
from bot.slack.views.help import help_text
from bot.slack.views.status import status

#: What people and word processors put around a word.
_AROUND: Final = "`*_\"'\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb.,:;!"


def register(app: AsyncApp, front: Front) -> None:
    """Listen to the slash command."""

    async def numbers(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        front.desk.hand_over(_answer(front, body), front.to_person(body), "command")

    app.command(COMMAND)(numbers)


async def _answer(front: Front, body: dict[str, Any]) -> None:
    word, rest = _words(typed(body.get("text", "")))
    kind = front.choices.by_command(word)
    if kind is not None or word in {"new", ""} or _is_number(word):
        await open_form(
            front,
            user=body["user_id"],
            trigger=body["trigger_id"],
            origin=body["channel_id"],
            kind=kind,
            pasted=named(f"{word} {rest}" if _is_number(word) else rest),
        )
    elif word == "help":
        await front.say(body, help_text(front.choices.kinds))
    elif (answer := WORDS.get(word)) is not None:
        await answer(front, body, rest)
    else:
        await front.say(body, _unknown(front, word))


def _words(text: str) -> tuple[str, str]:
    """Return the first word and what follows it, with blanks of any kind, line breaks and quotation marks between."""
    word, rest = (*text.split(maxsplit=1), "", "")[:2]
    return word.strip(_AROUND).casefold(), rest.strip()


def _is_number(word: str) -> bool:
    """Tell whether somebody has begun with numbers: the word for the form was left out, and they are kept."""
    return sum(character.isdecimal() for character in word) >= SHORTEST and not any(map(str.isalpha, word))


def _unknown(front: Front, word: str) -> str:
    known = [*WORDS, "new", "help", *(kind.command for kind in front.choices.kinds)]
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    asked = f" Did you mean `{COMMAND} {near[0]}`?" if near else ""
    return f"Unknown command {code(f'{COMMAND} {word}', 60)}.{asked}\n\n{help_text(front.choices.kinds)}"


async def _status(front: Front, body: dict[str, Any], text: str) -> None:
    change, form = named_first(text)
    if change is None or form.lower() not in {"", Form.XLSX.value}:
        await front.say(
            body,
            f"Say which change: `{COMMAND} status CHG-42`, or `{COMMAND} status CHG-42 xlsx` for its results as a "
            f"workbook. `{COMMAND} list` shows the newest ones.",
        )
        return
    if form:
        await front.say(body, escape(await front.reporting.workbook(change, by=body["user_id"])))
        return
    await front.say(body, *status(*await front.stories.shown(change, by=body["user_id"])))


async def _cancel(front: Front, body: dict[str, Any], text: str) -> None:
    change = read_public_id(text)
    if change is None:
        await front.say(body, f"Say which change: `{COMMAND} cancel CHG-42`.")
        return
    await front.say(body, escape(await front.cancelling.cancel(change, by=body["user_id"])))


async def _retry(front: Front, body: dict[str, Any], text: str) -> None:
    await follow_named(front, body, Following.RETRY, text)


async def _undo(front: Front, body: dict[str, Any], text: str) -> None:
    await follow_named(front, body, Following.UNDO, text)


#: Word after ``/numbers`` -> what answers it, given what follows the word.
WORDS: Final[Mapping[str, Callable[[Front, dict[str, Any], str], Awaitable[None]]]] = MappingProxyType(
    {
        "status": _status,
        "list": show_list,
        "find": show_number,
        "template": send_template,
        "values": open_values,
        "templates": show_templates,
        "run": run_named,
        "cancel": _cancel,
        "retry": _retry,
        "undo": _undo,
        "settle": show_questions,
        **operators.COMMANDS,
    }
)
