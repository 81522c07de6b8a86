"""What people type is data: it mentions nobody, formats nothing and computes nothing."""

from __future__ import annotations

import re

import pytest

from bot.sandbox.slack import Message
from tests.integration.scenarios.stage import APPROVALS, FAILURES, OPS, Stage

HOSTILE = "<!channel> <@U0SAM> <!subteam^S0ALL> *bold* _x_ ~y~ `code` <https://evil.example|click> &amp; :tada:"
LINES = "=1+1\n> quoted\n• listed\n```block```"


def marked_up(message: Message) -> str:
    """Return all mrkdwn of a message, where marks mean something."""
    texts = [message.text]

    def walk(node: object) -> None:
        if isinstance(node, list):
            for item in node:
                walk(item)
        elif isinstance(node, dict):
            if node.get("type") == "mrkdwn":
                texts.append(str(node["text"]))
            for item in node.values():
                walk(item)

    walk(message.blocks)
    return "\n".join(texts)


def outside_code(mrkdwn: str) -> str:
    """Return mrkdwn without its code, in which no mark means anything."""
    return re.sub(r"`[^`\n]*`", "", mrkdwn)


@pytest.mark.parametrize("typed", [HOSTILE, LINES], ids=["marks", "lines"])
async def test_typed_text_mentions_nobody_and_links_nowhere(stage: Stage, typed: str) -> None:
    """Reason, values, tags, rejection: wherever they are shown, only the intended people are mentioned."""
    stage.telnyx.add_numbers(2, start="+13035550000")
    stage.telnyx.fail("+13035550001", detail=f"Bad value {HOSTILE}", pointer="/<!here>")
    settings = {"customer_reference": HOSTILE[:60], "tags": "`tick`, <!here>, *bold*"}
    change = await stage.ask(["+13035550000", "+13035550001"], settings, reason=typed)
    await stage.approve(change)
    await stage.ended(change)
    other = await stage.ask(["+13035550001"], settings, reason=typed)
    await stage.max.click("reject", message=stage.request_card(other))
    await stage.max.wait_for_view(lambda view: view.callback_id == "rejection")
    await stage.max.type("why", typed)
    await stage.send(by=stage.max)
    await stage.quiet()
    await stage.command(f"status CHG-{change}")
    await stage.command("list", by=stage.max)
    await stage.command(f"{HOSTILE}", by=stage.mia)

    for message in stage.everything():
        assert message.mentions.broadcasts == frozenset()
        assert message.mentions.groups == frozenset()
        assert message.mentions.users <= {"U0ANA", "U0MAX", "U0MIA"}
        shown = marked_up(message)
        assert not [mark for mark in ("*bold*", "_x_", "~y~", "https://evil") if mark in outside_code(shown)]
    reason = stage.read(stage.card(change))
    assert all(line in reason for line in typed.splitlines())
    assert stage.telnyx.number("+13035550000").tags == ["`tick`", "<!here>", "*bold*"]


async def test_only_the_intended_people_are_mentioned(stage: Stage) -> None:
    """The request mentions its approvers and the requester, the notice the requester; nobody else, anywhere."""
    stage.telnyx.add_numbers(2, start="+13035550000")
    stage.telnyx.fail("+13035550001")
    change = await stage.ask(["+13035550000", "+13035550001"], reason="Ask <@U0SAM>")
    [request] = stage.slack.messages(APPROVALS)
    asked = request.mentions.users
    await stage.approve(change)
    await stage.ended(change)

    assert asked == {"U0ANA", "U0MAX", "U0MIA"}
    assert {user for each in stage.slack.messages(OPS) for user in each.mentions.users} == {"U0ANA", "U0MAX"}
    assert [each.mentions.users for each in stage.slack.messages(FAILURES)] == [{"U0ANA"}]


async def test_no_cell_of_the_results_is_a_formula(stage: Stage) -> None:
    """A value, or a code, reason or pointer of the provider, that begins like a formula is made text."""
    openings = ["=", "+", "-", "@", "\t", "\uff1d"]
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(1 + len(openings), start="+13035550000")]
    for number, opening in zip(numbers, openings, strict=False):
        formula = f"{opening}HYPERLINK('x')"
        stage.telnyx.fail(number, code=formula, detail=formula, pointer=formula)

    change = await stage.run(numbers, {"customer_reference": "=cmd|' /C calc'!A0", "tags": "=1, +2"})

    for row in stage.results(change):
        for column, cell in row.items():
            assert column == "number" or not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d"))
    sheet = stage.file(change)
    assert sheet is not None
    assert len(sheet.decode("utf-8-sig").splitlines()) == 1 + len(numbers)
