"""The whole of it: the real bot as a process of its own, and a visitor who plays everybody."""

from __future__ import annotations

from typing import Any, Final

import pytest

from bot.sandbox.page.sandbox import Sandbox
from bot.sandbox.page.world import ANA, APPROVALS, BUNDLED, DALLAS, DENVER, GUS, LEO, MAX, MIA, OPS, SAM
from tests.integration.sandbox_page.visitor import Visitor, visiting

Json = dict[str, Any]
#: Of the Dallas numbers two fail, one of them only once.
FAILING: Final = 2


async def connected(visitor: Visitor) -> None:
    """Wait until the bot listens."""
    await visitor.until(lambda: visitor.parts["bot"]["connected"])


async def plan(visitor: Visitor, numbers: str) -> None:
    """Ana asks for other tags and waits for the preview."""
    await visitor.act(ANA, "command", channel=OPS, text="/numbers update")
    await visitor.until(lambda: shows(visitor, "settings"))
    await visitor.act(ANA, "type", block_id="numbers:0", text=numbers)
    await visitor.act(ANA, "choose", block_id="settings", wanted=["tags"])
    await visitor.until(lambda: shows(visitor, "value:tags"))
    await visitor.act(ANA, "type", block_id="value:tags", text="moved")
    await visitor.act(ANA, "type", block_id="reason", text="The office moves.")
    await visitor.act(ANA, "submit")


def shows(visitor: Visitor, block: str) -> bool:
    """Tell whether Ana's modal has a block."""
    modal = visitor.modal(ANA)
    return modal is not None and any(each["block_id"] == block for each in modal["blocks"])


async def ask(visitor: Visitor) -> Json:
    """Ana requests approval; return the request."""
    await visitor.until(lambda: (modal := visitor.modal(ANA)) and modal["submit"] == "Request approval")
    await visitor.act(ANA, "submit")
    messages: list[Json] = await visitor.until(lambda: visitor.parts[f"messages:{APPROVALS}"])
    return messages[-1]


async def approve(visitor: Visitor, who: str, request: Json) -> None:
    """Somebody presses Approve."""
    done = await visitor.act(who, "click", channel=APPROVALS, ts=request["ts"], action_id="approve")
    assert done["error"] is None


def results(visitor: Visitor) -> list[str]:
    """Return the names of the sheets of results."""
    files = [file["name"] for message in visitor.parts[f"messages:{OPS}"] for file in message["files"]]
    return [name for name in files if name.endswith("-results.csv")]


async def test_a_visitor_plays_the_whole_story(sandbox: Sandbox) -> None:
    """From the command to the results: refused fields, a refused approval, an approval, a kill in the middle.

    In the end every number was changed once or is told of, and the guide's steps are ticked.
    """
    async with visiting(sandbox) as visitor:
        await connected(visitor)
        numbers = visitor.parts["guide"][1]["copy"]
        await plan(visitor, numbers[:-1])
        errors = await visitor.until(lambda: visitor.modal(ANA)["errors"])
        assert "“+1303555013” needs 10 digits" in errors["numbers:0"]
        await visitor.act(ANA, "type", block_id="numbers:0", text=numbers)
        await visitor.act(ANA, "submit")
        request = await ask(visitor)
        await approve(visitor, ANA, request)
        [refusal] = await visitor.until(lambda: visitor.parts[f"screen:{ANA}"]["ephemerals"])
        assert "somebody else must approve it" in refusal["text"]
        assert visitor.parts["counts"] == {"approved": 0, "changed": 0, "doubled": 0, "lost": 0}
        await approve(visitor, MAX, request)
        await visitor.until(lambda: 0 < visitor.parts["counts"]["changed"] < DALLAS - FAILING)
        await visitor.act("", "switch", switch="kill", on=True)
        assert visitor.parts["bot"]["starts"] == 2
        await visitor.until(lambda: results(visitor))
        await visitor.until(lambda: f"{DALLAS - FAILING} verified · {FAILING} failed" in visitor.texts(OPS)[0])

        assert visitor.parts["counts"] == {"approved": DALLAS, "changed": DALLAS - FAILING, "doubled": 0, "lost": 0}
        assert [step["done"] for step in visitor.parts["guide"]] == [True, True, True]
        [job] = visitor.parts["provider:telnyx"]["jobs"]
        assert (job["done"], job["total"], job["status"]) == (DALLAS, DALLAS, "completed")
        moved = [each for each in visitor.parts["provider:telnyx"]["numbers"] if each["values"]["tags"] == ["moved"]]
        assert len(moved) == DALLAS - FAILING
        posts = [
            call for call in visitor.parts["provider:telnyx"]["calls"] if call["path"].endswith("update_phone_numbers")
        ]
        assert [(call["method"], call["status"], call["body"]["tags"]) for call in posts] == [("POST", 202, ["moved"])]


async def test_a_visitor_takes_a_change_there_and_back(sandbox: Sandbox) -> None:
    """With *Until* and *End now*: the carrier's numbers have what they had, and none was changed too often."""
    async with visiting(sandbox) as visitor:
        await connected(visitor)
        before = [each["values"]["tags"] for each in visitor.parts["provider:telnyx"]["numbers"]]
        await visitor.act(ANA, "command", channel=OPS, text="/numbers update")
        await visitor.until(lambda: shows(visitor, "settings"))
        await visitor.act(ANA, "type", block_id="numbers:0", text=visitor.parts["guide"][1]["copy"].splitlines()[0])
        await visitor.act(ANA, "choose", block_id="settings", wanted=["tags"])
        await visitor.until(lambda: shows(visitor, "value:tags"))
        await visitor.act(ANA, "type", block_id="value:tags", text="holiday")
        await visitor.act(ANA, "type", block_id="reason", text="Closed for the holiday.")
        await visitor.act(ANA, "type", block_id="until", text="in 4 hours")
        await visitor.act(ANA, "submit")
        await approve(visitor, MAX, await ask(visitor))
        await visitor.until(lambda: "In effect" in visitor.texts(OPS)[0])
        [card] = [each for each in visitor.parts[f"messages:{OPS}"] if "In effect" in str(each["blocks"])][:1]
        await visitor.act(ANA, "click", channel=OPS, ts=card["ts"], action_id="end_now")
        await visitor.until(lambda: results(visitor))

        assert [each["values"]["tags"] for each in visitor.parts["provider:telnyx"]["numbers"]] == before
        assert visitor.parts["counts"] == {"approved": 1, "changed": 2, "doubled": 0, "lost": 0}


async def test_numbers_are_deleted_after_two_stages(sandbox: Sandbox) -> None:
    """The sandbox's policy allows it, so a visitor sees the count that has to be typed, and two stages of approval."""
    async with visiting(sandbox) as visitor:
        await connected(visitor)
        before = len(sandbox.telnyx.numbers)
        await visitor.act(ANA, "command", channel=OPS, text="/numbers delete +13035550100 +13035550101")
        await visitor.until(lambda: shows(visitor, "reason"))
        await visitor.act(ANA, "type", block_id="reason", text="The team is closed.")
        await visitor.act(ANA, "submit")
        await visitor.until(lambda: shows(visitor, "count"))
        await visitor.act(ANA, "type", block_id="count", text="2")
        request = await ask(visitor)
        await approve(visitor, MIA, request)
        await visitor.until(lambda: "waits for the stage" in str(visitor.parts[f"messages:{APPROVALS}"]))
        await approve(visitor, MAX, request)
        await visitor.until(lambda: results(visitor))

        assert len(sandbox.telnyx.numbers) == before - 2
        await visitor.until(lambda: visitor.parts["counts"] == {"approved": 2, "changed": 2, "doubled": 0, "lost": 0})


async def test_guests_and_strangers_are_turned_away(sandbox: Sandbox) -> None:
    """Whoever may not request anything reads why, in their own modal."""
    async with visiting(sandbox) as visitor:
        await connected(visitor)
        for who, called in ((GUS, "Guests of this workspace"), (SAM, "People from another workspace")):
            await visitor.act(who, "command", channel=OPS, text="/numbers update")
            await visitor.until(lambda who=who, called=called: called in str(visitor.modal(who)))
            assert visitor.modal(who)["submit"] is None


async def test_a_bot_that_is_gone_is_shown_and_answers_nothing(sandbox: Sandbox) -> None:
    """When the process ends by itself the page says so, and the button brings it back."""
    async with visiting(sandbox) as visitor:
        await connected(visitor)
        await sandbox.bot.kill()
        await visitor.until(lambda: not visitor.parts["bot"]["running"] and not visitor.parts["bot"]["connected"])
        typed = await visitor.act(ANA, "command", channel=OPS, text="/numbers update")
        assert typed["error"] == "/numbers failed with the error “dispatch_failed”"
        await visitor.act("", "switch", switch="kill", on=True)
        await connected(visitor)
        await visitor.act(ANA, "command", channel=OPS, text="/numbers update")

        await visitor.until(lambda: shows(visitor, "settings"))


async def test_a_bot_that_does_not_start_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever broke it while working on it reads on the terminal what is wrong, and can start it again."""
    monkeypatch.setattr("bot.sandbox.page.sandbox.configuration", lambda *_: {})
    async with Sandbox() as sandbox, visiting(sandbox) as visitor:
        await visitor.until(lambda: not visitor.parts["bot"]["running"])
        await visitor.act("", "switch", switch="kill", on=True)
        assert visitor.parts["bot"]["starts"] == 2

    said = capsys.readouterr().out
    assert "The bot ended by itself, with exit status 2. Its log ends with:\n" in said
    assert "SLACK_BOT_TOKEN is not set" in said


async def test_a_visitor_finds_the_numbers_with_a_bundle(sandbox: Sandbox) -> None:
    """The account has some, and the plan names exactly those that the page shows as such."""
    async with visiting(sandbox) as visitor:
        await connected(visitor)
        await visitor.act(ANA, "command", channel=OPS, text="/numbers update")
        await visitor.until(lambda: shows(visitor, "settings"))
        await visitor.act(ANA, "choose", block_id="filters", wanted=["has_bundle"])
        await visitor.until(lambda: shows(visitor, "filter:has_bundle"))
        await visitor.act(ANA, "choose", block_id="filter:has_bundle", wanted=["true"])
        await visitor.act(ANA, "choose", block_id="settings", wanted=["tags"])
        await visitor.until(lambda: shows(visitor, "value:tags"))
        await visitor.act(ANA, "type", block_id="value:tags", text="bundled")
        await visitor.act(ANA, "type", block_id="reason", text="Marking bundles.")
        await visitor.act(ANA, "submit")
        await approve(visitor, MAX, await ask(visitor))
        await visitor.until(lambda: results(visitor))

        numbers = [each["values"] for each in visitor.parts["provider:telnyx"]["numbers"]]
        assert sum(each["has_bundle"] for each in numbers) == DENVER // BUNDLED
        assert all((each["tags"] == ["bundled"]) is each["has_bundle"] for each in numbers)


async def test_a_visitor_lends_the_right_to_approve(sandbox: Sandbox) -> None:
    """Max lends his to Leo by name, Leo approves for him, and the strip counts what was approved."""
    async with visiting(sandbox) as visitor:
        await connected(visitor)
        await visitor.act(MAX, "command", channel=APPROVALS, text="/numbers delegate @leo for 2 hours")
        [answer] = await visitor.until(lambda: visitor.parts[f"screen:{MAX}"]["ephemerals"])
        assert f"<@{LEO}> can approve changes for you until" in answer["text"]
        await plan(visitor, visitor.parts["guide"][1]["copy"])
        request = await ask(visitor)
        await approve(visitor, LEO, request)
        await visitor.until(lambda: results(visitor))

        assert visitor.parts["counts"]["approved"] == DALLAS
        assert any(f"<@{LEO}> for <@{MAX}> approved" in str(each) for each in visitor.parts[f"messages:{APPROVALS}"])
