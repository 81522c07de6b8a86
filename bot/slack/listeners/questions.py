"""Answers of operators: which job it was, that there was none, or that it is given up."""

from __future__ import annotations

import re
from collections.abc import Awaitable

from bot.changes.model.public_ids import read_public_id
from bot.errors import InputError, LinesmanError
from bot.slack.commands import COMMAND
from bot.slack.interactions import Click, ModalSubmission, SlashCommand
from bot.slack.registry import Registry, Reply
from bot.slack.services import Services
from bot.slack.views.elements import Block, escape, section
from bot.slack.views.preview import notice, waiting
from bot.slack.views.questions import (
    ADOPT,
    ADOPT_OTHER,
    ADOPTION,
    END_READ_BACK,
    GIVE_UP,
    SEND_AGAIN,
    adoption_form,
    questions,
    read_choice,
)
from bot.workflow.control.resolution import JOB, BatchQuestion, ReadBackQuestion


def register(registry: Registry) -> None:
    """Listen to the buttons of questions, and to the modal that asks for a job."""
    registry.on_click(re.compile(rf"{ADOPT}:\d+"), _adopt, "adopt")
    registry.on_click(ADOPT_OTHER, _ask_which, "adopt another")
    registry.on_click(SEND_AGAIN, _send_again, "send again")
    registry.on_click(GIVE_UP, _give_up, "give up")
    registry.on_click(END_READ_BACK, _end_read_back, "end a read-back")
    registry.on_submit(
        ADOPTION, _adopt_typed, "adoption", refused=_not_adopted, waiting=lambda _: waiting("Checking the job…")
    )


async def show_questions(services: Services, command: SlashCommand, text: str) -> None:
    """Answer ``/numbers resolve CHG-42``: show an operator the open questions."""
    change = read_public_id(text)
    if change is None:
        await services.say(
            command, f"Name the change: `{COMMAND} resolve CHG-42`. Its card says when it needs an operator."
        )
        return
    await services.resolution.allow(change, by=command.user)
    details = await services.change_details.read(change)
    await services.say(command, *questions(details, asked_for=True))


async def _adopt(services: Services, click: Click) -> None:
    ticket, job = read_choice(click.value)
    await _resolve(services, click, ticket, services.resolution.adopt(ticket, job, by=click.user))


async def _send_again(services: Services, click: Click) -> None:
    ticket = BatchQuestion.read(click.value)
    await _resolve(services, click, ticket, services.resolution.send_again(ticket, by=click.user))


async def _give_up(services: Services, click: Click) -> None:
    ticket = BatchQuestion.read(click.value)
    await _resolve(services, click, ticket, services.resolution.give_up(ticket, by=click.user))


async def _end_read_back(services: Services, click: Click) -> None:
    ticket = ReadBackQuestion.read(click.value)
    await _resolve(services, click, ticket, services.resolution.end_read_back(ticket, by=click.user))


async def _resolve(
    services: Services, click: Click, ticket: BatchQuestion | ReadBackQuestion, answer: Awaitable[str]
) -> None:
    """Carry out an answer, tell the operator, and leave the open questions on the message."""
    said = escape(await answer)
    await services.say(click, said)
    change = ticket.change if isinstance(ticket, ReadBackQuestion) else await services.resolution.change_of(ticket)
    details = await services.change_details.read(change)
    text, blocks = questions(details)
    done: Block = section(f"{said} Answered by <@{click.user}>.")
    await services.replace(click, text, [done, *blocks])


async def _ask_which(services: Services, click: Click) -> None:
    ticket = BatchQuestion.read(click.value)
    view = await services.open(click)
    try:
        await services.resolution.allow(await services.resolution.change_of(ticket), by=click.user)
    except LinesmanError as error:
        await services.show(view, notice(f"🚫 {escape(error.message)}"))
        return
    await services.show(view, adoption_form(str(ticket)))


async def _adopt_typed(services: Services, sent: ModalSubmission) -> Reply:
    ticket = BatchQuestion.read(sent.view.metadata)
    job = sent.view.typed(JOB).strip().strip("`")
    try:
        return Reply(view=notice(escape(await services.resolution.adopt(ticket, job, by=sent.user))))
    except InputError as error:
        return Reply(errors=error.problems)


def _not_adopted(_: Services, __: ModalSubmission, text: str) -> Reply:
    return Reply(view=notice(escape(text)))
