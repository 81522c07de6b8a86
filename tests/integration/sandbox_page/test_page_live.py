"""The socket: what an open page is told, whoever else is there and however slowly it listens."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

from aiohttp import ClientSession

from bot.sandbox.page.accounts import BODY, CALLS, NUMBERS
from bot.sandbox.page.live import ACTS, LARGEST, PAGES
from bot.sandbox.page.sandbox import Sandbox
from bot.sandbox.page.screens import MESSAGES
from bot.sandbox.page.world import ANA, APPROVALS, GUS, MAX, OPS, SAM
from tests.integration.sandbox_page.visitor import Visitor, visiting


async def test_a_page_is_told_everything_and_then_what_changed(quiet: Sandbox) -> None:
    """The first message has all parts; the next ones only those that are not as they were."""
    async with visiting(quiet) as visitor:
        everything = {*visitor.parts}
        await visitor.act(ANA, "post", channel=OPS, text="hello")
        assert visitor.texts(OPS) == ["hello"]

    assert {
        "people",
        "channels",
        "usergroups",
        f"messages:{APPROVALS}",
        f"screen:{MAX}",
        "provider:close",
    } <= everything
    assert {"provider:telnyx", "bot", "switches", "counts", "guide", "shortcuts", "commands"} <= everything
    assert visitor.told == [everything, {f"messages:{OPS}"}]


async def test_everybody_is_who_they_are(quiet: Sandbox) -> None:
    """The page tells an engineer, two managers, a colleague, a guest and a stranger apart, and the bot from people."""
    async with visiting(quiet) as visitor:
        roles = [person["role"] for person in visitor.parts["people"]]

    assert sorted(roles) == ["bot", "colleague", "engineer", "guest", "manager", "manager", "stranger"]
    assert {GUS: "guest", SAM: "stranger"}.items() <= {
        each["id"]: each["role"] for each in visitor.parts["people"]
    }.items()


async def test_two_pages_see_the_same(quiet: Sandbox) -> None:
    """What somebody does on one page is on the other; one that goes away takes nothing with it."""
    async with visiting(quiet) as first:
        async with visiting(quiet) as second:
            await first.act(ANA, "post", channel=OPS, text="one")
            await second.until(lambda: second.texts(OPS) == ["one"])
            await second.act(MAX, "post", channel=OPS, text="two")
            await first.until(lambda: first.texts(OPS) == ["one", "two"])
        await first.act(ANA, "post", channel=OPS, text="three")

        assert first.texts(OPS) == ["one", "two", "three"]


async def test_there_are_so_many_pages_and_no_more(quiet: Sandbox) -> None:
    """Who forgets a hundred tabs is told so, and has room again once one is closed."""
    headers = {"Origin": quiet.url}
    async with ClientSession() as session:
        pages = [await session.ws_connect(f"{quiet.url}/live", headers=headers) for _ in range(PAGES)]
        async with session.get(f"{quiet.url}/live", headers=headers) as answer:
            assert (answer.status, await answer.text()) == (503, "Too many pages are open: close some.")
        await asyncio.gather(*(page.close() for page in pages))
        async with visiting(quiet) as visitor:
            assert visitor.parts


async def test_who_reads_slowly_is_told_less_often(quiet: Sandbox) -> None:
    """Nothing queues up for a page that does not read: once it does, it is told how things are by then."""
    posts, headers = 20, {"Origin": quiet.url}
    async with (
        ClientSession() as session,
        visiting(quiet) as awake,
        session.ws_connect(f"{quiet.url}/live", headers=headers, max_msg_size=0) as sleepy,
    ):
        for number in range(posts):
            quiet.slack.person(ANA).post(OPS, f"{number} " + "x" * 200_000)
            await awake.until(lambda seen=number + 1: len(awake.texts(OPS)) == seen)
        woken = Visitor(sleepy)
        reading = asyncio.create_task(woken.read())
        await woken.until(lambda: len(woken.texts(OPS)) == posts)
        reading.cancel()

    assert len(awake.told) > posts > len(woken.told)


async def test_what_is_sent_has_bounds_and_says_so(quiet: Sandbox) -> None:
    """Of large accounts and long histories the page gets a part, and is told how much more there is."""
    quiet.telnyx.add_numbers(NUMBERS, start="+12125550100")
    quiet.slack.chatter(OPS, MESSAGES + 7)
    async with ClientSession() as session:
        for number in range(CALLS + 3):
            body = {"note": "y" * (BODY + 100)} if number == CALLS else None
            async with session.post(f"{quiet.telnyx.url}/phone_numbers/jobs", json=body) as answer:
                await answer.read()
    async with visiting(quiet) as visitor:
        telnyx = visitor.parts["provider:telnyx"]
        [channel] = [each for each in visitor.parts["channels"] if each["id"] == OPS]

    assert (len(telnyx["numbers"]), len(telnyx["calls"])) == (NUMBERS, CALLS)
    assert telnyx["more"] == {"numbers": len(quiet.telnyx.numbers) - NUMBERS, "jobs": 0, "calls": 3}
    assert (channel["more"], visitor.texts(OPS)[-1]) == (7, f"something else, {MESSAGES + 6}")
    assert [call["body"][BODY:] for call in telnyx["calls"] if call["body"]] == ["… (112 more characters)"]


async def test_more_acts_than_there_is_room_for_are_all_done(quiet: Sandbox) -> None:
    """Whoever sends a hundred acts at once waits, and has each of them answered, in the order in which they came."""
    async with visiting(quiet) as visitor:
        acts = (visitor.act(ANA, "post", channel=OPS, text=str(number)) for number in range(ACTS * 3))
        answers = await asyncio.gather(*acts)

        assert [answer["error"] for answer in answers] == [None] * (ACTS * 3)
        assert visitor.texts(OPS) == [str(number) for number in range(ACTS * 3)]


async def test_nonsense_is_answered_and_forgotten(quiet: Sandbox) -> None:
    """Whatever comes over the socket, the page and the others go on."""
    async with visiting(quiet) as visitor:
        for nonsense in ("no JSON", "[1]", "[" * 100_000, '{"do": 7}', json.dumps({"as": "U0NOBODY", "do": "submit"})):
            await visitor.socket.send_str(nonsense)
        strange = [
            await visitor.act(ANA, "fly"),
            await visitor.act(ANA, "post", channel=OPS, files=[{"name": "a", "content": "%%"}]),
            await visitor.act(ANA, "post", channel=OPS, files=[{"name": "a", "content": "é"}]),
            await visitor.act(ANA, "choose", block_id="x", wanted="not a list"),
            await visitor.act(ANA, "switch", switch=["kill"]),
            await visitor.act(ANA, "switch", switch="none", on=True),
        ]
        await visitor.act(ANA, "post", channel=OPS, text="still here")

        assert visitor.texts(OPS) == ["still here"]
        assert all(answer["error"] for answer in strange)


async def test_half_a_character_is_told_as_it_is(quiet: Sandbox) -> None:
    """JSON can say what UTF-8 cannot; a page that is told of it goes on, and the file of that name can be had."""
    half = "\ud83d"
    async with visiting(quiet) as visitor, ClientSession() as session:
        await visitor.act(ANA, "post", channel=OPS, text=half, files=[{"name": half, "content": "aGk="}])
        [message] = visitor.parts[f"messages:{OPS}"]
        async with session.get(f"{quiet.url}/files/{message['files'][0]['id']}") as answer:
            assert await answer.read() == b"hi"

    assert (message["text"], message["files"][0]["name"]) == (half, half)


async def test_too_large_a_message_closes_the_page_and_nothing_else(quiet: Sandbox) -> None:
    """What would fill the memory is not read to its end."""
    headers = {"Origin": quiet.url}
    async with visiting(quiet) as other, ClientSession() as session:
        async with session.ws_connect(f"{quiet.url}/live", headers=headers, max_msg_size=0) as socket:
            with suppress(ConnectionError):  # it is closed before everything was sent
                await socket.send_str("x" * (LARGEST + 1))
            while not socket.closed:
                await socket.receive()
        await other.act(ANA, "post", channel=OPS, text="still here")

        assert other.texts(OPS) == ["still here"]
