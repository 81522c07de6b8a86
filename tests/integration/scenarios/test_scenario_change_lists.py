"""Lists of changes: filters, pages, mistakes."""

from __future__ import annotations

import copy

from sqlalchemy import text

from bot.sandbox.slack import Message
from bot.sandbox.slack.blocks import total_characters
from bot.sandbox.slack.blocks.inspect import message_problems
from tests.integration.scenarios.stage import Stage

#: A change that ended, a few thousand times over; nobody waits for so many to run.
MANY = text(
    """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
    INSERT INTO changes (kind, state, outcome, requester, draft, created_at, summary)
    SELECT 'telnyx.settings', 'finished', 'succeeded', 'U0MIA',
           '{"kind": "telnyx.settings", "reason": "' || :reason || '"}', '2026-10-01 12:00:00.000000', '{"numbers": 3}'
    FROM n
    """
)


async def many(stage: Stage, count: int, reason: str = "An old one") -> None:
    """Write ``count`` changes of Mia's that ended long ago."""
    assert stage.bot is not None
    async with stage.bot.worker._context.database.engine.begin() as connection:
        await connection.execute(MANY, {"count": count, "reason": reason})


def last(stage: Stage) -> Message:
    """Return what Ana alone was shown last."""
    return stage.slack.ephemerals("U0ANA")[-1]


async def turned(stage: Stage, action: str, shown: Message, expected: str) -> str:
    """Press a button of a page and return the page that takes its place."""
    await stage.ana.click(action, message=shown)
    await stage.slack.wait_for(lambda: expected in stage.read(shown), what=f"a page with {expected}")
    return stage.read(shown)


async def test_a_list_is_narrowed_by_state_person_kind_and_day(stage: Stage) -> None:
    """Each word narrows, together they narrow further; people are chosen from Slack's suggestions."""
    stage.telnyx.add_numbers(3, start="+13035550000")
    stage.telnyx.fail("+13035550000")
    failed = await stage.run("+13035550000", reason="Ana's failure")
    waiting = await stage.ask("+13035550001", reason="Mia waits", by=stage.mia)
    rejected = await stage.ask("+13035550002", {"tags": "x"}, reason="Ana's rejected")
    await stage.max.click("reject", message=stage.request_card(rejected))
    await stage.max.wait_for_view(lambda view: view.callback_id == "rejection")
    await stage.max.type("why", "No")
    await stage.send(by=stage.max)
    everything = {f"CHG-{change} ·" for change in (failed, waiting, rejected)}

    for words, expected in (
        ("failed", {failed}),
        ("waiting", {waiting}),
        ("open", {waiting}),
        ("rejected failed", {failed, rejected}),
        ("mine", {failed, rejected}),
        ("@mia", {waiting}),
        ("@Mia @Ana rejected waiting", {waiting, rejected}),
        ("U0ANA00 failed", set()),
        ("kind update since today", {failed, waiting, rejected}),
        ("kind emergency", set()),
        ("until yesterday", set()),
    ):
        said = await stage.command(f"list {words}")

        assert {name for name in everything if name in said} == {f"CHG-{change} ·" for change in expected}, words
        assert expected or "No changes match" in said


async def test_every_mistake_is_told_at_once_with_what_is_allowed(stage: Stage) -> None:
    """Nobody finds out one by one."""
    said = await stage.command("list faild @nobody kind fax since noon")

    assert "Unknown word “faild”." in said
    assert "“@nobody” is not a person" in said
    assert "There is no kind “fax”; there is update, emergency, delete." in said
    assert "“noon” is not a date" in said
    assert "a state (open, waiting, revising, approved," in said


async def test_pages_stay_where_they_are_among_many_changes(stage: Stage) -> None:
    """Older and Newer replace the list in place, under a hundred thousand changes and while new ones arrive."""
    await many(stage, 100_000, "x" * 500)
    first = await stage.command("list @mia")
    shown = last(stage)

    await many(stage, 3)
    second = await turned(stage, "list_older", shown, "CHG-99992")
    third = await turned(stage, "list_older", shown, "CHG-99984")
    back = await turned(stage, "list_newer", shown, "CHG-99992")
    newest = await turned(stage, "list_newer", shown, "CHG-100000")
    top = await turned(stage, "list_newer", shown, "CHG-100003")

    assert [f"CHG-{i} ·" in first for i in (100_000, 99_993, 99_992)] == [True, True, False]
    assert [f"CHG-{i} ·" in second for i in (99_993, 99_992, 99_985, 99_984)] == [False, True, True, False]
    assert "CHG-99977 ·" in third
    assert (back, newest) == (second, first.replace("[Older]", "[Newer] [Older]"))
    assert "[Newer]" not in top
    assert "CHG-99996 ·" in top
    assert len(stage.slack.ephemerals("U0ANA")) == 1
    assert message_problems(shown.blocks) == []
    assert total_characters(shown.blocks) < 13_200


async def test_a_rare_change_is_found_among_many(stage: Stage) -> None:
    """What has to be looked for is found, wherever it lies."""
    stage.telnyx.add_number("+13035550000")
    await stage.ask("+13035550000", reason="The one")
    await many(stage, 20_000)

    assert "The one" in await stage.command("list waiting")
    assert "The one" in await stage.command("list mine kind update")
    nothing = await stage.command("list failed @mia since 2026-09-01")
    assert "No changes match: failed, @Mia, since 2026-09-01." in nothing


async def test_a_double_press_of_a_page_shows_it_once(stage: Stage) -> None:
    """Both presses lead to the same page in the same place."""
    await many(stage, 30)
    await stage.command("list")
    shown = last(stage)

    await stage.ana.double_click("list_older", message=shown)
    await stage.slack.wait_for(lambda: "CHG-22 ·" in stage.read(shown), what="the second page")
    await stage.quiet()

    assert "CHG-15 ·" in stage.read(shown)
    assert len(stage.slack.ephemerals("U0ANA")) == 1


async def test_a_forged_page_is_answered(stage: Stage) -> None:
    """A button that says nonsense leads to the newest page, or to a sentence about what is wrong."""
    await many(stage, 30)
    await stage.command("list")
    forged = copy.deepcopy(last(stage))
    for value, expected in (("<0 ", "CHG-30 ·"), ("nonsense", "CHG-30 ·"), ("<5 faild", "Unknown word “faild”.")):
        forged.blocks[-2]["elements"][0]["value"] = value

        await stage.ana.click("list_older", message=forged)
        await stage.slack.wait_for(
            lambda expected=expected: any(expected in stage.read(each) for each in stage.slack.ephemerals("U0ANA")),
            what=expected,
        )
