"""Everybody can use the page: with a keyboard alone, with a screen reader, in either scheme, on a small screen."""

from __future__ import annotations

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Locator, Page, expect

from bot.sandbox.page.sandbox import Sandbox
from tests.browser.pane import NUMBERS, REASON, Pane

SMALL = {"width": 400, "height": 800}

#: Types text into a box and presses a key while nothing is drawn in between, as on a machine that is busy.
TYPED_AT_ONCE = """(box, [text, key]) => {
    box.focus();
    box.value = text;
    box.dispatchEvent(new InputEvent("input", {bubbles: true}));
    box.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
}"""


async def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until something has the focus; it has to come before everything has had it twice."""
    for _ in range(120):
        if await wanted.evaluate_all("found => found.includes(document.activeElement)"):
            return
        await page.keyboard.press("Tab")
    pytest.fail(f"{wanted} cannot be reached with Tab")


async def test_the_focus_goes_into_a_form_that_loads(sandbox: Sandbox, page: Page, requester: Pane) -> None:
    """However long the window says that it loads, the keyboard is in its first field once there is one."""
    sandbox.slack.faults.add(method="views.update", kind="delay", seconds=5)
    await requester.all.get_by_role("textbox", name="Message #number-ops").fill("/numbers update")
    await page.keyboard.press("Enter")
    await expect(requester.modal).to_be_focused()
    await expect(requester.modal).to_contain_text("Loading")

    await expect(requester.modal.get_by_role("combobox", name="What to change")).to_be_focused()


async def test_the_first_minute_with_a_keyboard_alone(page: Page, requester: Pane, manager: Pane) -> None:
    """Command, form, menu, preview, request, approval: the focus goes where the next thing is."""
    keyboard = page.keyboard
    await tab_to(page, requester.all.get_by_role("textbox", name="Message #number-ops"))
    await keyboard.type("/numbers upd")
    await expect(requester.all.get_by_role("option", name="/numbers update")).to_be_visible()
    await keyboard.press("Tab")
    await keyboard.press("Enter")
    await expect(requester.modal.get_by_role("combobox", name="What to change")).to_be_focused()

    await tab_to(page, requester.modal.get_by_role("textbox", name="Numbers"))
    await keyboard.insert_text("\n".join(NUMBERS))
    await tab_to(page, requester.modal.get_by_role("combobox", name="Settings to change"))
    await keyboard.type("tag")
    await keyboard.press("Enter")
    await keyboard.press("Escape")
    await requester.modal.get_by_role("textbox", name="Tags").wait_for()
    await tab_to(page, requester.modal.get_by_role("textbox", name="Tags"))
    await keyboard.type("denver")
    await tab_to(page, requester.modal.get_by_role("textbox", name="Reason"))
    await keyboard.type(REASON)
    await tab_to(page, requester.modal.get_by_role("button", name="Preview"))
    await keyboard.press("Tab")
    await expect(requester.modal.get_by_role("button", name="Close")).to_be_focused()
    await keyboard.press("Shift+Tab")
    await keyboard.press("Enter")

    await requester.modal.get_by_role("button", name="Request approval").wait_for()
    await keyboard.press("Control+Enter")
    await requester.modal.get_by_text("Awaiting approval").wait_for()
    await keyboard.press("Escape")
    await expect(requester.modal).to_have_count(0)
    await expect(requester.all.get_by_role("textbox", name="Message #number-ops")).to_be_focused()

    await keyboard.press("F6")
    await tab_to(page, manager.messages.get_by_role("button", name="Approve", exact=True))
    await keyboard.press("Enter")
    await expect(manager.question.get_by_role("button", name="Approve")).to_be_focused()
    await keyboard.press("Enter")
    steps = page.get_by_role("region", name="Your first minute").get_by_role("listitem")
    await expect(steps.get_by_label("Done")).to_have_count(3)
    await expect(page.get_by_role("log")).to_contain_text("Only Max sees this: Approved.")


async def test_keys_that_come_faster_than_the_page_is_drawn_are_understood(page: Page, requester: Pane) -> None:
    """A word and Enter within one frame choose what the word means, in a menu and among the commands."""
    await requester.all.get_by_role("textbox", name="Message #number-ops").evaluate(
        TYPED_AT_ONCE, ["/numbers upd", "Tab"]
    )
    await page.keyboard.press("Enter")
    await expect(requester.modal.get_by_role("combobox", name="What to change")).to_be_focused()

    await requester.modal.get_by_role("combobox", name="Settings to change").evaluate(TYPED_AT_ONCE, ["tag", "Enter"])

    await expect(requester.modal.get_by_role("textbox", name="Tags")).to_be_visible()


@pytest.mark.parametrize(
    "look",
    [{"color_scheme": "light"}, {"color_scheme": "dark"}, {"color_scheme": "dark", "viewport": SMALL}],
    ids=["light", "dark", "small"],
)
async def test_axe_finds_nothing_to_mend(page: Page, requester: Pane) -> None:
    """Labels, roles and contrast: with a modal, its menu and an error open, with messages, and with the provider."""
    axe = Axe()
    await requester.say("/numbers update")
    await requester.press_in_modal("Preview")
    await requester.modal.get_by_text("Please complete this required field").wait_for()
    await requester.modal.get_by_role("combobox", name="Settings to change").click()
    await requester.modal.get_by_role("option", name="Tags").wait_for()
    found = [(await axe.run(page)).generate_report()]
    await requester.press_in_modal("Cancel")
    await requester.say("/numbers help")
    await requester.message("Only visible to you").wait_for()
    await requester.say("How many are *left*?")
    await requester.message("How many are left?").get_by_role("button", name="More actions").click()
    found.append((await axe.run(page)).generate_report())
    small = page.get_by_role("tablist", name="Panes").get_by_role("tab", name="Provider")
    if await small.is_visible():
        await small.click()
    await page.get_by_text("Make trouble").click()
    await page.locator("#provider").get_by_text("+13035550100").click()
    found.append((await axe.run(page)).generate_report())

    assert [each for each in found if not each.startswith("Found 0 accessibility violations")] == []


@pytest.mark.parametrize("look", [{"viewport": SMALL}], ids=["small"])
async def test_a_small_screen_shows_one_pane_at_a_time(page: Page, requester: Pane, manager: Pane) -> None:
    """At 400 pixels the panes are tabs, nothing is cut off at the side, and the form can be filled."""
    await requester.fill_the_form()
    await requester.press_in_modal("Preview")
    await requester.request()
    await expect(manager.all).to_be_hidden()
    await page.get_by_role("tablist", name="Panes").get_by_role("tab", name="Manager").click()
    await manager.press("Details")
    await manager.modal.get_by_text("Before and after, for example").wait_for()

    await expect(requester.all).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth") == SMALL["width"]


@pytest.mark.parametrize("look", [{"viewport": SMALL}], ids=["small"])
async def test_a_small_screen_shows_the_step_that_is_next(page: Page, requester: Pane, manager: Pane) -> None:
    """One step at a time is enough to follow; when all are done it says so, and not nothing."""
    steps = page.get_by_role("region", name="Your first minute").locator("li:visible")
    await expect(steps).to_have_count(1)
    await requester.fill_the_form()
    await requester.press_in_modal("Preview")
    await requester.request()
    await page.get_by_role("tablist", name="Panes").get_by_role("tab", name="Manager").click()
    await expect(steps).to_contain_text("Approve as Max")
    await manager.press("Approve", yes="Approve")

    await expect(steps.get_by_label("Done")).to_have_count(3)


async def test_what_is_chosen_does_not_run_into_the_cross_that_clears_it(requester: Pane) -> None:
    """A long option is cut off where the cross begins."""
    await requester.say("/numbers emergency")
    box = requester.modal.get_by_role("combobox", name="Emergency address")
    await box.click()
    await box.press_sequentially("1600")
    await requester.modal.get_by_role("option", name="1600 Broadway").click()
    cross = await requester.modal.get_by_role("button", name="Clear").bounding_box()
    ends = await box.evaluate(
        "box => box.getBoundingClientRect().right - parseFloat(getComputedStyle(box).paddingRight)"
    )

    assert cross is not None
    assert ends <= cross["x"]
