"""Reading what a message says, wherever in it that stands."""

from __future__ import annotations

from typing import Any

import pytest

from bot.changes.numbers.parser import read_numbers
from bot.slack.message_text import named, texts_of, typed

ONE = "+13035550100"


def leaf(text: str, **more: Any) -> dict[str, Any]:
    """Return a piece of rich text."""
    return {"type": "text", "text": text, **more}


def rich(*leaves: dict[str, Any]) -> dict[str, Any]:
    """Return rich text as Slack sends what people type."""
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(leaves)}]}


def mrkdwn(text: str) -> dict[str, Any]:
    """Return a text object."""
    return {"type": "mrkdwn", "text": text}


MESSAGES: dict[str, dict[str, Any]] = {
    "text": {"text": f"Please move {ONE} today"},
    "telephone link": {"text": f"<tel:{ONE}|(303) 555-0100>"},
    "label of a link": {"text": f"<https://crm.example/14155550199|{ONE}>"},
    "rich text": {"blocks": [rich(leaf("Please move "), leaf(ONE), leaf(" today"))]},
    "a number half in bold": {"blocks": [rich(leaf("+1303"), leaf("5550100", style={"bold": True}))]},
    "rich link": {"blocks": [rich({"type": "link", "url": f"tel:{ONE}", "text": "303-555-0100"})]},
    "list": {
        "blocks": [
            {
                "type": "rich_text",
                "elements": [
                    {"type": "rich_text_list", "elements": [{"type": "rich_text_section", "elements": [leaf(ONE)]}]}
                ],
            }
        ]
    },
    "section": {"blocks": [{"type": "section", "text": mrkdwn(f"*{ONE}*")}]},
    "marks": {"text": f"*{ONE}*, _{ONE}_ (~{ONE}~)."},
    "fields": {"blocks": [{"type": "section", "fields": [mrkdwn("Number"), mrkdwn(ONE)]}]},
    "header and context": {
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": ONE}},
            {"type": "context", "elements": [mrkdwn("small")]},
        ]
    },
    "table": {"blocks": [{"type": "table", "rows": [[{"type": "raw_text", "text": ONE}, rich(leaf("Denver"))]]}]},
    "attachment": {"attachments": [{"text": f"From the form: {ONE}"}]},
    "attachment's fields": {"attachments": [{"fields": [{"title": "Number", "value": ONE}]}]},
    "attachment's blocks": {"attachments": [{"blocks": [{"type": "section", "text": mrkdwn(ONE)}]}]},
    "forwarded message": {
        "attachments": [
            {
                "is_msg_unfurl": True,
                "message_blocks": [{"team": "T", "channel": "C", "message": {"blocks": [rich(leaf(ONE))]}}],
                "fallback": "[November 30th, 2026 1:15 PM] sam: +13035550100",
            }
        ]
    },
    "attachment's fallback": {"attachments": [{"fallback": ONE}]},
    "text and blocks that say the same": {"text": ONE, "blocks": [rich(leaf(ONE))]},
    "beside mentions and dates": {
        "text": f"<@U0303555010> <!date^1303555010^{{date}}|1 Nov> <#C13035550109|x> <mailto:a@b.c|a@b.c> {ONE}"
    },
}


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES.keys())
def test_the_number_is_found_wherever_it_stands(message: dict[str, Any]) -> None:
    """Exactly the one number that people see, once."""
    assert read_numbers(texts_of(message), is_id=lambda _: False).identifiers == (ONE,)


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"text": ""},
        {"text": None, "blocks": None, "attachments": None},
        {"blocks": ["odd"], "attachments": ["odd"]},
    ],
    ids=["nothing", "empty", "null", "not objects"],
)
def test_a_message_without_words_says_nothing_wrong(message: dict[str, Any]) -> None:
    """Whatever Slack sends, no number comes out of nothing."""
    assert read_numbers(texts_of(message), is_id=lambda _: False).identifiers == ()


def test_a_link_that_shows_another_number_is_not_believed() -> None:
    """What people see and what the link says differ; neither is taken."""
    message = {"blocks": [rich({"type": "link", "url": "tel:+13035550199", "text": ONE})]}

    assert read_numbers(texts_of(message), is_id=lambda _: False).identifiers == ()


def test_a_range_stays_a_range() -> None:
    """What is between two numbers was not said, and its ends alone were not meant."""
    reading = read_numbers(texts_of({"text": "+13035550100 ~ +13035550109"}), is_id=lambda _: False)

    assert reading.identifiers == ()


def test_an_arrow_as_a_picture_stays_an_arrow() -> None:
    """Slack keeps pictures apart from the text around them."""
    arrow = {"type": "emoji", "name": "arrow_right"}
    reading = read_numbers(texts_of({"blocks": [rich(leaf(ONE), arrow, leaf("+13035550109"))]}), is_id=lambda _: False)

    assert reading.identifiers == ()


@pytest.mark.parametrize(
    "message",
    [
        {"text": f"~+13035550109~, {ONE}"},
        {"text": f"*~+13035550109~*\n_{ONE}_"},
        {"blocks": [rich({"type": "text", "text": "+13035550109", "style": {"strike": True}}, leaf(f"\n{ONE}"))]},
    ],
    ids=["text", "bold", "blocks"],
)
def test_what_is_struck_through_was_withdrawn(message: dict[str, Any]) -> None:
    """It is named, and never among the numbers."""
    reading = read_numbers(texts_of(message), is_id=lambda _: False)

    assert (reading.identifiers, [bad.text for bad in reading.bad]) == ((ONE,), ["+13035550109"])


def test_buttons_and_inputs_are_not_read() -> None:
    """What a message offers to press is not what it says."""
    button = {"type": "button", "text": {"type": "plain_text", "text": ONE}, "value": ONE}

    assert texts_of({"blocks": [{"type": "actions", "elements": [button]}]}) == []


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("freeze &lt;all&gt; R&amp;D until a&gt;b &amp;&amp; &amp;lt;", "freeze <all> R&D until a>b && &lt;"),
        ("find <tel:+13035550100|(303) 555-0100>", "find +13035550100"),
        ("ask <@U0ANA|ana> in <#C0OPS|ops>", "ask @ana in #ops"),
        ("ask <@U0ANA>", "ask @U0ANA"),
        ("see <https://status.example/x> &amp; wait", "see https://status.example/x & wait"),
        ("see <https://status.example/x|status.example/x> &amp; wait", "see status.example/x & wait"),
        ("run <http://example.com|example.com> rollout", "run example.com rollout"),
        ("run <http://example.com/|example.com> rollout", "run example.com rollout"),
        ("run <http://example.com|Example.com/> rollout", "run Example.com/ rollout"),
        ("see <http://a.example/?b=1&amp;c=2|a.example/?b=1&amp;c=2>", "see a.example/?b=1&c=2"),
        ("see <http://evil.example|example.com>", "see http://evil.example"),
        ("see <http://example.com|>", "see http://example.com"),
        ("ask <mailto:ana@example.com|ana@example.com>", "ask ana@example.com"),
        ("a < b", "a < b"),
    ],
)
def test_what_follows_a_command_is_read_as_it_was_typed(sent: str, meant: str) -> None:
    """Slack's brackets are taken off again, and mention nobody."""
    assert named(typed(sent)) == meant


def test_people_stay_people() -> None:
    """Whom a list is asked for is told by the id, which a name is not."""
    assert typed("list <@U0ANA|ana> &lt;") == "list <@U0ANA|ana> <"
