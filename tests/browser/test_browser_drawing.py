"""What is drawn, and that whatever somebody writes stays text."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page, expect

from bot.sandbox.page.bot_keeper import BotKeeper
from bot.sandbox.page.sandbox import Sandbox
from bot.sandbox.page.world import OPS
from bot.sandbox.slack import Message
from bot.sandbox.slack.workspace import BOT_USER
from tests.browser.pane import Pane

HOSTILE = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"


def plain(text: str) -> dict[str, Any]:
    """Return a plain_text object."""
    return {"type": "plain_text", "text": text}


def option(word: str) -> dict[str, Any]:
    """Return an option."""
    return {"text": plain(f"{word} label"), "value": word}


#: One of each element that can stand in an input or beside a paragraph.
ELEMENTS: tuple[dict[str, Any], ...] = (
    {"type": "button", "text": plain("Press"), "style": "danger"},
    {"type": "overflow", "options": [option("one"), option("two")]},
    {"type": "image", "image_url": "https://elsewhere.example/logo.png", "alt_text": "A logo"},
    {"type": "plain_text_input", "multiline": True, "max_length": 100, "initial_value": "two\nlines"},
    {"type": "email_text_input"},
    {"type": "url_text_input"},
    {"type": "number_input", "is_decimal_allowed": False},
    {"type": "datepicker", "initial_date": "2026-11-29"},
    {"type": "timepicker", "initial_time": "06:30"},
    {"type": "datetimepicker", "initial_date_time": 1795949872},
    {"type": "radio_buttons", "options": [option("one"), option("two")], "initial_option": option("two")},
    {"type": "checkboxes", "options": [option("one"), option("two")], "initial_options": [option("one")]},
    {"type": "static_select", "option_groups": [{"label": plain("Group"), "options": [option("one")]}]},
    {"type": "external_select", "min_query_length": 3},
    {"type": "users_select", "initial_user": "U0ANA"},
    {"type": "channels_select", "initial_channel": OPS},
    {"type": "conversations_select"},
    {"type": "multi_static_select", "options": [option("one"), option("two")], "initial_options": [option("two")]},
    {"type": "multi_external_select"},
    {"type": "multi_users_select", "initial_users": ["U0ANA", "U0MAX"]},
    {"type": "multi_channels_select"},
    {"type": "multi_conversations_select"},
    {"type": "file_input", "filetypes": ["csv"], "max_files": 1},
)
LEAVES: tuple[dict[str, Any], ...] = (
    {"type": "text", "text": "*literal* & bold", "style": {"bold": True}},
    {"type": "link", "url": "https://elsewhere.example/", "text": "a link"},
    {"type": "user", "user_id": "U0MAX"},
    {"type": "usergroup", "usergroup_id": "S0MANAGERS"},
    {"type": "channel", "channel_id": OPS},
    {"type": "broadcast", "range": "here"},
    {"type": "emoji", "name": "rocket"},
    {"type": "date", "timestamp": 1795949872, "format": "{date_num}", "fallback": "then"},
)
BLOCKS: tuple[dict[str, Any], ...] = (
    {"type": "header", "text": plain("A heading :warning:")},
    {"type": "divider"},
    {"type": "section", "fields": [{"type": "mrkdwn", "text": "*Left*\n1"}, {"type": "mrkdwn", "text": "*Right*\n2"}]},
    {"type": "context", "elements": [ELEMENTS[2], {"type": "mrkdwn", "text": "small <@U0MAX> print"}]},
    {"type": "actions", "elements": [{**each, "action_id": f"a{index}"} for index, each in enumerate(ELEMENTS)]},
    *({"type": "input", "label": plain(f"A {each['type']}"), "element": each} for each in ELEMENTS[3:]),
    {"type": "image", "image_url": "https://elsewhere.example/logo.png", "alt_text": "A big logo"},
    {
        "type": "table",
        "rows": [
            [{"type": "raw_text", "text": "Number"}, {"type": "raw_text", "text": "State"}],
            [{"type": "raw_text", "text": "+13035550100"}, {"type": "raw_text", "text": "<b>active</b>"}],
        ],
    },
    {
        "type": "rich_text",
        "elements": [
            {"type": "rich_text_section", "elements": list(LEAVES)},
            {"type": "rich_text_quote", "elements": [{"type": "text", "text": "said"}]},
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "as  typed"}]},
            {
                "type": "rich_text_list",
                "style": "ordered",
                "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "first"}]}],
            },
        ],
    },
)
MRKDWN = (
    "*bold* _italic_ ~gone~ `code <@U0ANA>` a*b*c &lt;b&gt; :white_check_mark: :unknown: "
    "<https://elsewhere.example/|a page> <!subteam^S0MANAGERS> <#C0NUMBEROPS> <!date^1795949872^{date_num} {time}|then>"
    " <javascript:alert(1)|a trap>\n&gt; quoted\n```\nblock *as is*\n```"
)


@pytest.fixture
async def sandbox(chromium: str, turn: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:  # noqa: ARG001 - asked for first
    """Run a sandbox whose bot never starts: what is shown comes from the test."""

    async def nothing(_: BotKeeper) -> None:
        """Start nothing."""

    monkeypatch.setattr(BotKeeper, "start", nothing)
    async with Sandbox() as running:
        yield running


@pytest.fixture
async def page(context: BrowserContext, sandbox: Sandbox) -> Page:
    """Return the page."""
    page = await context.new_page()
    await page.goto(sandbox.url)
    return page


def tell(sandbox: Sandbox, text: str, blocks: tuple[dict[str, Any], ...] = ()) -> None:
    """Have the bot say something that it never says by itself."""
    ws = sandbox.slack.workspace
    ws.add_message(Message(channel=OPS, ts=ws.next_ts(), user=BOT_USER, text=text, blocks=list(blocks)))


async def test_everything_that_can_be_drawn_is_drawn(page: Page, sandbox: Sandbox, requester: Pane) -> None:
    """One of each block, element and part is shown for what it is; the list of what can be drawn names no other."""
    tell(sandbox, "specimens", BLOCKS)
    shown = requester.message("A heading")
    await expect(shown).to_contain_text("A heading ⚠️")
    tables = await page.evaluate(
        """async () => {
            const [blocks, elements] = await Promise.all([import("/static/blocks.js"), import("/static/elements.js")]);
            return [blocks.BLOCKS, elements.ELEMENTS, blocks.RICH_TEXT, blocks.LEAVES].map(Object.keys);
        }"""
    )
    rich = BLOCKS[-1]["elements"]

    assert [set(table) for table in tables] == [
        {each["type"] for each in specimens} for specimens in (BLOCKS, ELEMENTS, rich, LEAVES)
    ]
    await expect(shown.locator(".unknown")).to_have_count(0)
    await expect(shown.get_by_role("radio", name="two label").first).to_be_checked()
    await expect(shown.get_by_role("checkbox", name="one label").first).to_be_checked()
    await expect(shown.get_by_label("A datepicker")).to_have_value("2026-11-29")
    await expect(shown.get_by_label("A datetimepicker")).to_have_value("2026-11-29T03:57")
    await expect(shown.get_by_role("textbox", name="A plain_text_input")).to_have_value("two\nlines")
    await expect(shown.get_by_role("img", name="A big logo")).to_be_visible()
    await expect(shown.get_by_role("cell", name="<b>active</b>")).to_be_visible()
    await shown.get_by_role("combobox", name="A static_select").click()
    await expect(shown.get_by_role("group", name="Group").get_by_role("option", name="one label")).to_be_visible()
    await shown.get_by_role("combobox", name="A external_select").click()
    await expect(shown.get_by_text("Type at least 3 letters")).to_be_visible()
    await expect(shown).to_contain_text("*literal* & bolda link@Max@managers#number-ops@here🚀2026-11-29")


async def test_a_click_below_an_open_list_arrives(sandbox: Sandbox, requester: Pane) -> None:
    """However long the button is held: what is clicked stays under the pointer until it is let go."""
    selects = [each for each in ELEMENTS if each["type"] in ("static_select", "users_select")]
    inputs = tuple({"type": "input", "label": plain(f"A {each['type']}"), "element": each} for each in selects)
    tell(sandbox, "two lists", inputs)
    first, second = (requester.messages.get_by_role("combobox", name=f"A {each['type']}") for each in selects)

    await first.click()
    await expect(first).to_have_attribute("aria-expanded", "true")
    await second.click(delay=300)

    await expect(second).to_have_attribute("aria-expanded", "true")
    await expect(first).to_have_attribute("aria-expanded", "false")
    await second.press("Tab")
    await expect(second).to_have_attribute("aria-expanded", "false")


async def test_what_cannot_be_drawn_is_shown_as_it_is(sandbox: Sandbox, requester: Pane) -> None:
    """A block that the page does not know is there with all that it says, and with a warning."""
    tell(sandbox, "a film", ({"type": "video", "title": plain("How to"), "alt_text": "nothing"},))
    shown = requester.messages.get_by_role("note")

    await expect(shown).to_contain_text("The sandbox cannot draw “video”")
    sent = json.loads(await shown.locator("pre").inner_text())
    assert sent["title"] == plain("How to")


async def test_mrkdwn_reads_as_in_slack(sandbox: Sandbox, requester: Pane) -> None:
    """Marks, mentions, dates in the reader's time, links to the web only, quotations and code."""
    tell(sandbox, MRKDWN)
    shown = requester.message("bold")

    await expect(shown.locator("strong").filter(has_text="bold")).to_have_count(1)
    await expect(shown.get_by_role("emphasis")).to_have_text("italic")
    await expect(shown.locator("s")).to_have_text("gone")
    await expect(shown.get_by_role("code").first).to_have_text("code @Ana")
    await expect(shown.get_by_role("blockquote")).to_have_text("quoted")
    await expect(shown.locator("pre")).to_have_text("block *as is*")
    await expect(shown).to_contain_text("a*b*c <b> ✅ :unknown: a page @managers #number-ops 2026-11-29 3:57 AM a trap")
    await expect(shown.get_by_role("link")).to_have_text(["a page"])


async def test_hostile_text_is_only_text(page: Page, sandbox: Sandbox, requester: Pane) -> None:
    """Wherever somebody's words are shown no element comes out of them, and no script would run if one did."""
    blocks = ({"type": "section", "text": plain(HOSTILE)}, {"type": "header", "text": plain(HOSTILE)})
    tell(sandbox, HOSTILE, blocks)
    await requester.say(HOSTILE)
    await expect(requester.message(HOSTILE)).to_have_count(2)

    assert await page.locator("#page img, #page script, #news img, #news script").count() == 0
    assert await page.title() == "Linesman sandbox"


async def test_the_page_runs_no_inline_script(page: Page, complaints: list[str]) -> None:
    """The browser itself refuses what does not come from a file of the sandbox."""
    refused = await page.evaluate(
        """() => new Promise((resolve) => {
            document.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective));
            const script = document.createElement("script");
            script.textContent = "document.title = 'taken'";
            document.body.append(script);
        })"""
    )

    assert refused == "script-src-elem"
    assert len(complaints) == 1
    assert "violates the following Content Security Policy directive" in complaints.pop()
    assert await page.title() == "Linesman sandbox"
