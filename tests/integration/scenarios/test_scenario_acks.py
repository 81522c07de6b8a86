"""Slack applies what an ack shows up to three seconds after the click: the last word wins all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.slack import SlackUser
from bot.slack import click_runner, listeners, modals
from tests.integration.scenarios.house import Clock
from tests.integration.scenarios.stage import OPS, Stage
from tests.integration.scenarios.steps import card_says
from tests.integration.scenarios.test_scenario_templates import ask_name
from tests.integration.scenarios.test_scenario_undecidable import notice, unreadable

ONE = "+13035550000"


@pytest.fixture
async def stage(idle: Stage) -> Stage:
    """Set the stage with a bot whose time is the real one, as the time of the acks is."""
    idle.clock = Clock(rate=1.0)
    await idle.start()
    return idle


async def form(stage: Stage) -> tuple[SlackUser, str]:
    """Fill in the form of a change."""
    stage.telnyx.add_number(ONE)
    await stage.open()
    await stage.fill(ONE, {"customer_reference": "Denver"}, "Moving")
    return stage.ana, "Numbers: 1"


async def broken_form(stage: Stage) -> tuple[SlackUser, str]:
    """Fill in the form with nonsense."""
    await stage.open()
    await stage.fill(f"{ONE}, nonsense", {"customer_reference": "Denver"}, "Moving")
    return stage.ana, "cannot be read"


async def preview(stage: Stage) -> tuple[SlackUser, str]:
    """Have a plan."""
    stage.telnyx.add_number(ONE)
    await stage.propose(ONE)
    return stage.ana, "CHG-1: "


async def approval(stage: Stage) -> tuple[SlackUser, str]:
    """Say something with an approval."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await stage.max.click("approve_with_comment", message=stage.request_card(change))
    await stage.max.wait_for_view(lambda view: view.callback_id == "approval")
    await stage.max.type("comment", "Go ahead")
    return stage.max, "That was the last approval needed"


async def approval_too_late(stage: Stage) -> tuple[SlackUser, str]:
    """Say something with an approval that somebody else has given meanwhile."""
    person, _ = await approval(stage)
    await stage.approve(1, by=stage.mia)
    await stage.ended(1)
    return person, "Go ahead"


async def rejection(stage: Stage) -> tuple[SlackUser, str]:
    """Say why a request is rejected."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await stage.max.click("reject", message=stage.request_card(change))
    await stage.max.wait_for_view(lambda view: view.callback_id == "rejection")
    await stage.max.type("why", "Not today")
    return stage.max, "You rejected CHG-1."


async def rejection_too_late(stage: Stage) -> tuple[SlackUser, str]:
    """Say why a request is rejected that somebody else has approved meanwhile."""
    person, _ = await rejection(stage)
    await stage.approve(1, by=stage.mia)
    await stage.ended(1)
    return person, "Not today"


async def changes(stage: Stage) -> tuple[SlackUser, str]:
    """Say what should be different."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await stage.max.click("ask_for_changes", message=stage.request_card(change))
    await stage.max.wait_for_view(lambda view: view.callback_id == "changes")
    await stage.max.type("what", "Not all of them")
    return stage.max, "You asked for changes to CHG-1."


async def changes_too_late(stage: Stage) -> tuple[SlackUser, str]:
    """Say what should be different about a plan that somebody else has approved meanwhile."""
    person, _ = await changes(stage)
    await stage.approve(1, by=stage.mia)
    await stage.ended(1)
    return person, "Not all of them"


async def adoption(stage: Stage) -> tuple[SlackUser, str]:
    """Name the job that a lost answer has made."""
    await unreadable(stage, made=True)
    await stage.otto.click("adopt_other", message=notice(stage))
    await stage.otto.wait_for_view(lambda view: view.callback_id == "adoption")
    await stage.otto.type("job", stage.telnyx.jobs[0].id)
    return stage.otto, "is now watched for batch 1"


async def extension(stage: Stage) -> tuple[SlackUser, str]:
    """Say until when a temporary change is to last."""
    stage.telnyx.add_number(ONE, customer_reference="Dallas")
    await stage.open()
    await stage.fill(ONE, {"customer_reference": "Holiday"}, "Closed for the holiday")
    await stage.ana.type("until", "in 4 hours")
    await stage.send()
    await stage.planned()
    change = await stage.request()
    await stage.approve(change)
    await card_says(stage, change, "In effect")
    await stage.ana.click("extend", message=stage.card(change))
    await stage.ana.wait_for_view(lambda view: view.callback_id == "extension")
    await stage.ana.type("until", "in 9 hours")
    return stage.ana, "requests approval to keep"


async def shorter_extension(stage: Stage) -> tuple[SlackUser, str]:
    """Say that a temporary change is to end earlier."""
    person, _ = await extension(stage)
    await person.type("until", "in 1 hour")
    return person, "Give a later time"


async def template(stage: Stage) -> tuple[SlackUser, str]:
    """Give a name to a change that is kept."""
    stage.telnyx.add_number(ONE)
    change = await stage.run(ONE, {"customer_reference": "Denver"}, reason="The first time")
    await ask_name(stage, change, stage.ana)
    await stage.ana.type("name", "Denver move")
    return stage.ana, "Denver move is saved"


async def taken_template(stage: Stage) -> tuple[SlackUser, str]:
    """Give a change a name that is taken, and mean to replace what has it: a modal without an input."""
    await template(stage)
    await stage.ana.submit()
    await ask_name(stage, 1, stage.ana)
    await stage.ana.type("name", "Denver move")
    await stage.ana.submit()
    await stage.ana.wait_for_view(lambda view: "Replace it?" in stage.read(view))
    return stage.ana, "Denver move is saved"


async def values(stage: Stage) -> tuple[SlackUser, str]:
    """Ask for the values of a number."""
    stage.telnyx.add_number(ONE)
    await stage.ana.command("/numbers", f"values update {ONE}", channel=OPS)
    await stage.ana.wait_for_view(lambda view: view.callback_id == "values_form")
    return stage.ana, "direct message"


async def broken_values(stage: Stage) -> tuple[SlackUser, str]:
    """Ask for the values of nonsense."""
    await stage.ana.command("/numbers", "values update nonsense", channel=OPS)
    await stage.ana.wait_for_view(lambda view: view.callback_id == "values_form")
    return stage.ana, "nonsense"


Scene = Callable[[Stage], Awaitable[tuple[SlackUser, str]]]
SCENES: dict[str, list[Scene]] = {
    "change_form": [form, broken_form],
    "preview": [preview],
    "approval": [approval, approval_too_late],
    "rejection": [rejection, rejection_too_late],
    "changes": [changes, changes_too_late],
    "adoption": [adoption],
    "extension": [extension, shorter_extension],
    "save_template": [template, taken_template],
    "values_form": [values, broken_values],
}
EACH = [pytest.param(scene, id=scene.__name__) for scenes in SCENES.values() for scene in scenes]


async def shows_at_last(stage: Stage, person: SlackUser, words: str) -> None:
    """Submit the open modal and wait until nothing can change it any more; then it says ``words``."""
    submitting = asyncio.create_task(person.submit())
    await submitting
    await stage.slack.wait_for(lambda: words in _seen(stage, person), what=f"“{words}” in the modal")
    await asyncio.sleep(modals.ACK_APPLIED + 0.5 - stage.slack.workspace.ack_lag)

    assert words in _seen(stage, person)


def _seen(stage: Stage, person: SlackUser) -> str:
    errors = person.view.errors if person.view else {}
    return " ".join([stage.modal(person), *errors.values()])


@pytest.mark.parametrize("lag", [0.5, 1.5, 2.9])
async def test_the_plan_stays_in_the_modal_whenever_the_ack_is_applied(stage: Stage, lag: float) -> None:
    """The plan is there long before the ack that says that it is being made, and is seen all the same."""
    person, words = await form(stage)
    stage.slack.workspace.ack_lag = lag

    await shows_at_last(stage, person, words)


async def test_the_plan_stays_in_the_modal_over_a_websocket(idle: Stage) -> None:
    """The same where acks travel over a WebSocket."""
    idle.clock, idle.transport = Clock(rate=1.0), "socket"
    await idle.start()
    person, words = await form(idle)
    idle.slack.workspace.ack_lag = 2.9

    await shows_at_last(idle, person, words)


async def test_the_plan_stays_in_the_modal_across_a_restart(stage: Stage) -> None:
    """A bot that is killed after the plan was shown, and before the ack covered it, shows it again."""
    person, words = await form(stage)
    stage.slack.workspace.ack_lag = 2.9
    submitting = asyncio.create_task(person.submit())
    await person.wait_for_view(lambda view: words in stage.read(view))

    await stage.crash()
    await stage.start()
    await submitting

    await person.wait_for_view(lambda view: words in stage.read(view))


@pytest.mark.parametrize("slow", [("change_form",), ("preview", "change_form")], ids=["the form", "both"])
async def test_the_plan_does_not_cover_the_form_that_it_is_edited_in(stage: Stage, slow: tuple[str, ...]) -> None:
    """Who presses Edit at once stays in the form, although the plan was to be shown once more just then.

    So it is also where Slack has shown the plan and not yet said so when Edit is pressed.
    """
    person, words = await form(stage)
    faults = [stage.slack.faults.add(**answered_late(callback)) for callback in slow]
    await person.submit()
    await person.wait_for_view(lambda view: words in stage.read(view))

    await person.click("edit")
    await person.wait_for_view(lambda view: view.callback_id == "change_form")
    await stage.slack.wait_for(lambda: all(call.status for call in stage.slack.calls), what="every answer")
    await stage.quiet()

    assert [fault.fired for fault in faults] == [1] * len(slow)
    assert person.view is not None
    assert person.view.callback_id == "change_form"


def answered_late(callback: str) -> dict[str, Any]:
    """Return the fault by which Slack shows a modal at once and says so a second later."""

    def about_it(call: dict[str, Any]) -> bool:
        return f"'callback_id': '{callback}'" in str(call.get("view"))

    return {"method": "views.update", "kind": "delay", "seconds": 1.0, "effect_first": True, "where": about_it}


@pytest.mark.parametrize("scene", EACH)
async def test_every_modal_ends_with_its_answer_when_its_ack_is_applied_late(stage: Stage, scene: Scene) -> None:
    """However late Slack applies the ack of a submission, no modal stays at what it was waiting for."""
    person, words = await scene(stage)
    stage.slack.workspace.ack_lag = 2.9

    await shows_at_last(stage, person, words)


@pytest.mark.parametrize("scene", EACH)
async def test_every_answer_that_the_ack_cannot_wait_for_comes_later(
    stage: Stage, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ack goes out before there is anything to say and is applied late, and the answer still wins."""
    person, words = await scene(stage)
    monkeypatch.setattr(click_runner, "ACK_WITHIN", 0.0)
    stage.slack.workspace.ack_lag = 2.9

    await shows_at_last(stage, person, words)


@pytest.mark.parametrize("scene", EACH)
async def test_every_modal_that_is_sent_twice_is_answered_twice(stage: Stage, scene: Scene) -> None:
    """The answer to the first may take away the input at which the second would be; Slack takes that for a fault."""
    person, _ = await scene(stage)
    stage.slack.workspace.ack_lag = 0.6
    first = asyncio.create_task(person.submit())
    await asyncio.sleep(0.3)

    second = await person.submit()

    assert [each.delivery.error for each in (await first, second)] == [None, None]
    assert stage.slack.complaints == []


async def test_an_answer_for_a_closed_modal_goes_to_the_person(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever closes the modal before the answer is there reads it in a direct message: nobody is left to guess."""
    await rejection_too_late(stage)
    monkeypatch.setattr(click_runner, "ACK_WITHIN", 0.0)

    await stage.max.submit()
    await stage.max.close()

    dm = stage.slack.workspace.direct_message("U0MAX").id
    await stage.slack.wait_for(
        lambda: any("CHG-1" in stage.read(each) for each in stage.slack.messages(dm)), what="the answer for Max"
    )


def test_every_submission_is_walked() -> None:
    """A modal that is added to the listeners and not to the scenes of this file is noticed here."""
    sources = Path(listeners.__file__).parent.glob("*.py")
    texts = [source.read_text(encoding="utf-8") for source in sources]
    registered = sum(text.count("registry.on_submit(") for text in texts)

    assert registered == len(SCENES)


FAULTS = [
    pytest.param({"kind": "error", "error": "internal_error"}, id="internal_error"),
    pytest.param({"kind": "error", "error": "fatal_error"}, id="fatal_error"),
    pytest.param({"kind": "rate_limited", "retry_after": 1}, id="429"),
    pytest.param({"kind": "malformed"}, id="html"),
    pytest.param({"kind": "status", "status": 503}, id="503"),
    pytest.param({"kind": "drop_before"}, id="no-answer"),
]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_modal_is_filled_although_slack_fails_at_first(stage: Stage, fault: dict[str, Any]) -> None:
    """The call that fills "One moment…" fails twice, and the form comes all the same."""
    stage.slack.faults.add(method="views.update", times=2, **fault)

    await stage.open()


async def test_a_modal_that_cannot_be_filled_says_so(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """When Slack does not take the form at all, neither the modal nor the person is left with "One moment…"."""
    monkeypatch.setattr(modals, "PAUSES", (0.0, 0.0, 0.0))
    stage.slack.faults.add(method="views.update", kind="error", error="internal_error", times=4)

    said = await stage.command("update")

    assert "Slack had an internal error" in said
    await stage.slack.wait_for(lambda: "Close it and try again" in stage.modal(), what="the excuse")


@pytest.mark.parametrize(
    "error", ["expired_trigger_id", "trigger_expired", "exchanged_trigger_id", "not_authed", "x_y"]
)
async def test_a_window_that_does_not_open_is_told_in_words(stage: Stage, error: str) -> None:
    """Nothing happened, do it again: that is what the person needs, and no name of an error."""
    stage.slack.faults.add(method="views.open", kind="error", error=error)

    said = await stage.command("update")

    assert "Nothing happened; try again" in said
    assert error not in said
    assert "docs" not in said


async def test_a_trigger_that_has_run_out_is_known_by_what_stands_beside_the_error(stage: Stage) -> None:
    """Slack says of some that an argument is invalid, and only a message beside it that the trigger has expired."""
    said = "[ERROR] `trigger_id` expired [json-pointer:/trigger_id]"
    stage.slack.faults.add(method="views.open", kind="error", error="invalid_arguments", messages=[said])

    assert "Linesman could not open the window within the three seconds" in await stage.command("update")


async def test_a_window_whose_opening_got_no_answer_is_found_and_filled(stage: Stage) -> None:
    """Slack opens the modal and the answer is lost: it does not stay at "One moment…"."""
    stage.slack.faults.add(method="views.open", kind="drop_after")

    await stage.open()
