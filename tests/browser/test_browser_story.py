"""The whole story in a browser."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from playwright.async_api import Locator, Page, expect

from tests.browser.pane import NUMBERS, REASON, Pane

HOSTILE = "<img src=x onerror=alert(1)> <script>alert(2)</script> *no* <!channel>"


class Camera:
    """Takes the README's pictures, when somebody wants them."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    async def take(self, shown: Page | Locator, name: str) -> None:
        """Keep a picture of the page or of a part of it."""
        if self._folder is not None:
            await shown.screenshot(path=self._folder / f"{name}.png")


async def test_the_whole_story_by_clicking_and_typing(
    page: Page, requester: Pane, manager: Pane, pictures: Path | None
) -> None:
    """From the guide's first step to a retry and an undo; every number is accounted for, and none is changed twice."""
    camera = Camera(pictures)
    steps = page.get_by_role("region", name="Your first minute").get_by_role("listitem")
    await expect(steps.get_by_label("To do")).to_have_count(3)

    await correct_the_form(requester)
    await expect(steps.nth(0).get_by_label("Done")).to_be_visible()
    await camera.take(requester.all, "form")
    await look_at_the_plan(requester, camera)
    await requester.request()
    await expect(steps.nth(1).get_by_label("Done")).to_be_visible()
    await manager.messages.get_by_role("button", name="Approve", exact=True).wait_for()
    await camera.take(manager.all, "request")
    await find_it_at_home(manager, camera)
    await refuse_self_approval(requester, manager)
    await manager.press("Approve", yes="Approve")
    await expect(steps.nth(2).get_by_label("Done")).to_be_visible()
    await follow_the_card(page, requester, manager, camera)
    await take_the_results_home(page, requester, camera)
    await retry(requester, manager)
    await undo(requester, manager)

    await manager.visit("Home")
    await expect(manager.all.get_by_role("region", name="Home tab")).to_contain_text("CHG-2 · ⚠️ Partly failed")
    await page.get_by_role("tab", name="Numbers").click()
    await expect(page.locator(".provider details.changed")).to_have_count(1)
    counts = page.get_by_role("list", name="own records")
    await expect(counts).to_contain_text(re.compile(r"0 doubled\s*0 lost"))


async def test_changes_are_asked_for_and_made(page: Page, requester: Pane, manager: Pane) -> None:
    """The manager says what should be different, the form comes back filled in, and one card leads to the end."""
    await requester.fill_the_form()
    await requester.press_in_modal("Preview")
    await requester.request()
    await manager.press("Ask for changes…")
    await manager.fill("What should be different?", "Leave out all but the first one.")
    await manager.press_in_modal("Ask for changes")
    await expect(manager.modal).to_contain_text("You asked for changes to CHG-1.")
    await manager.press_in_modal("Close")
    card = requester.message("CHG-1 · Telnyx: Update settings")
    await expect(card).to_contain_text("Changes requested")
    await expect(manager.messages.get_by_role("button", name="Approve", exact=True)).to_have_count(0)

    await card.get_by_role("button", name="Edit", exact=True).click()
    await expect(requester.modal).to_contain_text("asks for changes: Leave out all but the first one.")
    await expect(requester.modal.get_by_role("textbox", name="Numbers")).to_have_value("\n".join(NUMBERS))
    await requester.fill("Numbers", NUMBERS[0])
    await requester.press_in_modal("Preview")
    await expect(requester.modal).to_contain_text("This becomes the plan of CHG-1.")
    await requester.request()
    await manager.press("Approve", yes="Approve")

    await expect(card).to_contain_text("1 of 1: @Max approved")
    await expect(requester.message(re.compile("CHG-"))).to_have_count(1)
    counts = page.get_by_role("list", name="own records")
    await expect(counts).to_contain_text(re.compile(r"1 changed\s*1 approved\s*0 doubled\s*0 lost"))


async def correct_the_form(requester: Pane) -> None:
    """Mistype a number and forget the reason: both are said at their fields, in words that are read with them."""
    await requester.fill_the_form((*NUMBERS[:-1], NUMBERS[-1][:-1]))
    await requester.press_in_modal("Preview")
    numbers = requester.modal.get_by_role("textbox", name="Numbers")
    await expect(numbers).to_have_attribute("aria-invalid", "true")
    await expect(numbers).to_be_focused()
    await expect(numbers).to_have_accessible_description(re.compile(re.escape(NUMBERS[-1][:-1])))
    await numbers.fill("\n".join(NUMBERS))
    await requester.fill("Reason", "")
    await requester.press_in_modal("Preview")
    reason = requester.modal.get_by_role("textbox", name="Reason")
    await expect(reason).to_have_accessible_description(re.compile("Please complete this required field"))
    await reason.fill(REASON)
    await requester.choose("Settings to change", "Connection")
    await requester.choose("Connection", "Denver PBX")
    await requester.modal.get_by_role("combobox", name="Settings to change").scroll_into_view_if_needed()


async def look_at_the_plan(requester: Pane, camera: Camera) -> None:
    """See what is going to change before anybody decides."""
    await requester.press_in_modal("Preview")
    await expect(requester.modal.get_by_text("Nothing is changed until somebody approves")).to_be_visible()
    await expect(requester.modal).to_contain_text("dallas → denver")
    await camera.take(requester.all, "preview")


async def find_it_at_home(manager: Pane, camera: Camera) -> None:
    """See on the Home tab what waits for oneself, with its buttons, and go back to the channel."""
    await manager.visit("Home")
    home = manager.all.get_by_role("region", name="Home tab")
    await expect(home.get_by_role("button", name="Approve", exact=True)).to_be_visible()
    await camera.take(manager.all, "home")
    await manager.visit("#number-approvals")


async def refuse_self_approval(requester: Pane, manager: Pane) -> None:
    """Try to approve one's own change: nobody else reads the refusal."""
    await requester.visit("#number-approvals")
    await requester.press("Approve", yes="Approve")
    refused = requester.message("Only visible to you")
    await expect(refused).to_contain_text("You requested this change, so somebody else must approve it.")
    await expect(manager.message("You requested this change")).to_have_count(0)
    await requester.visit("#number-ops")


async def follow_the_card(page: Page, requester: Pane, manager: Pane, camera: Camera) -> None:
    """See the card move, the job at the provider, and the failures where they are reported."""
    await page.get_by_role("tab", name="Jobs").click()
    card = requester.message("CHG-1 · Telnyx: Update settings")
    await expect(card).to_contain_text(re.compile(r"Running.*[1-9]\d* of 40", re.DOTALL))
    await camera.take(page, "progress")
    await expect(card).to_contain_text("Partly failed")
    await expect(card).to_contain_text("38 verified · 2 failed")
    await expect(manager.all.get_by_role("button", name="#number-failures 1 new")).to_be_visible()


async def take_the_results_home(page: Page, requester: Pane, camera: Camera) -> None:
    """Open the thread, look into the sheet and download it."""
    await requester.message("CHG-1 ·").get_by_role("button", name="5 replies").click()
    await requester.messages.get_by_role("button", name="Preview CHG-1-results.csv").click()
    preview = requester.all.get_by_role("region", name="Preview of CHG-1-results.csv")
    await expect(preview.get_by_role("row").nth(1)).to_contain_text("verified")
    await camera.take(requester.all, "results")
    async with page.expect_download() as download:
        await requester.messages.get_by_role("link", name="Download CHG-1-results.csv").click()
    sheet = await (await download.value).path()
    rows = (await asyncio.to_thread(sheet.read_text, encoding="utf-8-sig")).splitlines()
    assert len(rows) == 1 + len(NUMBERS)
    await requester.all.get_by_role("button", name="← #number-ops").click()


async def retry(requester: Pane, manager: Pane) -> None:
    """Ask again for what failed, with a reason that would like to be more than text; one failure was an accident."""
    await requester.press("Retry failed")
    await expect(requester.modal).to_contain_text("Retry of CHG-1")
    await requester.fill("Reason", HOSTILE)
    await requester.press_in_modal("Preview")
    await requester.request()
    await manager.press("Approve", yes="Approve")
    retried = requester.message("CHG-2 · Telnyx: Update settings")
    await expect(retried).to_contain_text("1 verified · 1 failed")
    await expect(retried).to_contain_text(HOSTILE)


async def undo(requester: Pane, manager: Pane) -> None:
    """Give all numbers back what they had before."""
    await requester.message("CHG-1 · Telnyx").get_by_role("button", name="Undo").click()
    await expect(requester.modal).to_contain_text("the value from before CHG-1")
    await requester.request()
    await manager.press("Approve", yes="Approve")
    await expect(requester.message("CHG-3 · Telnyx: Update settings")).to_contain_text("38 verified · 0 failed")
