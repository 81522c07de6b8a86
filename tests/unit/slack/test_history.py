"""Looking back through a channel: the end of the list is Slack's word, and a list without one is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.errors import DeliveryUnknown
from bot.slack.history import BARREN, History

Answer = Callable[[int], dict[str, Any]]


class Channel:
    """Answers the n-th question about it, from 0, as ``answer`` says."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.asked = 0

    async def conversations_history(self, **_: Any) -> AsyncSlackResponse:
        """Return the next page."""
        data = self._answer(self.asked)
        self.asked += 1
        return AsyncSlackResponse(
            client=self, http_verb="POST", api_url="", req_args={}, data=data, headers={}, status_code=200
        )

    async def read(self) -> list[str]:
        """Return the times of all messages."""
        history = History(cast("AsyncWebClient", self))
        return [str(message["ts"]) async for message in history.channel("C0OPS", "")]


def page(*times: str, cursor: str = "") -> dict[str, Any]:
    """Return one page."""
    more = {"has_more": True, "response_metadata": {"next_cursor": cursor}} if cursor else {"has_more": False}
    return {"ok": True, "messages": [{"ts": ts} for ts in times], **more}


async def test_a_page_without_messages_ends_nothing() -> None:
    """Slack may show fewer than were asked for, and one of a page before once more."""
    channel = Channel(lambda n: [page("3", cursor="a"), page(cursor="b"), page("3", "2", cursor="c"), page("1")][n])

    assert await channel.read() == ["3", "2", "1"]


@pytest.mark.parametrize(
    ("answer", "asked"),
    [
        pytest.param(lambda _: page("1", cursor="same"), 2, id="the-same-cursor"),
        pytest.param(lambda n: page("1", cursor=f"c{n}"), BARREN + 1, id="the-same-messages"),
        pytest.param(lambda n: page(cursor=f"c{n}"), BARREN, id="no-messages"),
        pytest.param(lambda _: {"ok": True, "messages": [], "has_more": True}, 1, id="no-cursor"),
    ],
)
async def test_a_list_without_an_end_tells_nothing(answer: Answer, asked: int) -> None:
    """What was not in it nobody knows, and it is not read for ever."""
    channel = Channel(answer)

    with pytest.raises(DeliveryUnknown):
        await channel.read()

    assert channel.asked == asked
