"""Whoever clicks is answered, wherever they can be reached, and no modal waits for something that does not come."""

from __future__ import annotations

import pytest

from bot.sandbox.slack import SlackUser
from bot.slack import modals
from bot.slack.click_runner import STOPPED
from tests.integration.scenarios.stage import OPS, Stage
from tests.integration.scenarios.steps import card_after, edit

ONE = "+13035550000"


def said_to(stage: Stage, person: SlackUser) -> str:
    """Return all that only this person was told, below commands and cards and in their direct message."""
    place = stage.slack.direct_message(person.id)
    return "\n".join(stage.read(each) for each in [*stage.slack.ephemerals(person.id), *stage.slack.messages(place)])


def answered_updates(stage: Stage) -> list[object]:
    """Return the calls that put something into a modal and have their answer."""
    return [call for call in stage.slack.calls if call.method == "views.update" and call.status]


async def test_nothing_covers_a_plan_that_was_made_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """However late Slack takes the word that planning goes on, it does not stand where the plan was shown already."""
    monkeypatch.setattr(modals, "ACK_APPLIED", 0.0)
    await stage.propose(ONE)
    stage.telnyx.add_number(ONE)
    stage.slack.faults.add(
        method="views.update", kind="delay", seconds=0.8, where=lambda call: "is being planned" in str(call.get("view"))
    )

    await stage.ana.click("plan_again")
    await stage.ana.wait_for_view(lambda view: "Needs 1 approval" in stage.read(view))
    await stage.slack.wait_for(lambda: all(call.status for call in stage.slack.calls), what="every call to be answered")
    await stage.quiet()

    assert "Needs 1 approval" in stage.modal()


@pytest.mark.parametrize("way", ["command", "edit"])
async def test_a_form_that_is_shown_again_takes_away_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Whether Slack took the form is not known, so it is shown once more; by then somebody has gone on in it."""
    monkeypatch.setattr(modals, "PAUSES", (3.0,))
    if way == "edit":
        await stage.propose(ONE)
    stage.slack.faults.add(method="views.update", kind="status", status=500, effect_first=True)

    await (edit(stage) if way == "edit" else stage.open())
    await stage.choose(["tags"])
    await stage.set("tags", "moved")
    shown = len(answered_updates(stage))
    await stage.slack.wait_for(lambda: len(answered_updates(stage)) > shown)

    assert stage.ana.view is not None
    assert "moved" in str(stage.ana.view.values)


async def test_a_form_that_slack_did_not_take_is_shown_at_the_second_try(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first try got no answer and was not carried out; in the modal there is still what Ana clicked in."""
    monkeypatch.setattr(modals, "PAUSES", (0.1,))
    await stage.propose(ONE)
    stage.slack.faults.add(method="views.update", kind="status", status=500)

    assert (await edit(stage)).callback_id == "change_form"


async def test_a_plan_that_was_made_from_a_card_can_be_edited(stage: Stage) -> None:
    """The plan stands in a window that was opened for it; Edit puts the form there."""
    number = stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    number.customer_reference = "Somebody"
    await stage.approve(change)
    await card_after(stage, change, "Stale")

    await stage.ana.click("plan_again", message=stage.card(change))
    await stage.planned()

    assert (await edit(stage)).callback_id == "change_form"


async def test_a_plan_that_slack_does_not_take_is_not_waited_for(stage: Stage) -> None:
    """The modal says so, and the way to another plan is there."""
    stage.telnyx.add_number(ONE)
    stage.slack.faults.add(
        method="views.update",
        kind="error",
        error="view_too_large",
        where=lambda call: "Request approval" in str(call.get("view")),
    )

    await stage.open()
    await stage.fill(ONE, {"customer_reference": "Denver"}, "Because")
    await stage.send()
    await stage.ana.wait_for_view(lambda view: "refused to show the plan of CHG-1" in stage.read(view))
    await stage.ana.click("plan_again")

    await stage.ana.wait_for_view(lambda view: "Needs 1 approval" in stage.read(view))


async def test_who_waits_when_linesman_is_stopped_is_told(stage: Stage) -> None:
    """A form that will not come any more is not waited for."""
    held = stage.slack.faults.add(method="views.update", kind="delay", seconds=5)
    await stage.ana.command("/numbers", "update", channel=OPS)
    await stage.slack.wait_for(lambda: held.fired, what="a call that hangs")

    await stage.stop()

    assert STOPPED.replace("`", "") in said_to(stage, stage.ana).replace("`", "")


async def test_an_answer_that_the_channel_does_not_take_comes_in_a_direct_message(stage: Stage) -> None:
    """An approval is answered although its response address fails and the bot may not say it in the channel."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    stage.slack.faults.add(method="response_url", kind="drop_before")
    stage.slack.faults.add(method="chat.postEphemeral", kind="error", error="user_not_in_channel")

    await stage.max.click("approve", message=stage.request_card(change))

    await stage.slack.wait_for(
        lambda: "That was the last approval needed: CHG-1 starts" in said_to(stage, stage.max), what="an answer to Max"
    )


async def test_who_cannot_be_answered_in_the_modal_is_told_beside_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A modal that takes nothing any more leaves nobody without a word."""
    monkeypatch.setattr(modals, "PAUSES", (0.0, 0.0, 0.0))
    await stage.propose(ONE)
    stage.slack.faults.add(method="views.update", kind="error", times=1000)

    await stage.ana.click("edit")

    await stage.slack.wait_for(lambda: "Slack had an internal error" in said_to(stage, stage.ana), what="a word to Ana")


async def test_a_button_that_carries_nonsense_loses_no_ack(stage: Stage) -> None:
    """A fault in the same moment as the ack would lose it; it is met after the ack, and told."""
    stage.telnyx.add_number(ONE)
    change = await stage.run(ONE)
    seen = stage.card(change).snapshot()
    rows = [row for row in seen.blocks if row["type"] == "actions"]
    for button in (each for row in rows for each in row["elements"]):
        button["value"] = "nonsense"

    said = await stage.answered(stage.ana, stage.ana.click("undo", message=seen))

    assert "Linesman had an internal error" in said
