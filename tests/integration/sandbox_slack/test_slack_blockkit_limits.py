"""Block Kit's limits, each at its edge: what is just allowed is taken, one more is refused with a pointer to it."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack import SlackStandIn
from tests.integration.sandbox_slack.tinybot import (
    actions,
    button,
    client_of,
    menu,
    modal,
    option,
    section,
    text_input,
)

Block = dict[str, Any]


def plain(text: str) -> Block:
    """Return a plain_text object."""
    return {"type": "plain_text", "text": text}


def options(count: int) -> list[Block]:
    """Return menu options."""
    return [option(f"o{index}") for index in range(count)]


def described(text: str) -> Block:
    """Return a menu whose only option has a description."""
    return menu("m", "static_select", options=[{**option("a"), "description": plain(text)}])


def asked(**texts: str) -> Block:
    """Return a button with a confirmation."""
    words = {"title": "Sure?", "text": "Really", "confirm": "Yes", "deny": "No"} | texts
    return actions(button("go", confirm={name: plain(text) for name, text in words.items()}))


def table(rows: int, cells: int = 1) -> Block:
    """Return a table of raw texts."""
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * cells] * rows}


def data_table(rows: int, cells: int = 1, **extra: Any) -> Block:
    """Return a data table of raw texts."""
    return {**table(rows, cells), "type": "data_table", "caption": "Numbers", **extra}


def rich(text: str) -> Block:
    """Return rich text with one leaf."""
    leaves = [{"type": "text", "text": text}]
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": leaves}]}


MESSAGE_LIMITS = [
    pytest.param([section("x" * 3000)], [section("x" * 3001)], "/blocks/0/text/text", id="section-text-3000"),
    pytest.param([section("x")], [section("")], "/blocks/0/text/text", id="section-text-not-empty"),
    pytest.param(
        [{"type": "section", "fields": [plain("x" * 2000)]}],
        [{"type": "section", "fields": [plain("x" * 2001)]}],
        "/blocks/0/fields/0/text",
        id="field-text-2000",
    ),
    pytest.param(
        [{"type": "section", "fields": [plain("x")] * 10}],
        [{"type": "section", "fields": [plain("x")] * 11}],
        "/blocks/0/fields",
        id="fields-10",
    ),
    pytest.param(
        [{"type": "header", "text": plain("x" * 150)}],
        [{"type": "header", "text": plain("x" * 151)}],
        "/blocks/0/text/text",
        id="header-150",
    ),
    pytest.param(
        [{"type": "header", "text": plain("x")}],
        [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
        "/blocks/0/text/type",
        id="header-is-plain-text",
    ),
    pytest.param(
        [{"type": "context", "elements": [plain("x")] * 10}],
        [{"type": "context", "elements": [plain("x")] * 11}],
        "/blocks/0/elements",
        id="context-10",
    ),
    pytest.param(
        [actions(*[button(f"b{index}") for index in range(25)])],
        [actions(*[button(f"b{index}") for index in range(26)])],
        "/blocks/0/elements",
        id="actions-25",
    ),
    pytest.param(
        [actions(button("b", "x" * 75))],
        [actions(button("b", "x" * 76))],
        "/blocks/0/elements/0/text/text",
        id="button-text-75",
    ),
    pytest.param(
        [actions(button("b", value="x" * 2000))],
        [actions(button("b", value="x" * 2001))],
        "/blocks/0/elements/0/value",
        id="button-value-2000",
    ),
    pytest.param(
        [actions(button("b", url="x" * 3000))],
        [actions(button("b", url="x" * 3001))],
        "/blocks/0/elements/0/url",
        id="button-url-3000",
    ),
    pytest.param(
        [actions(button("x" * 255))],
        [actions(button("x" * 256))],
        "/blocks/0/elements/0/action_id",
        id="action-id-255",
    ),
    pytest.param(
        [section("x", block_id="b" * 255)],
        [section("x", block_id="b" * 256)],
        "/blocks/0/block_id",
        id="block-id-255",
    ),
    pytest.param(
        [asked(title="x" * 100)],
        [asked(title="x" * 101)],
        "/blocks/0/elements/0/confirm/title/text",
        id="confirm-title-100",
    ),
    pytest.param(
        [asked(text="x" * 300)],
        [asked(text="x" * 301)],
        "/blocks/0/elements/0/confirm/text/text",
        id="confirm-text-300",
    ),
    pytest.param(
        [asked(deny="x" * 30)], [asked(deny="x" * 31)], "/blocks/0/elements/0/confirm/deny/text", id="confirm-deny-30"
    ),
    pytest.param(
        [section("x", accessory={"type": "overflow", "action_id": "o", "options": options(5)})],
        [section("x", accessory={"type": "overflow", "action_id": "o", "options": options(6)})],
        "/blocks/0/accessory/options",
        id="overflow-5",
    ),
    pytest.param([section("x")] * 50, [section("x")] * 51, "/blocks", id="message-blocks-50"),
    pytest.param([table(100)], [table(101)], "/blocks/0/rows", id="table-rows-100"),
    pytest.param([table(1, 20)], [table(1, 21)], "/blocks/0/rows/0", id="table-cells-20"),
    pytest.param([table(1)], [table(1), table(1)], "/blocks", id="one-table"),
    pytest.param([data_table(101)], [data_table(102)], "/blocks/0/rows", id="data-table-rows-101"),
    pytest.param([data_table(2)], [data_table(1)], "/blocks/0/rows", id="data-table-rows-2"),
    pytest.param(
        [data_table(2, page_size=100)], [data_table(2, page_size=101)], "/blocks/0/page_size", id="data-table-page-100"
    ),
    pytest.param(
        [{"type": "markdown", "text": "x" * 12_000}],
        [{"type": "markdown", "text": "x" * 6_000}, {"type": "markdown", "text": "x" * 6_001}],
        "/blocks",
        id="markdown-12000-together",
    ),
    pytest.param(
        [section("x", block_id="a"), section("x", block_id="b")],
        [section("x", block_id="a"), section("x", block_id="a")],
        "/blocks/1/block_id",
        id="block-ids-differ",
    ),
    pytest.param(
        [actions(button("a"), button("b"))],
        [actions(button("a"), button("a"))],
        "/blocks/0/elements/1/action_id",
        id="action-ids-differ-in-a-block",
    ),
    pytest.param([{"type": "divider"}], [{"type": "fancy"}], "/blocks/0/type", id="unknown-block"),
    pytest.param(
        [actions(button("b"))],
        [actions({"type": "slider", "action_id": "s"})],
        "/blocks/0/elements/0/type",
        id="unknown-element",
    ),
    pytest.param([section("x")], [section("x", colour="red")], "/blocks/0/colour", id="unknown-block-field"),
    pytest.param(
        [actions(button("b"))],
        [actions(button("b", icon="x"))],
        "/blocks/0/elements/0/icon",
        id="unknown-element-field",
    ),
    pytest.param([section("x")], [{"type": "alert", "text": plain("x")}], "/blocks/0/type", id="alert-in-modals-only"),
    pytest.param(
        [text_input("a")], [menu("a", "file_input")], "/blocks/0/element/type", id="file-input-in-modals-only"
    ),
    pytest.param(
        [section("x", accessory=button("b"))],
        [section("x", accessory={"type": "plain_text_input", "action_id": "t"})],
        "/blocks/0/accessory/type",
        id="text-input-needs-an-input-block",
    ),
    pytest.param(
        [rich("<!channel>")], [rich("")], "/blocks/0/elements/0/elements/0/text", id="rich-text-leaf-not-empty"
    ),
    pytest.param(
        [{"type": "image", "alt_text": "x" * 2000, "image_url": "https://example.com/a.png"}],
        [{"type": "image", "alt_text": "x" * 2001, "image_url": "https://example.com/a.png"}],
        "/blocks/0/alt_text",
        id="image-alt-text-2000",
    ),
]

VIEW_LIMITS = [
    pytest.param(
        modal(section("x"), title=plain("x" * 24)),
        modal(section("x"), title=plain("x" * 25)),
        "/view/title/text",
        id="title-24",
    ),
    pytest.param(
        modal(section("x"), submit=plain("x" * 24)),
        modal(section("x"), submit=plain("x" * 25)),
        "/view/submit/text",
        id="submit-24",
    ),
    pytest.param(
        modal(section("x"), close=plain("x" * 24)),
        modal(section("x"), close=plain("x" * 25)),
        "/view/close/text",
        id="close-24",
    ),
    pytest.param(
        modal(section("x"), private_metadata="x" * 3000),
        modal(section("x"), private_metadata="x" * 3001),
        "/view/private_metadata",
        id="private-metadata-3000",
    ),
    pytest.param(
        modal(section("x"), callback_id="x" * 255),
        modal(section("x"), callback_id="x" * 256),
        "/view/callback_id",
        id="callback-id-255",
    ),
    pytest.param(
        modal(section("x"), external_id="x" * 255),
        modal(section("x"), external_id="x" * 256),
        "/view/external_id",
        id="external-id-255",
    ),
    pytest.param(modal(*[section("x")] * 100), modal(*[section("x")] * 101), "/view/blocks", id="modal-blocks-100"),
    pytest.param(modal(text_input("a")), modal(text_input("a"), submit=None), "/view/submit", id="input-needs-submit"),
    pytest.param(modal(section("x")), modal(section("x"), colour="red"), "/view/colour", id="unknown-view-field"),
    pytest.param(
        modal(text_input("a", max_length=3000)),
        modal(text_input("a", max_length=3001)),
        "/view/blocks/0/element/max_length",
        id="max-length-3000",
    ),
    pytest.param(
        modal(text_input("a", max_length=1)),
        modal(text_input("a", max_length=0)),
        "/view/blocks/0/element/max_length",
        id="max-length-1",
    ),
    pytest.param(
        modal(text_input("a", placeholder=plain("x" * 150))),
        modal(text_input("a", placeholder=plain("x" * 151))),
        "/view/blocks/0/element/placeholder/text",
        id="placeholder-150",
    ),
    pytest.param(
        modal({**text_input("a"), "label": plain("x" * 2000)}),
        modal({**text_input("a"), "label": plain("x" * 2001)}),
        "/view/blocks/0/label/text",
        id="label-2000",
    ),
    pytest.param(
        modal({**text_input("a"), "hint": plain("x" * 2000)}),
        modal({**text_input("a"), "hint": plain("x" * 2001)}),
        "/view/blocks/0/hint/text",
        id="hint-2000",
    ),
    pytest.param(
        modal(menu("a", "static_select", options=options(100))),
        modal(menu("a", "static_select", options=options(101))),
        "/view/blocks/0/element/options",
        id="options-100",
    ),
    pytest.param(
        modal(menu("a", "static_select", options=[option("x" * 75)])),
        modal(menu("a", "static_select", options=[{**option("x"), "text": plain("x" * 76)}])),
        "/view/blocks/0/element/options/0/text/text",
        id="option-text-75",
    ),
    pytest.param(
        modal(menu("a", "static_select", options=[option("x" * 75)])),
        modal(menu("a", "static_select", options=[{**option("x"), "value": "x" * 76}])),
        "/view/blocks/0/element/options/0/value",
        id="option-value-75",
    ),
    pytest.param(
        modal(described("x" * 75)),
        modal(described("x" * 76)),
        "/view/blocks/0/element/options/0/description/text",
        id="option-description-75",
    ),
    pytest.param(
        modal(menu("a", "static_select", options=options(1))),
        modal(menu("a", "static_select", options=options(1), option_groups=[])),
        "/view/blocks/0/element",
        id="options-or-groups",
    ),
    pytest.param(
        modal(menu("a", "static_select", options=options(2), initial_option=option("o1"))),
        modal(menu("a", "static_select", options=options(2), initial_option=option("o9"))),
        "/view/blocks/0/element",
        id="initial-option-is-an-option",
    ),
    pytest.param(
        modal(menu("a", "checkboxes", options=options(10))),
        modal(menu("a", "checkboxes", options=options(11))),
        "/view/blocks/0/element/options",
        id="checkboxes-10",
    ),
    pytest.param(
        modal(menu("a", "radio_buttons", options=options(10))),
        modal(menu("a", "radio_buttons", options=options(11))),
        "/view/blocks/0/element/options",
        id="radio-buttons-10",
    ),
    pytest.param(
        modal(menu("a", "file_input", max_files=10)),
        modal(menu("a", "file_input", max_files=11)),
        "/view/blocks/0/element/max_files",
        id="max-files-10",
    ),
    pytest.param(
        modal(menu("a", "file_input")),
        modal({**menu("a", "file_input"), "dispatch_action": True}),
        "/view/blocks/0/dispatch_action",
        id="file-input-does-not-dispatch",
    ),
    pytest.param(
        modal(text_input("a", focus_on_load=True), text_input("b")),
        modal(text_input("a", focus_on_load=True), text_input("b", focus_on_load=True)),
        "/view/blocks/1/element/focus_on_load",
        id="one-focus",
    ),
    pytest.param(modal(section("x")), modal(table(1)), "/view/blocks/0/type", id="table-in-messages-only"),
    pytest.param(
        modal(section("x")),
        modal({"type": "markdown", "text": "x"}),
        "/view/blocks/0/type",
        id="markdown-in-messages-only",
    ),
    pytest.param(
        modal(text_input("a")),
        modal({**text_input("a"), "element": button("b")}),
        "/view/blocks/0/element/type",
        id="no-button-in-an-input",
    ),
]


def pointers(error: SlackApiError) -> list[str]:
    """Return the JSON pointers of a refusal."""
    messages = error.response["response_metadata"]["messages"]
    return [message.partition("[json-pointer:")[2].rstrip("]") for message in messages]


@pytest.mark.parametrize(("allowed", "refused", "pointer"), MESSAGE_LIMITS)
async def test_a_message_keeps_the_limit(
    slack: SlackStandIn, allowed: list[Block], refused: list[Block], pointer: str
) -> None:
    """A message at the limit is posted; one past it is invalid_blocks with a pointer, and nothing is posted."""
    client = client_of(slack)
    await client.chat_postMessage(channel="C0OPS", text="x", blocks=allowed)

    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="C0OPS", text="x", blocks=refused)

    assert caught.value.response["error"] == "invalid_blocks"
    assert pointer in pointers(caught.value)
    assert len(slack.messages("C0OPS")) == 1


@pytest.mark.parametrize(("allowed", "refused", "pointer"), VIEW_LIMITS)
async def test_a_modal_keeps_the_limit(slack: SlackStandIn, allowed: Block, refused: Block, pointer: str) -> None:
    """A modal at the limit opens; one past it is invalid_arguments with a pointer, and leaves its trigger unused."""
    client = client_of(slack)
    trigger = slack.workspace.triggers.issue("U0ANA")

    with pytest.raises(SlackApiError) as caught:
        await client.views_open(trigger_id=trigger, view=refused)

    assert caught.value.response["error"] == "invalid_arguments"
    assert pointer in pointers(caught.value)

    await client.views_open(trigger_id=trigger, view=allowed)

    assert slack.person("U0ANA").view is not None


async def test_all_blocks_together_have_a_limit_of_their_own(slack: SlackStandIn) -> None:
    """Blocks that are each legal are msg_blocks_too_long beyond 13,200 characters."""
    client = client_of(slack)
    await client.chat_postMessage(channel="C0OPS", text="x", blocks=[section("x" * 2640)] * 5)

    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="C0OPS", text="x", blocks=[section("x" * 2641)] * 5)

    assert caught.value.response["error"] == "msg_blocks_too_long"


async def test_a_view_is_at_most_250_kilobytes(slack: SlackStandIn) -> None:
    """A view of legal blocks beyond 250 kB is view_too_large."""
    view = modal(*[section("é" * 1500)] * 90)

    with pytest.raises(SlackApiError) as caught:
        await client_of(slack).views_open(trigger_id=slack.workspace.triggers.issue("U0ANA"), view=view)

    assert caught.value.response["error"] == "view_too_large"


async def test_the_home_tab_is_checked_too(slack: SlackStandIn) -> None:
    """A Home tab refuses what may not stand in it."""
    client = client_of(slack)
    await client.views_publish(user_id="U0ANA", view={"type": "home", "blocks": [section("Hello")]})

    with pytest.raises(SlackApiError) as caught:
        await client.views_publish(user_id="U0ANA", view={"type": "home", "blocks": [table(1)]})

    assert pointers(caught.value) == ["/view/blocks/0/type"]
    home = slack.home("U0ANA")
    assert home is not None
    assert home.blocks[0]["text"]["text"] == "Hello"
