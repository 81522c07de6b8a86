"""The same story over HTTP and over Socket Mode: a command, a modal, an error on a field, a second try."""

from __future__ import annotations

from typing import Any

import pytest
from slack_bolt.app.async_app import AsyncApp

from bot.sandbox.slack import SlackStandIn
from tests.integration.sandbox_slack.tinybot import (
    actions,
    app_of,
    button,
    modal,
    over_http,
    over_socket,
    section,
    text_input,
)

TRANSPORTS = [pytest.param(over_http, id="http"), pytest.param(over_socket, id="socket")]


def form_bot(slack: SlackStandIn) -> AsyncApp:
    """Return a bot with a form that wants a number starting with +."""
    app = app_of(slack)

    @app.command("/numbers")
    async def numbers(ack: Any, client: Any, body: Any) -> None:
        await ack()
        loading = modal(section("Loading"), private_metadata=body["channel_id"])
        loading.pop("submit")
        opened = await client.views_open(trigger_id=body["trigger_id"], view=loading)
        form = modal(text_input("numbers", multiline=True), private_metadata=body["channel_id"])
        await client.views_update(view_id=opened["view"]["id"], hash=opened["view"]["hash"], view=form)

    @app.view("form")
    async def submitted(ack: Any, client: Any, body: Any, view: Any) -> None:
        typed = view["state"]["values"]["numbers"]["value"]["value"]
        if not typed.startswith("+"):
            await ack(response_action="errors", errors={"numbers": "Start with +"})
            return
        await ack()
        await client.chat_postMessage(
            channel=view["private_metadata"],
            text=f"<@{body['user']['id']}> asked for {typed}",
            blocks=[section(f"Wants {typed}"), actions(button("approve", value="CHG-1"))],
        )

    @app.action("approve")
    async def approve(ack: Any, client: Any, body: Any) -> None:
        await ack()
        await client.chat_update(
            channel=body["channel"]["id"], ts=body["message"]["ts"], text=f"approved by {body['user']['id']}"
        )

    return app


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_change_is_asked_for_and_approved(slack: SlackStandIn, transport: Any) -> None:
    """A form is opened, refused on its field, accepted at the second try, and its card approved with a button."""
    async with transport(form_bot(slack), slack):
        ana, ben = slack.person("U0ANA"), slack.person("U0BEN")
        asked = await ana.command("/numbers", "update", channel="C0OPS")

        assert asked.error is None
        assert asked.status == 200

        await ana.wait_for_view(lambda view: "numbers" in view.values)
        await ana.type("numbers", "970 555 0100")
        refused = await ana.submit()

        assert refused.errors == {"numbers": "Start with +"}
        assert ana.view is not None

        await ana.type("numbers", "+19705550100")
        accepted = await ana.submit()

        assert accepted.errors is None
        assert ana.view is None

        (card,) = await slack.wait_for(lambda: slack.messages("C0OPS"))

        assert card.text == "<@U0ANA> asked for +19705550100"
        assert card.mentions.users == {"U0ANA"}

        await ben.click("approve", message=card)
        await slack.wait_for(lambda: card.edited_count)

        assert card.text == "approved by U0BEN"
        assert card.blocks == []
        assert slack.complaints == []
        assert {delivery.transport for delivery in slack.deliveries} == {transport.__name__.removeprefix("over_")}
