"""A sandbox and a browser that looks at it, for each test."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page, async_playwright, expect

from bot.commands.sandbox import declared_commands, declared_shortcuts
from bot.sandbox.page.sandbox import Sandbox
from bot.sandbox.slack import Deadlines
from tests.browser.pane import Pane

#: Milliseconds that anything may take that has to appear: a busy machine is slow, and only a fault waits for so long.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return where Chromium is. Without one the test is skipped; where one is required, it fails."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None and "BROWSER_REQUIRED" in os.environ:
        pytest.fail("BROWSER_REQUIRED is set, so the tests in a browser have to run, and there is no Chromium")
    if found is None:
        pytest.skip("there is no Chromium: install it (Debian: apt-get install chromium)")
    return found


@pytest.fixture
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have one browser at a time: several at once leave a small machine no time for the other tests."""
    with (tmp_path_factory.getbasetemp().parent / "browser.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
async def sandbox(chromium: str, turn: None) -> AsyncIterator[Sandbox]:  # noqa: ARG001 - asked for first
    """Run the whole sandbox, with the bot as a process of its own. A busy machine is no reason to give the bot up."""
    async with Sandbox(shortcuts=declared_shortcuts(), commands=declared_commands()) as running:
        running.slack.workspace.deadlines = Deadlines(ack=PATIENCE / 1000, trigger=PATIENCE / 1000)
        yield running


@pytest.fixture
def look() -> dict[str, object]:
    """Return how the browser is: Playwright's options of a context. A test may ask for another one."""
    return {}


@pytest.fixture
def complaints() -> list[str]:
    """Return what the page threw or wrote to its console as an error; what is left in it fails the test."""
    return []


@pytest.fixture
async def context(
    chromium: str, sandbox: Sandbox, look: dict[str, object], complaints: list[str]
) -> AsyncIterator[BrowserContext]:
    """Run a browser."""
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = await playwright.chromium.launch(executable_path=chromium, args=arguments)
        usual = {
            "viewport": {"width": 1280, "height": 800},
            "timezone_id": "America/Denver",
            "reduced_motion": "reduce",
        }
        context = await browser.new_context(**{**usual, **look})  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        context.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        yield context
        await context.close()
        await browser.close()
    assert complaints == [], f"the page at {sandbox.url} has errors"


@pytest.fixture
async def page(context: BrowserContext, sandbox: Sandbox) -> Page:
    """Return the page, with the bot at work."""
    page = await context.new_page()
    await page.goto(sandbox.url)
    await page.get_by_text("Bot is running").wait_for()
    return page


@pytest.fixture
def requester(page: Page) -> Pane:
    """Return the pane of the requester, who is Ana."""
    return Pane(page, "Requester")


@pytest.fixture
def manager(page: Page) -> Pane:
    """Return the pane of the manager, who is Max."""
    return Pane(page, "Manager")


@pytest.fixture
def pictures() -> Path | None:
    """Return the folder for the README's pictures, or None: nobody wants any."""
    folder = os.environ.get("README_PICTURES")
    return Path(folder) if folder else None
