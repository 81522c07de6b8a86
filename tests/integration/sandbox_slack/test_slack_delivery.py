"""Bringing payloads to the bot: deadlines, signatures, restarts, response addresses, events, clicks."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import aiohttp.web
import pytest

from bot.sandbox.slack import SlackStandIn, StandInRefused
from tests.integration.sandbox_slack.tinybot import (
    actions,
    app_of,
    button,
    client_of,
    menu,
    option,
    over_http,
    over_socket,
    section,
)

TRANSPORTS = [pytest.param(over_http, id="http"), pytest.param(over_socket, id="socket")]


async def answer(url: str, body: dict[str, Any]) -> tuple[int, str]:
    """Post to a response address; return status and text."""
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        return response.status, await response.text()


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_late_acknowledgement_is_a_timeout(hasty: SlackStandIn, transport: Any) -> None:
    """A bot that acknowledges after the deadline shows the person operation_timeout."""
    app = app_of(hasty)

    @app.command("/late")
    async def late(ack: Any) -> None:
        await asyncio.sleep(0.6)
        await ack("too late")

    async with transport(app, hasty):
        delivery = await hasty.person("U0ANA").command("/late")

        assert delivery.error == "operation_timeout"
        assert delivery.status is None
        assert delivery.seconds >= 0.4
        assert hasty.ephemerals("U0ANA") == []


async def test_a_commands_text_has_people_channels_and_links_as_ids(slack: SlackStandIn) -> None:
    """As Slack writes them when the manifest asks for it; names that do not exist, and numbers, stay as typed."""
    texts = []
    app = app_of(slack)

    @app.command("/numbers")
    async def numbers(ack: Any, command: Any) -> None:
        await ack()
        texts.append(command["text"])

    async with over_http(app, slack):
        ana = slack.person("U0ANA")
        typed = "list @Ana @nobody me@ana.example in #ops #nowhere +13035550100 see https://status.example/x now"
        await ana.command("/numbers", typed)
        slack.workspace.escapes_commands = False
        await ana.command("/numbers", typed)

    escaped, plain = texts
    assert escaped == (
        "list <@U0ANA|ana> @nobody me@ana.example in <#C0OPS|ops> #nowhere +13035550100 "
        "see <https://status.example/x> now"
    )
    assert plain == typed


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_command_may_be_answered_in_its_acknowledgement(slack: SlackStandIn, transport: Any) -> None:
    """A body of text is an ephemeral message; a JSON body may be for the whole channel."""
    app = app_of(slack)

    @app.command("/numbers")
    async def numbers(ack: Any, command: Any) -> None:
        if command["text"] == "loud":
            await ack(response_type="in_channel", text="For all")
        else:
            await ack(f"You typed {command['text']}")

    async with transport(app, slack):
        ana = slack.person("U0ANA")
        await ana.command("/numbers", "quietly", channel="C0OPS")
        await ana.command("/numbers", "loud", channel="C0OPS")

        assert [message.text for message in slack.ephemerals("U0ANA")] == ["You typed quietly"]
        assert [message.text for message in slack.messages("C0OPS")] == ["For all"]


async def test_a_forged_signature_is_refused_by_the_bot(slack: SlackStandIn) -> None:
    """A payload signed with another secret gets 401, which the person sees as dispatch_failed."""
    app = app_of(slack)
    seen: list[str] = []

    @app.command("/numbers")
    async def numbers(ack: Any, command: Any) -> None:
        await ack()
        seen.append(command["text"])

    async with over_http(app, slack):
        slack.signing_secret = "somebody else's"
        delivery = await slack.person("U0ANA").command("/numbers", "forged")

        assert (delivery.status, delivery.error) == (401, "dispatch_failed")
        assert seen == []


async def test_a_bot_that_is_down_and_comes_back(slack: SlackStandIn) -> None:
    """While nobody listens a command fails as dispatch_failed; a restarted bot on another port serves the old card."""
    clicked: list[str] = []

    def bot() -> Any:
        app = app_of(slack)

        @app.action("approve")
        async def approve(ack: Any, body: Any) -> None:
            await ack()
            clicked.append(body["actions"][0]["value"])

        return app

    ana = slack.person("U0ANA")
    async with over_http(bot(), slack):
        await client_of(slack).chat_postMessage(
            channel="C0OPS", text="Card", blocks=[actions(button("approve", value="CHG-1"))]
        )
    (card,) = slack.messages("C0OPS")
    down = await ana.click("approve", message=card)

    assert down.error == "dispatch_failed"

    async with over_http(bot(), slack):
        await ana.click("approve", message=card)

    slack.deliver_http(None)
    unconnected = await ana.click("approve", message=card)

    assert unconnected.error == "dispatch_failed"
    assert clicked == ["CHG-1"]


async def test_a_response_address_takes_five_posts(slack: SlackStandIn) -> None:
    """The sixth post is used_url; replace_original edits, delete_original removes, the log has them all."""
    app = app_of(slack)
    urls: list[str] = []

    @app.command("/numbers")
    async def numbers(ack: Any, command: Any) -> None:
        await ack()
        urls.append(command["response_url"])

    async with over_http(app, slack):
        await slack.person("U0ANA").command("/numbers", channel="C0FAR")
    (url,) = urls

    assert await answer(url, {"text": "one"}) == (200, "ok")

    await answer(url, {"text": "one and a half", "replace_original": True})

    assert [message.text for message in slack.ephemerals("U0ANA")] == ["one and a half"]

    await answer(url, {"text": "for all", "response_type": "in_channel"})

    assert [message.text for message in slack.messages("C0FAR")] == ["for all"]

    await answer(url, {"delete_original": True})

    assert slack.ephemerals("U0ANA") == []
    assert (await answer(url, {"blocks": [section("x" * 3001)], "text": "x"}))[0] == 404
    assert await answer(url, {"text": "five"}) == (200, "ok")
    status, text = await answer(url, {"text": "six"})

    assert status == 404
    assert "used_url" in text
    assert [call.error for call in slack.calls if call.method == "response_url"][-1] == "used_url"


async def test_a_response_address_expires(hasty: SlackStandIn) -> None:
    """After its time a response address is expired_url."""
    app = app_of(hasty)
    urls: list[str] = []

    @app.command("/numbers")
    async def numbers(ack: Any, command: Any) -> None:
        await ack()
        urls.append(command["response_url"])

    async with over_http(app, hasty):
        await hasty.person("U0ANA").command("/numbers")
    await asyncio.sleep(0.35)
    status, text = await answer(urls[0], {"text": "late"})

    assert status == 404
    assert "expired_url" in text


async def test_respond_replaces_the_message_that_was_clicked(slack: SlackStandIn) -> None:
    """respond(replace_original=True) from a button edits that message, in its thread too."""
    app = app_of(slack)

    @app.action("ok")
    async def clicked(ack: Any, respond: Any) -> None:
        await ack()
        await respond(text="Thanks", replace_original=True)

    async with over_http(app, slack):
        client = client_of(slack)
        parent = (await client.chat_postMessage(channel="C0OPS", text="Parent"))["ts"]
        await client.chat_postMessage(channel="C0OPS", text="Ask", blocks=[actions(button("ok"))], thread_ts=parent)
        reply = slack.thread("C0OPS", parent)[1]
        delivery = await slack.person("U0BEN").click("ok", message=reply)
        await slack.wait_for(lambda: reply.edited_count)

        assert reply.text == "Thanks"
        assert delivery.payload["container"]["thread_ts"] == parent


async def test_events_are_retried_until_they_are_taken(slack: SlackStandIn) -> None:
    """An unanswered event comes again with x-slack-retry-num; interactive payloads never do."""
    seen: list[tuple[str | None, str | None]] = []

    async def flaky(request: aiohttp.web.Request) -> aiohttp.web.Response:
        seen.append((request.headers.get("x-slack-retry-num"), request.headers.get("x-slack-retry-reason")))
        return aiohttp.web.Response(status=200 if len(seen) > 2 else 500)

    app = aiohttp.web.Application()
    app.router.add_post("/slack/events", flaky)
    runner = aiohttp.web.AppRunner(app, access_log=None)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.deliver_http(f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events")
    try:
        attempts = await slack.send_event({"type": "app_home_opened", "user": "U0ANA", "tab": "home"}, retries=True)
    finally:
        await runner.cleanup()

    assert seen == [(None, None), ("1", "http_error"), ("2", "http_error")]
    assert [attempt.error for attempt in attempts] == ["dispatch_failed", "dispatch_failed", None]
    assert len({attempt.payload["event_id"] for attempt in attempts}) == 1


async def test_the_request_address_is_verified(slack: SlackStandIn) -> None:
    """A real bot answers the url_verification challenge."""
    async with over_http(app_of(slack), slack):
        assert await slack.verify_url() is True


async def test_double_clicks_and_redelivery_reach_the_bot_twice(slack: SlackStandIn) -> None:
    """Two quick presses are two payloads with triggers of their own; a redelivery is the same payload again."""
    app = app_of(slack)
    triggers: list[str] = []

    @app.action("approve")
    async def approve(ack: Any, body: Any) -> None:
        await ack()
        triggers.append(body["trigger_id"])

    async with over_http(app, slack):
        await client_of(slack).chat_postMessage(channel="C0OPS", text="Card", blocks=[actions(button("approve"))])
        (card,) = slack.messages("C0OPS")
        one, two = await slack.person("U0BEN").double_click("approve", message=card)
        await slack.redeliver(two)

        assert (one.error, two.error) == (None, None)
        assert len(triggers) == 3
        assert len(set(triggers)) == 2
        assert [delivery.kind for delivery in slack.deliveries] == ["block_actions"] * 3


async def test_people_act_only_on_what_they_see(slack: SlackStandIn) -> None:
    """No clicking on buttons that are gone or on others' ephemerals; a snapshot is what one saw before an edit."""
    app = app_of(slack)
    seen: list[str] = []

    @app.action("approve")
    async def approve(ack: Any, body: Any) -> None:
        await ack()
        seen.append(body["user"]["id"])

    client = client_of(slack)
    ana, cat = slack.person("U0ANA"), slack.person("U0CAT")
    posted = await client.chat_postMessage(channel="C0OPS", text="Card", blocks=[actions(button("approve"))])
    (card,) = slack.messages("C0OPS")
    before = card.snapshot()
    await client.chat_update(channel="C0OPS", ts=posted["ts"], text="Approved")

    with pytest.raises(StandInRefused, match="there is: nothing"):
        await ana.click("approve", message=card)
    with pytest.raises(StandInRefused, match="Cat is not in #ops"):
        await cat.command("/numbers", channel="C0OPS")
    with pytest.raises(StandInRefused, match="archived"):
        ana.post("C0OLD", "Hello?")
    with pytest.raises(StandInRefused, match="no modal open"):
        await ana.submit()
    await client.chat_postEphemeral(channel="C0OPS", user="U0ANA", text="x", blocks=[actions(button("approve"))])
    (mine,) = slack.ephemerals("U0ANA")
    with pytest.raises(StandInRefused, match="only U0ANA sees"):
        await cat.click("approve", message=mine)

    async with over_http(app, slack):
        await ana.click("approve", message=before)
        delivery = await ana.click("approve", message=mine)

    assert seen == ["U0ANA", "U0ANA"]
    assert delivery.payload["container"]["is_ephemeral"] is True
    assert "message" not in delivery.payload


async def test_menus_in_messages_keep_each_persons_choice(slack: SlackStandIn) -> None:
    """What Ana chose in a message is in her state, not in Ben's; an overflow menu sends the entry that was picked."""
    app = app_of(slack)
    states: list[Any] = []

    @app.action("value")
    async def chosen(ack: Any, body: Any) -> None:
        await ack()
        states.append(body["state"]["values"]["reason"]["value"]["selected_option"])

    @app.action("more")
    async def more(ack: Any, action: Any) -> None:
        await ack()
        states.append(action["selected_option"]["value"])

    reason = {**menu("reason", "static_select", options=[option("a"), option("b")]), "dispatch_action": True}
    overflow = {"type": "overflow", "action_id": "more", "options": [option("cancel"), option("retry")]}
    async with over_http(app, slack):
        await client_of(slack).chat_postMessage(
            channel="C0OPS", text="Why?", blocks=[reason, section("x", accessory=overflow)]
        )
        (message,) = slack.messages("C0OPS")
        await slack.person("U0ANA").choose("reason", "a", message=message)
        await slack.person("U0BEN").choose("reason", "b", message=message)
        await slack.person("U0BEN").click("more", value="retry", message=message)

    assert states == [option("a"), option("b"), "retry"]


async def test_wait_for_tells_what_was_awaited(slack: SlackStandIn) -> None:
    """A wait that fails names its purpose and the last calls; one that succeeds returns the value."""
    await client_of(slack).api_test()

    with pytest.raises(TimeoutError, match=r"waited 0\.05 s for a miracle; last calls: \[api.test=ok\]"):
        await slack.wait_for(lambda: None, timeout=0.05, what="a miracle")
    assert await slack.wait_for(lambda: 42) == 42
