"""One pane of the page, as somebody uses it: by clicking and typing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from playwright.async_api import Locator, Page, expect

#: The numbers of the guide: all of the Dallas office.
NUMBERS = tuple(f"+1303555{number:04d}" for number in range(100, 140))
REASON = "The Dallas PBX closes on Friday."


class Pane:
    """Somebody's Slack."""

    def __init__(self, page: Page, label: str) -> None:
        self.page = page
        self.all = page.get_by_role("region", name=re.compile(f"^{label}: "))
        #: The modal on top.
        self.modal = self.all.locator(".veil:not(.under)").get_by_role("dialog")
        self.question = self.all.get_by_role("alertdialog")
        self.messages = self.all.get_by_role("list", name="Messages in")

    async def act_as(self, name: str) -> None:
        """Be somebody else. What is typed before the pane is theirs would be typed by who was there before."""
        await self.all.get_by_label("acting as").select_option(label=name)
        await expect(self.all).to_have_attribute("aria-label", re.compile(rf": {name.split(maxsplit=1)[0]}.s Slack$"))

    async def visit(self, channel: str) -> None:
        """Open a channel, or Home."""
        button = self.all.get_by_role("navigation").get_by_role("button", name=channel)
        await button.click()
        await expect(button).to_have_attribute("aria-current", "page")

    async def say(self, text: str) -> None:
        """Write a message or a command, and send it."""
        box = self.all.get_by_role("textbox", name="Message ")
        await box.fill(text)
        await box.press("Enter")

    async def press(self, name: str, *, yes: str = "") -> None:
        """Press a button of a message, the last one of that name, and answer its question."""
        await self.messages.get_by_role("button", name=name, exact=True).last.click()
        if yes:
            await self.question.get_by_role("button", name=yes, exact=True).click()

    async def press_in_modal(self, name: str) -> None:
        """Press a button below a modal."""
        await self.modal.locator("footer").get_by_role("button", name=name, exact=True).click()

    async def fill(self, label: str, text: str) -> None:
        """Type into a field of the modal."""
        await self.modal.get_by_role("textbox", name=label).fill(text)

    async def choose(self, label: str, *options: str) -> None:
        """Choose from a menu of the modal, searching for each."""
        box = self.modal.get_by_role("combobox", name=label)
        for option in options:
            await box.click()
            await box.press_sequentially(option)
            await self.modal.get_by_role("option", name=option).first.click()
        await box.press("Tab")

    async def fill_the_form(self, numbers: Sequence[str] = NUMBERS, reason: str = REASON) -> None:
        """Open the form and say what the guide wants."""
        await self.say("/numbers update")
        await self.fill("Numbers", "\n".join(numbers))
        await self.choose("Settings to change", "Tags")
        await self.fill("Tags", "denver")
        await self.fill("Reason", reason)

    async def request(self) -> None:
        """Ask for approval of the plan in the modal; the notice that says so is closed."""
        await self.press_in_modal("Request approval")
        await expect(self.modal.get_by_text("Awaiting approval")).to_be_visible()
        await self.press_in_modal("Close")

    def message(self, words: str | re.Pattern[str]) -> Locator:
        """Return the messages that contain some words."""
        return self.messages.get_by_role("article").filter(has_text=words)
