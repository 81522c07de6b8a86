"""Faults and rate limits: what the bot's client meets on a bad day, and whether the call had its effect."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import FaultKind, SlackStandIn, ratelimits
from tests.integration.sandbox_slack.tinybot import BOT_TOKEN, client_of


async def texts(slack: SlackStandIn) -> list[str]:
    """Return what stands in #ops."""
    return [message.text for message in slack.messages("C0OPS")]


async def test_an_error_has_no_effect_and_comes_once(slack: SlackStandIn) -> None:
    """The next call is refused with the string that was asked for; the one after goes through."""
    client = client_of(slack)
    fault = slack.faults.add(method="chat.postMessage", kind="error", error="fatal_error")

    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="C0OPS", text="one")
    await client.chat_postMessage(channel="C0OPS", text="two")

    assert caught.value.response["error"] == "fatal_error"
    assert await texts(slack) == ["two"]
    assert fault.fired == 1
    assert [call.error for call in slack.calls] == ["fatal_error", None]


async def test_a_fault_waits_for_its_turn_and_its_kind_of_call(slack: SlackStandIn) -> None:
    """``after`` lets calls pass first, ``where`` picks by parameters, ``times`` repeats."""
    client = client_of(slack)
    slack.faults.add(
        method="chat.postMessage",
        kind="status",
        status=503,
        after=1,
        times=2,
        where=lambda call: call["text"] != "spare",
    )
    outcomes = []
    for text in ("one", "spare", "two", "spare", "three", "four"):
        try:
            await client.chat_postMessage(channel="C0OPS", text=text)
            outcomes.append(200)
        except SlackApiError as error:
            outcomes.append(error.response.status_code)

    assert outcomes == [200, 200, 503, 200, 503, 200]


async def test_a_dropped_connection_before_and_after_the_effect(slack: SlackStandIn) -> None:
    """The client sees the same broken connection either way; only drop_after posted."""
    client = client_of(slack)
    for kind in ("drop_before", "drop_after"):
        slack.faults.add(method="chat.postMessage", kind=kind)
        with pytest.raises(aiohttp.ClientError):
            await client.chat_postMessage(channel="C0OPS", text=kind)

    assert await texts(slack) == ["drop_after"]
    assert [call.status for call in slack.calls] == [None, None]


async def test_the_sdks_own_retry_doubles_a_post(slack: SlackStandIn) -> None:
    """With the SDK's default handler a connection that breaks after the effect posts twice: the trap to design for."""
    client = AsyncWebClient(
        token=BOT_TOKEN, base_url=slack.api_url, retry_handlers=[AsyncConnectionErrorRetryHandler()]
    )
    slack.faults.add(method="chat.postMessage", kind="drop_after")
    await client.chat_postMessage(channel="C0OPS", text="Once?")

    assert await texts(slack) == ["Once?", "Once?"]


async def test_a_delay_delays_and_then_works(slack: SlackStandIn) -> None:
    """A delayed call ends after its delay with its effect; a client that gave up does not know of it."""
    slack.faults.add(method="chat.postMessage", kind="delay", seconds=0.3)
    impatient = AsyncWebClient(token=BOT_TOKEN, base_url=slack.api_url, retry_handlers=[])
    impatient.timeout = 5
    await impatient.chat_postMessage(channel="C0OPS", text="late")

    assert await texts(slack) == ["late"]


async def test_a_malformed_answer_is_not_json(slack: SlackStandIn) -> None:
    """A 200 that is not JSON is an error of the client, and nothing was posted."""
    slack.faults.add(method="chat.postMessage", kind="malformed")

    with pytest.raises(SlackApiError):
        await client_of(slack).chat_postMessage(channel="C0OPS", text="one")

    assert await texts(slack) == []


async def test_an_answer_can_be_spoilt_after_the_effect(slack: SlackStandIn) -> None:
    """With effect_first the post is made, and the answer is a 500 or not JSON all the same."""
    client = client_of(slack)
    kinds: tuple[FaultKind, ...] = ("status", "malformed")
    for kind in kinds:
        slack.faults.add(method="chat.postMessage", kind=kind, effect_first=True)
        with pytest.raises(SlackApiError):
            await client.chat_postMessage(channel="C0OPS", text=kind)

    assert await texts(slack) == ["status", "malformed"]


async def test_a_delayed_answer_can_come_after_the_effect(slack: SlackStandIn) -> None:
    """With effect_first a client that gives up waiting has posted nevertheless."""
    slack.faults.add(method="chat.postMessage", kind="delay", seconds=30, effect_first=True)
    waiting = asyncio.ensure_future(client_of(slack).chat_postMessage(channel="C0OPS", text="there"))
    await slack.wait_for(lambda: slack.messages("C0OPS"))

    assert not waiting.done()
    waiting.cancel()
    assert await texts(slack) == ["there"]


async def test_being_rate_limited(slack: SlackStandIn) -> None:
    """429 carries Retry-After; the SDK's handler waits for it and succeeds."""
    slack.faults.add(method="chat.postMessage", kind="rate_limited", retry_after=7)

    with pytest.raises(SlackApiError) as caught:
        await client_of(slack).chat_postMessage(channel="C0OPS", text="one")

    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "7"
    assert caught.value.response["error"] == "ratelimited"

    patient = AsyncWebClient(
        token=BOT_TOKEN, base_url=slack.api_url, retry_handlers=[AsyncRateLimitErrorRetryHandler(max_retry_count=1)]
    )
    slack.faults.add(method="chat.postMessage", kind="rate_limited", retry_after=0)
    await patient.chat_postMessage(channel="C0OPS", text="two")

    assert await texts(slack) == ["two"]


async def test_an_unknown_kind_of_fault_is_a_mistake(slack: SlackStandIn) -> None:
    """A misspelt kind is refused when it is arranged, not ignored."""
    with pytest.raises(ValueError, match="unknown kind of fault 'explode'"):
        slack.faults.add(method="chat.postMessage", kind="explode")  # type: ignore[arg-type]  # the mistake under test


async def test_edits_share_fifty_a_minute(slack: SlackStandIn) -> None:
    """With rate limits on, the 51st chat.update of a minute is 429 however many messages share it."""
    slack.enforce_rate_limits = True
    client = client_of(slack)
    stamps = [(await client.chat_postMessage(channel="C0OPS", text=str(number)))["ts"] for number in range(2)]
    for number in range(50):
        await client.chat_update(channel="C0OPS", ts=stamps[number % 2], text="x")

    with pytest.raises(SlackApiError) as caught:
        await client.chat_update(channel="C0OPS", ts=stamps[0], text="x")

    assert caught.value.response.status_code == 429
    assert 50 <= int(caught.value.response.headers["Retry-After"]) <= 60


async def test_posts_are_one_a_second_a_channel(slack: SlackStandIn) -> None:
    """With rate limits on, a burst to one channel is stopped while another channel still takes posts."""
    slack.enforce_rate_limits = True
    client = client_of(slack)
    for number in range(5):
        await client.chat_postMessage(channel="C0OPS", text=str(number))

    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="C0OPS", text="one too many")

    assert caught.value.response.status_code == 429
    assert 1 <= int(caught.value.response.headers["Retry-After"]) <= 5

    await client.chat_postMessage(channel="U0ANA", text="elsewhere")

    assert len(await texts(slack)) == 5


async def test_a_closed_method_stays_closed_until_it_is_opened(
    slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call of it is told to wait, in the one channel; who calls again after that is complained of."""
    client = client_of(slack)
    slack.add_channel("C0ELSE", name="else")
    slack.close_method("chat.postMessage", seconds=3600, channel="C0OPS")

    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="C0OPS", text="one")
    assert caught.value.response.headers["Retry-After"] == "3600"
    await client.chat_postMessage(channel="C0ELSE", text="two")
    assert slack.complaints == []
    monkeypatch.setattr(ratelimits, "UNDER_WAY", -1.0)
    with pytest.raises(SlackApiError):
        await client.chat_postMessage(channel="C0OPS", text="one")
    assert len(slack.complaints) == 1

    slack.open_methods()
    await client.chat_postMessage(channel="C0OPS", text="three")
    assert await texts(slack) == ["three"]


async def test_answers_are_dated_by_the_workspaces_clock(slack: SlackStandIn) -> None:
    """The ``Date`` is that of the messages' time stamps, or absent."""
    slack.workspace.clock = lambda: datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
    client = client_of(slack)

    answer = await client.chat_postMessage(channel="C0OPS", text="one")
    slack.workspace.dated = False
    undated = await client.chat_postMessage(channel="C0OPS", text="two")

    assert answer.headers["Date"] == "Mon, 04 May 2026 03:02:01 GMT"
    assert "Date" not in undated.headers


async def test_history_and_threads_begin_where_one_asks(slack: SlackStandIn) -> None:
    """``oldest`` leaves out what was said before, but never a thread's first message; what people said is there."""
    client = client_of(slack)
    parent = (await client.chat_postMessage(channel="C0OPS", text="one"))["ts"]
    slack.chatter("C0OPS", 300, thread_ts=parent)
    slack.chatter("C0OPS", 300)
    middle = (await client.chat_postMessage(channel="C0OPS", text="two", thread_ts=parent))["ts"]
    await client.chat_postMessage(channel="C0OPS", text="three", thread_ts=parent)

    whole = await client.conversations_replies(channel="C0OPS", ts=parent, limit=200)
    late = await client.conversations_replies(channel="C0OPS", ts=parent, oldest=middle)
    channel = await client.conversations_history(channel="C0OPS", oldest=parent, limit=200)

    assert (len(whole["messages"]), whole["has_more"]) == (200, True)
    assert [each["text"] for each in late["messages"]] == ["one", "three"]
    assert channel["has_more"]
    assert channel["messages"][0]["text"] == "something else, 299"
