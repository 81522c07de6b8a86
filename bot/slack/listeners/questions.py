"""What operators answer: which job it was, that there was none, or that it is given up."""

from __future__ import annotations

import re
from collections.abc import Awaitable
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.changes.model.change import read_public_id
from bot.errors import LinesmanError
from bot.slack.commands import COMMAND
from bot.slack.services import Services
from bot.slack.submissions import Reply, answer_submission
from bot.slack.views.elements import Block, escape, section
from bot.slack.views.preview import loading, notice, waiting
from bot.slack.views.questions import (
    ADOPT,
    ADOPT_OTHER,
    ADOPTION,
    END_READ_BACK,
    GIVE_UP,
    JOB,
    SEND_AGAIN,
    adoption_form,
    questions,
    read_choice,
)
from bot.workflow.control.resolution import BatchQuestion, ReadBackQuestion


def register(app: AsyncApp, services: Services) -> None:
    """Listen to the buttons of questions, and to the modal that asks for a job."""

    async def adopt(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        services.clicks.hand_over(_adopt(services, body), services.to_person(body), "adopt")

    async def adopt_other(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        services.clicks.hand_over(_ask_which(services, body), services.to_person(body), "adopt another")

    async def send_again(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        services.clicks.hand_over(_send_again(services, body), services.to_person(body), "send again")

    async def give_up(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        services.clicks.hand_over(_give_up(services, body), services.to_person(body), "give up")

    async def end_read_back(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        services.clicks.hand_over(_end_read_back(services, body), services.to_person(body), "end a read-back")

    async def adoption(ack: AsyncAck, body: dict[str, Any]) -> None:
        await answer_submission(
            services,
            ack,
            body,
            partial(_adopt_typed, services, body),
            refused=lambda text: Reply(view=notice(escape(text))),
            waiting=waiting("Checking the job…"),
            what="adoption",
        )

    app.block_action(re.compile(rf"{ADOPT}:\d+"))(adopt)
    app.block_action(ADOPT_OTHER)(adopt_other)
    app.block_action(SEND_AGAIN)(send_again)
    app.block_action(GIVE_UP)(give_up)
    app.block_action(END_READ_BACK)(end_read_back)
    app.view_submission(ADOPTION)(adoption)


async def show_questions(services: Services, body: dict[str, Any], text: str) -> None:
    """Answer ``/numbers resolve CHG-42``: show an operator what waits for an answer."""
    change = read_public_id(text)
    if change is None:
        await services.say(
            body, f"Name the change: `{COMMAND} resolve CHG-42`. Its card says when it needs an operator."
        )
        return
    await services.resolution.allow(change, by=body["user_id"])
    details = await services.change_details.read(change)
    await services.say(body, *questions(details, asked_for=True))


async def _adopt(services: Services, body: dict[str, Any]) -> None:
    ticket, job = read_choice(body["actions"][0]["value"])
    await _settle(services, body, ticket, services.resolution.adopt(ticket, job, by=body["user"]["id"]))


async def _send_again(services: Services, body: dict[str, Any]) -> None:
    ticket = BatchQuestion.read(body["actions"][0]["value"])
    await _settle(services, body, ticket, services.resolution.send_again(ticket, by=body["user"]["id"]))


async def _give_up(services: Services, body: dict[str, Any]) -> None:
    ticket = BatchQuestion.read(body["actions"][0]["value"])
    await _settle(services, body, ticket, services.resolution.give_up(ticket, by=body["user"]["id"]))


async def _end_read_back(services: Services, body: dict[str, Any]) -> None:
    ticket = ReadBackQuestion.read(body["actions"][0]["value"])
    await _settle(services, body, ticket, services.resolution.end_read_back(ticket, by=body["user"]["id"]))


async def _settle(
    services: Services, body: dict[str, Any], ticket: BatchQuestion | ReadBackQuestion, answer: Awaitable[str]
) -> None:
    """Carry out an answer, tell the operator, and leave on the message what is still open."""
    said = escape(await answer)
    await services.say(body, said)
    change = ticket.change if isinstance(ticket, ReadBackQuestion) else await services.resolution.change_of(ticket)
    details = await services.change_details.read(change)
    text, blocks = questions(details)
    done: Block = section(f"{said} Answered by <@{body['user']['id']}>.")
    await services.replace(body, text, [done, *blocks])


async def _ask_which(services: Services, body: dict[str, Any]) -> None:
    ticket = BatchQuestion.read(body["actions"][0]["value"])
    view = await services.open(body["trigger_id"], loading())
    try:
        await services.resolution.allow(await services.resolution.change_of(ticket), by=body["user"]["id"])
    except LinesmanError as error:
        await services.show(view, notice(f"🚫 {escape(error.message)}"))
        return
    await services.show(view, adoption_form(str(ticket)))


async def _adopt_typed(services: Services, body: dict[str, Any]) -> Reply:
    view = body["view"]
    ticket = BatchQuestion.read(view["private_metadata"])
    job = (view["state"]["values"][JOB][JOB]["value"] or "").strip().strip("`")
    return Reply(view=notice(escape(await services.resolution.adopt(ticket, job, by=body["user"]["id"]))))
