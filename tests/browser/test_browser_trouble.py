"""What goes wrong in a browser: the bot is killed, a provider misbehaves, and people may not."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.browser.pane import Pane


async def test_a_killed_bot_and_a_silent_provider_lose_nothing(page: Page, requester: Pane, manager: Pane) -> None:
    """The bot is killed while a job runs whose creation was never answered; what is half typed stays as well."""
    await requester.fill_the_form()
    await requester.press_in_modal("Preview")
    await requester.request()
    await page.get_by_text("Make trouble").click()
    lost = page.get_by_role("switch", name="Answers are lost")
    await lost.click()
    await expect(lost).to_be_checked()
    await manager.press("Approve", yes="Approve")
    await page.get_by_role("tab", name="Jobs").click()
    await expect(page.get_by_role("progressbar")).to_be_visible()

    box = requester.all.get_by_role("textbox", name="Message #number-ops")
    await box.press_sequentially("Max, is it do")
    await page.get_by_role("button", name="Kill and restart the bot").click()
    await expect(page.get_by_text("start 2")).to_be_visible()
    await lost.click()
    await expect(requester.message("CHG-1 ·")).to_contain_text("38 verified · 2 failed")
    await box.press_sequentially("ne?")

    await expect(box).to_have_value("Max, is it done?")
    await expect(page.get_by_role("progressbar")).to_have_count(1)
    counts = page.get_by_role("list", name="own records")
    await expect(counts).to_contain_text(re.compile(r"38 changed\s*40 approved\s*0 doubled\s*0 lost"))


async def test_a_file_that_is_too_large_is_refused_in_a_sentence(page: Page, requester: Pane) -> None:
    """It is not sent, so the page stays open, and a smaller one can be sent instead, before it has been read."""
    large = {"name": "all.csv", "mimeType": "text/csv", "buffer": b"x" * 13_000_000}
    attach = requester.all.get_by_label("Attach files")
    await attach.set_input_files([large])  # type: ignore[list-item]
    await requester.all.get_by_role("button", name="Send").click()
    await expect(requester.all.get_by_role("alert")).to_contain_text("too much for the sandbox")
    await requester.all.get_by_role("button", name="Remove all.csv").click()
    await page.evaluate(
        """() => {
            const read = FileReader.prototype.readAsDataURL;
            FileReader.prototype.readAsDataURL = function (file) { setTimeout(() => read.call(this, file), 1000); };
        }"""
    )
    await attach.set_input_files([{**large, "buffer": b"x" * 11_000_000}])  # type: ignore[list-item]
    await requester.all.get_by_role("button", name="Send").click()

    await expect(requester.message("11,000 kB")).to_be_visible()
    await expect(requester.all.get_by_role("button", name="Remove all.csv")).to_have_count(0)


async def test_what_a_dead_bot_does_not_answer_is_said_where_it_was_tried(page: Page, requester: Pane) -> None:
    """Somebody who types a command while Slack cannot reach the bot reads so, and has the command back."""
    await page.get_by_text("Make trouble").click()
    await page.get_by_role("switch", name="Slack is down").click()
    await requester.say("/numbers help")

    await expect(requester.all.get_by_role("alert")).to_contain_text("/numbers failed with the error “dispatch_failed”")
    await expect(requester.all.get_by_role("textbox", name="Message #number-ops")).to_have_value("/numbers help")


async def test_everybody_sees_only_what_is_theirs(requester: Pane, manager: Pane) -> None:
    """A guest and a stranger are refused, each in a modal of their own, and see the channels that they are in."""
    await requester.act_as("Gus (guest)")
    await requester.say("/numbers update +13035550100")
    await expect(requester.modal).to_contain_text("Guests of this workspace may not request changes.")
    await requester.press_in_modal("Close")
    await requester.act_as("Sam (stranger)")
    channels = requester.all.get_by_role("navigation").get_by_role("button")
    await expect(channels).to_have_text(["#number-ops", "⌂ Home"])
    await requester.say("/numbers update")
    await expect(requester.modal).to_contain_text("may not")
    await expect(manager.modal).to_have_count(0)
    await requester.press_in_modal("Close")
    await requester.act_as("Mia (manager)")
    await expect(channels.filter(has_text="#number-failures")).to_be_visible()
