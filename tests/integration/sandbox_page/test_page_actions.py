"""What a visitor does, and what Slack shows when nobody answers; the bot is a tiny one."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.page.actions import NO_OPTIONS, NOTHING_CAME
from bot.sandbox.page.sandbox import Sandbox
from bot.sandbox.page.world import ANA, APPROVALS, GUS, MAX, OPS
from bot.sandbox.slack import TROUBLE, Deadlines
from tests.integration.sandbox_page.visitor import Visitor, visiting
from tests.integration.sandbox_slack.tinybot import actions, button, menu, modal, option, over_http, section, text_input

Ack = Any


@pytest.fixture
async def tiny(quiet: Sandbox) -> AsyncIterator[Sandbox]:
    """Run a sandbox with a bot that opens a form, and refuses what is not right in it."""
    ws = quiet.slack.workspace
    client = AsyncWebClient(token=ws.bot_token, base_url=quiet.slack.api_url, retry_handlers=[])
    app = AsyncApp(client=client, signing_secret=quiet.slack.signing_secret)
    form = modal(
        text_input("why"),
        menu("fruit", "external_select", min_query_length=1),
        menu("colours", "multi_static_select", options=[option("red"), option("blue")]),
        menu("sheet", "file_input", filetypes=["csv"]),
        actions(button("push")),
    )

    @app.command("/numbers")
    async def command(ack: Ack, body: dict[str, Any]) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=form)

    @app.view("form")
    async def submitted(ack: Ack, view: dict[str, Any]) -> None:
        if view["state"]["values"]["why"]["value"]["value"] == "because":
            await ack(response_action="errors", errors={"why": "That is no reason."})
        else:
            await ack(response_action="update", view=modal(section("Thank you")))

    @app.options("value")
    async def options(ack: Ack, payload: dict[str, Any]) -> None:
        await ack(options=[option(f"{payload['value']}pple")])

    @app.action("push")
    async def push(ack: Ack, body: dict[str, Any]) -> None:
        await ack()
        await client.views_push(trigger_id=body["trigger_id"], view=modal(section("On top"), submit=None))

    @app.action("tell")
    async def tell(ack: Ack, respond: Any) -> None:
        await ack()
        await respond("Only you see this.", replace_original=False)

    @app.action("fill")
    async def fill(ack: Ack, body: dict[str, Any]) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=form)

    @app.event("app_home_opened")
    async def home(event: dict[str, Any]) -> None:
        view = {"type": "home", "blocks": [section("Welcome"), actions(button("fill"))]}
        await client.views_publish(user_id=event["user"], view=view)

    async with over_http(app, quiet.slack):
        yield quiet


async def opened(visitor: Visitor, who: str = ANA) -> dict[str, Any]:
    """Return the form, once somebody has it open."""
    assert (await visitor.act(who, "command", channel=OPS, text="/numbers update"))["error"] is None
    return await visitor.until(lambda: visitor.modal(who))


async def test_a_form_is_filled_refused_and_sent(tiny: Sandbox) -> None:
    """What is typed and chosen is told back; what is wrong stands at its field, by the client's word or the bot's."""
    async with visiting(tiny) as visitor:
        form = await opened(visitor)
        assert (form["title"], form["submit"], form["errors"], form["waiting"]) == ("A form", "Send", {}, False)
        await visitor.act(ANA, "submit")
        assert visitor.modal(ANA)["errors"] == {"why": "Please complete this required field."}
        await visitor.act(ANA, "type", block_id="why", text="because")
        await visitor.act(ANA, "choose", block_id="colours", wanted=["red", "blue"])
        await visitor.act(ANA, "submit")
        assert visitor.modal(ANA)["errors"] == {"why": "That is no reason."}
        values = visitor.modal(ANA)["values"]
        assert values["why"]["value"]["value"] == "because"
        assert [each["value"] for each in values["colours"]["value"]["selected_options"]] == ["red", "blue"]
        await visitor.act(ANA, "type", block_id="why", text="it is Friday")
        await visitor.act(ANA, "submit")

        assert visitor.modal(ANA)["blocks"][0]["text"]["text"] == "Thank you"
        assert visitor.modal(MAX) is None


async def test_a_menu_asks_the_bot(tiny: Sandbox) -> None:
    """Options come from the bot as somebody types, and one of them can be chosen."""
    async with visiting(tiny) as visitor:
        await opened(visitor)
        offered = await visitor.act(ANA, "suggest", block_id="fruit", text="a")
        assert [each["value"] for each in offered["options"]] == ["apple"]
        await visitor.act(ANA, "choose", block_id="fruit", wanted=["apple"])

        assert visitor.modal(ANA)["values"]["fruit"]["value"]["selected_option"]["value"] == "apple"


async def test_a_file_is_attached(tiny: Sandbox) -> None:
    """A sheet given in a form is there for the bot."""
    async with visiting(tiny) as visitor:
        await opened(visitor)
        content = base64.b64encode(b"number\n").decode()
        await visitor.act(ANA, "attach", block_id="sheet", files=[{"name": "a.csv", "content": content}])
        [file] = visitor.modal(ANA)["values"]["sheet"]["value"]["files"]

        assert (file["name"], file["size"]) == ("a.csv", 7)


async def test_modals_lie_on_each_other(tiny: Sandbox) -> None:
    """A second one lies above the first; Cancel closes one, the X all of them."""
    async with visiting(tiny) as visitor:
        await opened(visitor)
        await visitor.act(ANA, "click", action_id="push", block_id="buttons")
        stack = await visitor.until(lambda: (found := visitor.parts[f"screen:{ANA}"]["modals"])[1:] and found)
        assert [each["submit"] for each in stack] == ["Send", None]
        await visitor.act(ANA, "close")
        assert len(visitor.parts[f"screen:{ANA}"]["modals"]) == 1
        await visitor.act(ANA, "close", everything=True)

        assert visitor.modal(ANA) is None


async def test_the_home_tab_is_there_once_it_was_opened(tiny: Sandbox) -> None:
    """Its buttons work like those of a message."""
    async with visiting(tiny) as visitor:
        assert visitor.parts[f"screen:{ANA}"]["home"] is None
        await visitor.act(ANA, "open_home")
        home = await visitor.until(lambda: visitor.parts[f"screen:{ANA}"]["home"])
        assert home["blocks"][0]["text"]["text"] == "Welcome"
        await visitor.act(ANA, "click", home=True, action_id="fill")

        assert (await visitor.until(lambda: visitor.modal(ANA)))["title"] == "A form"


async def test_a_button_of_a_message_whispers(tiny: Sandbox) -> None:
    """A message's button is pressed where it is; what only one person is told is on their screen alone."""
    client = AsyncWebClient(token=tiny.slack.workspace.bot_token, base_url=tiny.slack.api_url, retry_handlers=[])
    posted = await client.chat_postMessage(channel=OPS, text="A card", blocks=[actions(button("tell"))])
    async with visiting(tiny) as visitor:
        await visitor.act(ANA, "click", channel=OPS, ts=posted["ts"], action_id="tell", block_id="buttons")
        [whisper] = await visitor.until(lambda: visitor.parts[f"screen:{ANA}"]["ephemerals"])
        assert (whisper["channel"], whisper["text"]) == (OPS, "Only you see this.")

        assert visitor.parts[f"screen:{MAX}"]["ephemerals"] == []
        assert visitor.parts[f"messages:{OPS}"][0]["user"] == next(
            each["id"] for each in visitor.parts["people"] if each["role"] == "bot"
        )


async def test_nobody_can_do_what_slack_would_not_let_them(tiny: Sandbox) -> None:
    """The refusals read as sentences for people, not for programmers."""
    async with visiting(tiny) as visitor:
        elsewhere = await visitor.act(GUS, "post", channel=APPROVALS, text="hello")
        closed = await visitor.act(ANA, "submit")
        await opened(visitor)
        gone = await visitor.act(ANA, "click", action_id="approve")
        unknown = await visitor.act(ANA, "choose", block_id="colours", wanted=["green"])
        lost = await visitor.act(ANA, "click", channel=OPS, ts="1.0", action_id="approve")

    assert elsewhere["error"] == "Gus is not in #number-approvals and cannot write there."
    assert closed["error"] == "Ana has no modal open."
    assert gone["error"] == "This has just changed; look again."
    assert unknown["error"] == "This field does not offer 'green'; it offers: red, blue."
    assert lost["error"] == "This message is not there any more."


async def test_an_act_that_nobody_answers_fails_as_in_slack(tiny: Sandbox) -> None:
    """Without an answer in time each act says what Slack says there; meanwhile the modal shows that it waits."""
    async with AsyncExitStack() as stack:
        deaf = stack.enter_context(socket.create_server(("127.0.0.1", 0)))  # takes connections, and says nothing
        visitor = await stack.enter_async_context(visiting(tiny))
        await opened(visitor)
        await visitor.act(ANA, "type", block_id="why", text="it is Friday")
        client = AsyncWebClient(token=tiny.slack.workspace.bot_token, base_url=tiny.slack.api_url, retry_handlers=[])
        posted = await client.chat_postMessage(channel=OPS, text="A card", blocks=[actions(button("tell"))])
        tiny.slack.workspace.deadlines = Deadlines(ack=0.3)
        tiny.slack.deliver_http(f"http://127.0.0.1:{deaf.getsockname()[1]}/")
        submitting = asyncio.create_task(visitor.act(ANA, "submit"))
        await visitor.until(lambda: visitor.modal(ANA)["waiting"])
        submitted = await submitting
        suggested = await visitor.act(ANA, "suggest", block_id="fruit", text="b")
        clicked = await visitor.act(ANA, "click", action_id="push")
        pressed = await visitor.act(ANA, "click", channel=OPS, ts=posted["ts"], action_id="tell")
        typed = await visitor.act(MAX, "command", channel=OPS, text="/numbers update")
        await visitor.until(lambda: not visitor.modal(ANA)["waiting"])

    assert (submitted["error"], clicked["error"]) == (TROUBLE, TROUBLE)
    assert pressed["error"] == NOTHING_CAME
    assert (suggested["error"], suggested["options"]) == (NO_OPTIONS, [])
    assert typed["error"] == "/numbers failed with the error “operation_timeout”"
    assert len(visitor.parts[f"screen:{ANA}"]["modals"]) == 1
