"""Looks at Slack that are shared: how old an answer may be, and how often Slack is asked."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import DeliveryError, DeliveryPostponed, DeliveryRefused, DeliveryUnknown, TokenLost
from bot.slack.people_lookups import MEMORY, PATIENCE, TTL, LookupPace, PeopleLookups


class Slack:
    """Answers with the number of the question, once it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.open = asyncio.Event()
        self.open.set()
        self.failures: list[Exception] = []

    async def ask(self, key: str) -> str:
        """Answer the next question."""
        self.asked += 1
        answer = f"{key}{self.asked}"
        await self.open.wait()
        if self.failures:
            raise self.failures.pop(0)
        return answer


class Time:
    """A clock that stands until it is put forward."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        """Return the present time."""
        return self.at


async def settled() -> None:
    """Let every task that can run do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_decides_is_asked_anew_each_time() -> None:
    """However young the last answer is, a look that decides is another one."""
    slack = Slack()
    looks = PeopleLookups(slack.ask, Time())

    assert [await looks.fresh("a"), await looks.fresh("a")] == ["a1", "a2"]


async def test_what_is_shown_may_be_a_minute_old() -> None:
    """One answer serves all who only look, for a minute; a fresh one serves them too."""
    slack, time = Slack(), Time()
    looks = PeopleLookups(slack.ask, time)

    shown = [await looks.shown("a"), await looks.shown("a"), await looks.fresh("a"), await looks.shown("a")]
    time.at += TTL
    later = await looks.shown("a")

    assert (shown, later) == (["a1", "a1", "a2", "a2"], "a3")


async def test_clicks_that_come_during_a_look_share_the_next_one() -> None:
    """A look that has begun before the click says nothing about it; however many wait, one more is enough."""
    slack = Slack()
    looks = PeopleLookups(slack.ask, Time())
    slack.open.clear()
    async with asyncio.TaskGroup() as group:
        first = group.create_task(looks.fresh("a"))
        await settled()
        others = [group.create_task(looks.fresh("a")) for _ in range(20)]
        await settled()
        slack.open.set()

    assert (first.result(), {each.result() for each in others}) == ("a1", {"a2"})
    assert slack.asked == 2


async def test_a_failure_is_shared_and_not_kept() -> None:
    """Who waits for the look that fails is told so; who comes afterwards has another one."""
    slack = Slack()
    slack.failures = [DeliveryUnknown("no"), DeliveryUnknown("no")]
    looks = PeopleLookups(slack.ask, Time())
    slack.open.clear()
    first = asyncio.create_task(looks.fresh("a"))
    await settled()
    others = [asyncio.create_task(looks.fresh("a")) for _ in range(5)]
    await settled()
    slack.open.set()
    ends = await asyncio.gather(first, *others, return_exceptions=True)

    assert {type(end) for end in ends} == {DeliveryUnknown}
    assert slack.asked == 2
    assert await looks.shown("a") == "a3"


async def test_a_short_wait_is_kept_and_a_long_one_is_told() -> None:
    """What Slack asks to wait for is waited for while anybody would; a longer wait comes back to who clicked."""
    slack = Slack()
    slack.failures = [DeliveryPostponed("slow", wait=0.01), DeliveryPostponed("slow", wait=PATIENCE + 1)]
    looks = PeopleLookups(slack.ask, Time())

    with pytest.raises(DeliveryPostponed) as told:
        await looks.fresh("a")

    assert (told.value.wait, slack.asked) == (PATIENCE + 1, 2)
    assert await looks.fresh("a") == "a3"


async def test_turns_keep_a_limit() -> None:
    """A burst goes at once, then they come one by one; whoever would wait too long is told for how long."""
    time = Time()
    turns = LookupPace(2, PATIENCE + 1, time)

    await turns.take()
    await turns.take()
    with pytest.raises(DeliveryPostponed) as told:
        await turns.take()
    time.at += PATIENCE + 1
    await turns.take()

    assert told.value.wait == PATIENCE + 1


async def test_an_answer_is_remembered_through_silence_for_some_minutes() -> None:
    """While Slack says nothing, what it said last is there with its age; after that it is forgotten."""
    slack, time = Slack(), Time()
    looks = PeopleLookups(slack.ask, time)
    await looks.fresh("a")
    time.at = 100.0
    slack.failures = [DeliveryUnknown("no"), TokenLost("no"), DeliveryPostponed("no", wait=PATIENCE + 1)]
    for _ in range(3):
        with pytest.raises(DeliveryError):
            await looks.fresh("a")

    remembered = looks.remembered("a")
    time.at = MEMORY
    oldest = looks.remembered("a")
    time.at = MEMORY + 1

    assert (remembered, oldest) == (("a1", 100.0), ("a1", MEMORY))
    assert looks.remembered("a") is None


async def test_what_slack_has_denied_since_is_not_remembered() -> None:
    """Slack said that there is no such person: who they were before is gone. So is what was never asked about."""
    slack = Slack()
    looks = PeopleLookups(slack.ask, Time())
    await looks.fresh("a")
    slack.failures = [DeliveryRefused("user_not_found")]
    with pytest.raises(DeliveryRefused):
        await looks.fresh("a")

    assert (looks.remembered("a"), looks.remembered("b")) == (None, None)
