"""Commands, shortcuts, the Home tab and the pages for operators: everything answers."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.scenarios.stage import OPS, Stage

COMMANDS = (
    ("help", "/numbers status CHG-42"),
    ("“Help”", "/numbers status CHG-42"),
    ("frobnicate", "Unknown command /numbers frobnicate."),
    ("<zap> & go", "Unknown command /numbers <zap>."),
    ("statsu CHG-1", "Did you mean /numbers status?"),
    ("frobnicate", "/numbers update"),
    ("status", "Name the change: /numbers status CHG-42"),
    ("status nonsense", "Name the change"),
    ("status CHG-99", "There is no CHG-99"),
    ("status 99999999999999999999", "Name the change"),
    ("list", "There are no changes yet"),
    ("list mine", "You have not requested any changes yet"),
    ("list everything", "Unknown word “everything”."),
    ("list running", "No changes match: running."),
    ("find", "Say which number"),
    ("find nonsense", "“nonsense”"),
    ("find +13035550000 +13035550001", "shows one number at a time"),
    ("templates", "There are no templates yet"),
    ("run", "Name the template: /numbers run NAME"),
    ("status\u200b CHG-99", "There is no CHG-99"),
    ("status\u200bCHG-99", "There is no CHG-99"),
    ("status \u200bCHG\u2060-99\u200b", "There is no CHG-99"),
    ("\uff33\uff34\uff21\uff34\uff35\uff33 CHG-\uff19\uff19", "There is no CHG-99"),
    ("status chg_99 “xlsx”", "There is no CHG-99"),
    ("status (CHG-99), xlsx.", "There is no CHG-99"),
    ("CHG-99", "There is no CHG-99"),
    ("/numbers status CHG-99", "There is no CHG-99"),
    ("status:CHG-99", "There is no CHG-99"),
    ("“Status”=CHG-99", "There is no CHG-99"),
    ("find(303) 555-0100", "+13035550100"),
    ("list faild", "Did you mean “failed”?"),
    ("list “mine”", "You have not requested any changes yet"),
    ("list *mine*;", "You have not requested any changes yet"),
    ("list kind: update", "No changes match"),
    ("list since 2026\u201111\u201101", "No changes match"),
    ("list “scheduled”.", "No changes are scheduled"),
    ("sheet “update”", "The empty sheet is in your direct message"),
    ("template\u00a0update.", "The empty sheet is in your direct message"),
)


async def test_every_command_is_answered(stage: Stage) -> None:
    """Known words do their work; unknown ones, wrong ones and none at all get help, not silence."""
    said = [(text, says in await stage.command(text)) for text, says in COMMANDS]

    assert [text for text, as_promised in said if not as_promised] == []


async def test_a_command_is_answered_where_the_bot_is_not_a_member(stage: Stage) -> None:
    """Slash commands work in any conversation; the answer finds its way."""
    stage.slack.add_channel("C0ELSE", name="elsewhere", members=["U0SAM"], bot_is_member=False)

    assert "/numbers update" in await stage.command("help", by=stage.sam, channel="C0ELSE")


async def test_the_status_of_a_change_is_found_however_it_is_written(stage: Stage) -> None:
    """The status shows the card and the newest history, to anybody, by any form of the id."""
    stage.telnyx.add_number("+13035550000")
    await stage.ask("+13035550000", reason="Because")

    for written in (
        "CHG-1",
        "chg-1",
        "#1",
        "1",
        "`CHG-1`",
        "“CHG-1”",
        "CHG\u20111",
        "CHG\u20131.",
        "CHG 1",
        "\u00a0CHG-1\n",
    ):
        answer = await stage.command(f"status {written}", by=stage.otto)

        assert "CHG-1 · Telnyx: Update settings" in answer
        assert "Awaiting approval" in answer
        assert "Approval requested · @Ana" in answer


async def test_the_list_shows_the_newest_first_and_mine_only_mine(stage: Stage) -> None:
    """The list has a line for every change, the newest on top; "mine" leaves out those of others."""
    for index, person in enumerate((stage.ana, stage.mia, stage.ana)):
        stage.telnyx.add_number(f"+1303555000{index}")
        await stage.ask(f"+1303555000{index}", reason=f"Reason {index}", by=person)

    everybody, mine = await stage.command("list"), await stage.command("list mine", by=stage.mia)

    assert everybody.index("CHG-3") < everybody.index("CHG-2") < everybody.index("CHG-1")
    assert "Reason 1" in everybody
    assert "CHG-2" in mine
    assert "CHG-1" not in mine
    assert "CHG-3" not in mine


async def test_the_global_shortcut_opens_the_form_and_the_card_goes_to_the_approval_channel(stage: Stage) -> None:
    """A change that was started nowhere in particular has its card in the approval channel."""
    stage.telnyx.add_number("+13035550000")
    await stage.ana.global_shortcut("new_change")
    await stage.ana.wait_for_view(lambda view: view.callback_id == "change_form")
    await stage.fill("+13035550000", {"customer_reference": "Denver"}, "Because")
    await stage.send()
    await stage.planned()

    change = await stage.request()
    await stage.approve(change)
    await stage.ended(change)

    assert stage.card(change).channel == "C0APPROVALS"
    assert "Succeeded" in stage.read(stage.card(change))


async def test_a_change_that_is_asked_for_in_the_bots_direct_messages_stays_there(stage: Stage) -> None:
    """The card and its thread are where the command was given; between two people the bot has no place."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(2, start="+13035550000")]
    direct = stage.slack.direct_message("U0ANA")
    between = stage.slack.add_channel("D0BETWEEN", name="", members=["U0ANA", "U0MAX"], private=True)
    between.bot_is_member = False
    for place, number, card in ((direct, numbers[0], direct), (between.id, numbers[1], "C0APPROVALS")):
        await stage.ana.command("/numbers", f"update {number}", channel=place)
        await stage.ana.wait_for_view(lambda view: view.callback_id == "change_form")
        await stage.fill(number, {"customer_reference": "Denver"}, "Because")
        await stage.send()
        await stage.planned()
        change = await stage.request()
        await stage.approve(change)
        await stage.ended(change)

        assert stage.card(change).channel == card
        assert "Succeeded" in stage.read(stage.card(change))


async def test_the_message_shortcut_takes_the_numbers_of_the_message(stage: Stage) -> None:
    """The message's text stands in the number boxes, as many as it takes, ready to be planned."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(500, start="+13035550000")]
    message = stage.ana.post(OPS, "\n".join(f"<tel:{number}|{number}>" for number in numbers))

    await stage.ana.message_shortcut("change_these", message=message)
    view = await stage.ana.wait_for_view(lambda view: view.callback_id == "change_form")
    boxes = [slot.value for (block, _), slot in view.form.slots.items() if block.startswith("numbers:")]
    await stage.fill(None, {"customer_reference": "Denver"}, "Because")
    await stage.send()

    assert len(boxes) > 1
    assert "Numbers: 500 " in stage.read(await stage.planned())


async def test_operators_see_health_readiness_and_figures(stage: Stage) -> None:
    """The pages answer, and the figures are those of the database."""
    stage.telnyx.add_number("+13035550000")
    await stage.ask("+13035550000")

    assert await stage.get("/healthz") == (200, "ok")
    status, text = await stage.get("/readyz")
    assert (status, text.splitlines()[0]) == (200, "ready")
    status, figures = await stage.get("/metrics")

    assert status == 200
    assert 'linesman_changes{state="awaiting_approval"} 1.0' in figures


async def test_a_broken_worker_is_not_ready(stage: Stage) -> None:
    """When the loops that do the work are gone, readiness says so, so that nobody sends it traffic."""
    assert stage.bot is not None
    stage.bot.working.cancel()

    await asyncio.wait({stage.bot.working}, timeout=5)

    assert await stage.get("/readyz") == (503, "the worker has stopped")
    assert await stage.get("/healthz") == (200, "ok")


async def test_a_forged_delivery_is_refused(stage: Stage) -> None:
    """A request that Slack did not sign does nothing."""
    stage.slack.signing_secret = "somebody-elses-secret-000"

    delivery = await stage.ana.command("/numbers", "update", channel=OPS)

    assert delivery.status == 401
    assert stage.ana.view is None


async def test_in_socket_mode_nothing_is_accepted_over_http(idle: Stage) -> None:
    """With Socket Mode the request address is closed."""
    idle.transport = "socket"
    await idle.start()
    assert idle.bot is not None
    idle.slack.deliver_http(f"http://127.0.0.1:{idle.bot.port}/slack/events")

    delivery = await idle.ana.command("/numbers", "help", channel=OPS)

    assert delivery.status == 404


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        pytest.param("", (), id="nothing"),
        pytest.param("update\n+13035550000\n+13035550001", ("+13035550000", "+13035550001"), id="lines"),
        pytest.param("update\u00a0+13035550000", ("+13035550000",), id="no-break-space"),
        pytest.param("+13035550000 +13035550001", ("+13035550000", "+13035550001"), id="no-word"),
        pytest.param("update <tel:+13035550000|+13035550000>", ("+13035550000",), id="link"),
        *(
            pytest.param(text, ("+13035550000", "+13035550001"), id=text)
            for text in (
                "update:+13035550000, +13035550001",
                "update,+13035550000,+13035550001",
                "„update“+13035550000;+13035550001",
                "status:+13035550000\n+13035550001",
                "frobnicate.+13035550000;+13035550001",
            )
        ),
        pytest.param("(303) 555-0100\n(303) 555-0101", ("(303) 555-0100", "(303) 555-0101"), id="in-parentheses"),
        *(
            pytest.param(f"{word} +13035550000\n+13035550001", ("+13035550000", "+13035550001"), id=word)
            for word in ("updat", "frobnicate", "status", "list", "help", "locks", "cancel CHG-1", "sheet", "run")
        ),
    ],
)
async def test_the_form_opens_with_whatever_was_pasted(stage: Stage, text: str, numbers: tuple[str, ...]) -> None:
    """The command alone opens the form, and a list behind it, in whatever form, is never lost."""
    await stage.ana.command("/numbers", text, channel=OPS)
    view = await stage.ana.wait_for_view(lambda view: view.callback_id == "change_form")

    assert [number for number in numbers if number not in stage.read(view)] == []


@pytest.mark.parametrize("text", ["find +13035550000 +13035550001", "values\nupdate\n+13035550000\n+13035550001"])
async def test_a_list_that_somebody_looks_for_is_in_the_form_for_values(stage: Stage, text: str) -> None:
    """What shows one number only offers a sheet for several."""
    await stage.ana.command("/numbers", text, channel=OPS)
    view = await stage.ana.wait_for_view(lambda view: view.callback_id == "values_form")

    assert [number for number in ("+13035550000", "+13035550001") if number not in stage.read(view)] == []


@pytest.mark.parametrize(
    "text",
    [
        "+13035550000\n+13035550001",
        "update +13035550000 +13035550001",
        "status +13035550000 +13035550001",
        "frobnicate +13035550000 +13035550001",
        "find +13035550000 +13035550001",
        "values +13035550000 +13035550001",
    ],
)
async def test_whoever_may_not_request_has_their_list_back(stage: Stage, text: str) -> None:
    """Slack takes the text of a command off the keyboard, so a refusal shows the list for copying."""
    await stage.sam.command("/numbers", text, channel=OPS)
    view = await stage.sam.wait_for_view(lambda view: "🚫" in stage.read(view))

    assert [number for number in ("+13035550000", "+13035550001") if number not in stage.read(view)] == []


@pytest.mark.parametrize("word", ["update", "values", "status"])
async def test_a_list_that_no_form_holds_is_given_back_whole(stage: Stage, word: str) -> None:
    """A form with the beginning of a list would pass for all of it, so none opens."""
    numbers = [f"+1303{number:07}" for number in range(2000000, 2005000)]

    await stage.ana.command("/numbers", f"{word} {','.join(numbers)}", channel=OPS)
    view = await stage.ana.wait_for_view(lambda view: view.callback_id == "notice")
    shown = stage.read(view)

    assert "more than the 20 boxes of the form can hold" in shown
    assert [number for number in numbers if number not in shown] == []


async def test_a_command_that_is_refused_gives_its_list_back(stage: Stage) -> None:
    """A list in a command that its author may not give stands below the refusal."""
    said = await stage.command("freeze these went wrong: +13035550000 +13035550001", by=stage.ana)

    assert "may not" in said
    assert "these went wrong: +13035550000 +13035550001" in said


async def test_a_long_list_in_a_refused_command_is_given_back_in_several_messages(stage: Stage) -> None:
    """One message would be too long for Slack, and its author would neither get the list nor learn why."""
    numbers = [f"+1303{number:07}" for number in range(2000000, 2002000)]

    await stage.ana.command("/numbers", f"freeze these went wrong: {', '.join(numbers)}", channel=OPS)
    await stage.slack.wait_for(
        lambda: numbers[-1] in "".join(map(stage.read, stage.slack.ephemerals("U0ANA"))), what="the end of the list"
    )
    said = "".join(map(stage.read, stage.slack.ephemerals("U0ANA")))

    assert "may not" in said
    assert [number for number in numbers if number not in said] == []
    assert stage.slack.complaints == []


async def test_the_brake_works_whatever_is_pasted_behind_it(stage: Stage) -> None:
    """A list of numbers in the reason of a freeze is a part of the reason."""
    said = await stage.command("freeze\u00a0 these went wrong: +13035550000 +13035550001", by=stage.otto)

    assert "Submissions are frozen" in said
    await stage.command("unfreeze", by=stage.otto)
