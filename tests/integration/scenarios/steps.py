"""Moves that many scenarios make, one after the other."""

from __future__ import annotations

from typing import Final

from bot.sandbox.slack import Message, View
from tests.integration.scenarios.stage import Stage

#: The buttons of a request for approval that waits for a decision.
TO_DECIDE: Final = ["approve", "approve_with_comment", "reject", "ask_for_changes", "details"]


async def card_says(stage: Stage, change: int, *words: str) -> None:
    """Wait until the card says all of ``words``; there may be work left."""
    await stage.slack.wait_for(
        lambda: all(word in stage.read(stage.card(change)) for word in words), what=f"{words} on CHG-{change}'s card"
    )


async def card_after(stage: Stage, change: int, word: str) -> Message:
    """Return the card once it says ``word`` and nothing is left to do."""
    await card_says(stage, change, word)
    await stage.quiet()
    return stage.card(change)


async def edit(stage: Stage) -> View:
    """Press Edit on what was planned, and return the form that comes back."""
    await stage.ana.click("edit")
    return await stage.ana.wait_for_view(lambda view: view.callback_id == "change_form")


async def run_form(stage: Stage) -> int:
    """Take the change that the form describes through approval to its end, and return its number."""
    await stage.send()
    await stage.planned()
    return await carried_out(stage)


async def carried_out(stage: Stage) -> int:
    """Take the plan that is shown through approval to its end, and return the number of the change."""
    change = await stage.request()
    await stage.approve(change)
    await stage.ended(change)
    return change


async def reject(stage: Stage, change: int) -> None:
    """Have Max reject a change."""
    await stage.max.click("reject", message=stage.request_card(change))
    await stage.max.wait_for_view(lambda view: view.callback_id == "rejection")
    await stage.max.type("why", "Not today.")
    await stage.max.submit()


async def ask_for_three_jobs(stage: Stage) -> int:
    """Ask for a change that needs three jobs, where Telnyx has a slot for one."""
    for index in range(3):
        forwarding: dict[str, object] = {
            "call_forwarding": {"forwards_to": f"+1720555000{index}", "forwarding_type": "always"}
        }
        stage.telnyx.add_number(f"+1303555000{index}", voice=forwarding)
    stage.telnyx.other_jobs(19, "update_phone_numbers")
    stage.telnyx.job_seconds = 60
    numbers = [number.phone_number for number in stage.telnyx.numbers.values()]
    return await stage.ask(numbers, {"voice.call_forwarding.forwarding_type": "on-failure"})
