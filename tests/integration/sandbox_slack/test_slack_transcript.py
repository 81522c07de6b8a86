"""The transcript: messages and modals as a person sees them."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.slack import SlackStandIn
from bot.sandbox.slack.transcript import author, lines
from tests.integration.sandbox_slack.tinybot import actions, button, client_of, menu, modal, option, section, text_input


def plain(text: str) -> dict[str, Any]:
    """Return a plain_text object."""
    return {"type": "plain_text", "text": text}


async def test_a_card_reads_as_on_the_screen(slack: SlackStandIn) -> None:
    """Header, text, fields, table, rich text, context and buttons become lines, names and dates resolved."""
    leaf = [{"type": "text", "text": "*literal* "}, {"type": "user", "user_id": "U0BEN"}]
    blocks = [
        {"type": "header", "text": plain("CHG-42")},
        section("*<@U0ANA>* changes `tags` of 2,500 numbers :warning:", accessory=button("open", "Details")),
        {"type": "section", "fields": [section("*Kind*\nTelnyx")["text"], section("*Jobs*\n3")["text"]]},
        {"type": "divider"},
        {
            "type": "rich_text",
            "elements": [
                {"type": "rich_text_section", "elements": leaf},
                {
                    "type": "rich_text_list",
                    "style": "bullet",
                    "elements": [{"type": "rich_text_section", "elements": leaf}],
                },
            ],
        },
        {
            "type": "table",
            "rows": [
                [{"type": "raw_text", "text": "Number"}, {"type": "raw_text", "text": "New"}],
                [{"type": "raw_text", "text": "+19705550100"}, {"type": "raw_text", "text": "a"}],
            ],
        },
        {
            "type": "context",
            "elements": [section("<!date^1700000000^{date_num} {time}|x>")["text"], plain("by Linesman")],
        },
        actions(button("approve", "Approve"), button("reject", "Reject")),
    ]
    await client_of(slack).chat_postMessage(channel="C0OPS", text="CHG-42", blocks=blocks)
    (card,) = slack.messages("C0OPS")

    assert author(card, slack) == "linesman"
    assert lines(card, slack, tz="America/Denver") == [
        "# CHG-42",
        "@Ana changes tags of 2,500 numbers ⚠️  [Details]",
        "Kind: Telnyx   Jobs: 3",
        "─" * 40,
        "*literal* @Ben",
        "• *literal* @Ben",
        "Number       │ New",
        "─────────────┼────",
        "+19705550100 │ a",
        "2023-11-14 3:13 PM · by Linesman",
        "[Approve] [Reject]",
    ]


async def test_a_plain_message_with_a_file(slack: SlackStandIn) -> None:
    """Text shows without its markers, files with their sizes, and an edit without blocks says so."""
    client = client_of(slack)
    await client.files_upload_v2(
        channel="C0OPS", filename="results.csv", content="x" * 1234, initial_comment="_Done_: &lt;ok&gt;"
    )
    posted = await client.chat_postMessage(channel="C0OPS", text="one")
    await client.chat_update(channel="C0OPS", ts=posted["ts"], text="snake_case_stays *bold*")
    uploaded, edited = slack.messages("C0OPS")

    assert lines(uploaded, slack) == ["Done: <ok>", "📎 results.csv (1,234 bytes)"]
    assert lines(edited, slack) == ["snake_case_stays bold", "(edited)"]

    await client.chat_delete(channel="C0OPS", ts=posted["ts"])

    assert lines(edited, slack) == []


async def test_a_modal_reads_with_what_was_typed_and_what_is_wrong(slack: SlackStandIn) -> None:
    """Labels, values, errors and buttons of a modal become lines."""
    view = modal(
        text_input("numbers", multiline=True),
        menu("kind", "static_select", options=[option("tags"), option("delete")]),
        close=plain("Cancel"),
    )
    await client_of(slack).views_open(trigger_id=slack.workspace.triggers.issue("U0ANA"), view=view)
    ana = slack.person("U0ANA")
    await ana.type("numbers", "+1\n+2")
    await ana.choose("kind", "tags")
    shown = ana.view
    assert shown is not None
    shown.errors = {"numbers": "Not numbers"}

    assert lines(shown, slack) == [
        "═══ A form ═══",
        "numbers *  […]",
        "  > +1",
        "  > +2",
        "  ! Not numbers",
        "kind  [Choose ▾]",
        "  > Tags",
        "[Cancel] [Send]",
    ]


@pytest.mark.parametrize(
    ("block", "shown"),
    [
        pytest.param({"type": "markdown", "text": "**a**\nb"}, ["**a**", "b"], id="markdown"),
        pytest.param(
            {"type": "image", "alt_text": "a chart", "image_url": "https://example.com/a.png"},
            ["[image: a chart]"],
            id="image",
        ),
        pytest.param(
            {
                "type": "container",
                "title": plain("Batch 1"),
                "child_blocks": [section("1,000 numbers"), actions(button("retry", "Retry"))],
            },
            ["Batch 1", "  1,000 numbers", "  [Retry]"],
            id="container",
        ),
        pytest.param(
            {"type": "card", "title": plain("CHG-42"), "body": plain("Waiting"), "actions": [button("go", "Go")]},
            ["CHG-42", "Waiting", "[Go]"],
            id="card",
        ),
        pytest.param(
            {
                "type": "plan",
                "title": "Running",
                "tasks": [{"type": "task_card", "task_id": "1", "title": "Batch 1", "status": "complete"}],
            },
            ["Running", "  Batch 1", "  (complete)"],
            id="plan",
        ),
        pytest.param(
            {
                "type": "data_table",
                "caption": "Failures",
                "rows": [[{"type": "raw_text", "text": "n"}], [{"type": "raw_number", "value": 7}]],
            },
            ["Failures", "n", "─", "7"],
            id="data-table",
        ),
        pytest.param(
            {
                "type": "rich_text",
                "elements": [
                    {"type": "rich_text_quote", "elements": [{"type": "broadcast", "range": "here"}]},
                    {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "+1\n+2"}]},
                    {
                        "type": "rich_text_section",
                        "elements": [
                            {"type": "channel", "channel_id": "C0OPS"},
                            {"type": "usergroup", "usergroup_id": "S0MGRS"},
                            {"type": "emoji", "name": "x"},
                            {"type": "link", "url": "https://example.com"},
                            {"type": "date", "timestamp": 1700000000, "format": "{date_num}"},
                        ],
                    },
                ],
            },
            ["│ @here", "    +1", "    +2", "#ops@managers❌https://example.com2023-11-14"],
            id="rich-text",
        ),
        pytest.param(
            {**menu("tick", "checkboxes", options=[option("a")]), "hint": plain("pick")},
            ["tick  ☐ A", "  (pick)"],
            id="checkboxes",
        ),
    ],
)
async def test_each_sort_of_block_has_its_lines(slack: SlackStandIn, block: dict[str, Any], shown: list[str]) -> None:
    """Every block that a message may hold is shown as words."""
    await client_of(slack).chat_postMessage(channel="C0OPS", text="x", blocks=[block])

    assert lines(slack.messages("C0OPS")[0], slack) == shown
