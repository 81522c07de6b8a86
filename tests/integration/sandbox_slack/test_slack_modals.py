"""Modals: trigger ids, the stack, hashes, what stays typed, and what a submission's answer may say."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack import TROUBLE, Delivery, SlackStandIn, StandInRefused
from tests.integration.sandbox_slack.tinybot import (
    actions,
    app_of,
    button,
    client_of,
    menu,
    modal,
    option,
    over_http,
    section,
    text_input,
)


async def refusal(call: Any) -> str:
    """Return the error string with which a call is refused."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


def opener(slack: SlackStandIn, view: dict[str, Any]) -> AsyncApp:
    """Return a bot whose /open opens a view."""
    app = app_of(slack)

    @app.command("/open")
    async def opened(ack: Any, client: Any, body: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    return app


async def test_a_trigger_is_good_once(slack: SlackStandIn) -> None:
    """The second use of a trigger is exchanged_trigger_id, an invented one invalid_trigger_id."""
    client = client_of(slack)
    trigger = slack.workspace.triggers.issue("U0ANA")
    await client.views_open(trigger_id=trigger, view=modal(section("x")))

    assert await refusal(client.views_open(trigger_id=trigger, view=modal(section("x")))) == "exchanged_trigger_id"
    assert await refusal(client.views_open(trigger_id="1.2.abc", view=modal(section("x")))) == "invalid_trigger_id"


async def test_a_trigger_expires(hasty: SlackStandIn) -> None:
    """A bot that dawdles past the trigger's life gets expired_trigger_id and no modal."""
    app = app_of(hasty)
    errors: list[str] = []

    @app.command("/slow")
    async def slow(ack: Any, client: Any, body: Any) -> None:
        await ack()
        await asyncio.sleep(0.35)
        errors.append(await refusal(client.views_open(trigger_id=body["trigger_id"], view=modal(section("x")))))

    async with over_http(app, hasty):
        ana = hasty.person("U0ANA")
        await ana.command("/slow")
        await hasty.wait_for(lambda: errors)

        assert errors == ["expired_trigger_id"]
        assert ana.view is None


async def test_the_stack_holds_three_views(slack: SlackStandIn) -> None:
    """views.push works with triggers from inside the modal, twice; the third is push_limit_reached."""
    client = client_of(slack)
    app = opener(slack, modal(actions(button("deeper"))))
    answers: list[str] = []

    @app.action("deeper")
    async def deeper(ack: Any, body: Any) -> None:
        await ack()
        try:
            await client.views_push(trigger_id=body["trigger_id"], view=modal(actions(button("deeper"))))
            answers.append("ok")
        except SlackApiError as error:
            answers.append(error.response["error"])

    async with over_http(app, slack):
        ana = slack.person("U0ANA")
        await ana.command("/open")
        root = await ana.wait_for_view()
        for count in (1, 2, 3):
            await ana.click("deeper")
            await slack.wait_for(lambda count=count: len(answers) == count)  # type: ignore[misc]  # a default binds the loop's value

        assert answers == ["ok", "ok", "push_limit_reached"]
        assert ana.view is not None
        assert ana.view.root_id == root.id

    outside = slack.workspace.triggers.issue("U0ANA")

    assert await refusal(client.views_push(trigger_id=outside, view=modal(section("x")))) == "invalid_trigger_id"


async def test_an_update_keeps_what_was_typed_where_ids_stayed(slack: SlackStandIn) -> None:
    """Same block and action id keep the state; another id drops it; first values fill new elements only."""
    client = client_of(slack)
    opened = await client.views_open(
        trigger_id=slack.workspace.triggers.issue("U0ANA"),
        view=modal(text_input("stays"), text_input("goes"), text_input("retyped")),
    )
    ana = slack.person("U0ANA")
    for block in ("stays", "goes", "retyped"):
        await ana.type(block, f"typed in {block}")
    await client.views_update(
        view_id=opened["view"]["id"],
        view=modal(
            text_input("stays", initial_value="first"),
            text_input("came", initial_value="first"),
            menu("retyped", "static_select", options=[option("a")], initial_option=option("a")),
        ),
    )
    view = ana.view
    assert view is not None

    assert view.values["stays"]["value"]["value"] == "typed in stays"
    assert view.values["came"]["value"]["value"] == "first"
    assert view.values["retyped"]["value"]["selected_option"]["value"] == "a"
    assert "goes" not in view.values


async def test_a_stale_hash_is_a_conflict(slack: SlackStandIn) -> None:
    """views.update with the hash of an older state is hash_conflict and changes nothing."""
    client = client_of(slack)
    opened = (await client.views_open(trigger_id=slack.workspace.triggers.issue("U0ANA"), view=modal(section("1"))))[
        "view"
    ]
    await client.views_update(view_id=opened["id"], hash=opened["hash"], view=modal(section("2")))
    stale = client.views_update(view_id=opened["id"], hash=opened["hash"], view=modal(section("3")))

    assert await refusal(stale) == "hash_conflict"
    view = slack.person("U0ANA").view
    assert view is not None
    assert view.blocks[0]["text"]["text"] == "2"


async def test_a_closed_view_cannot_be_updated(slack: SlackStandIn) -> None:
    """views.update of a view that the person closed is not_found; by external_id it finds the open one."""
    client = client_of(slack)
    triggers = slack.workspace.triggers
    await client.views_open(trigger_id=triggers.issue("U0ANA"), view=modal(section("1"), external_id="chg-1"))
    await client.views_update(external_id="chg-1", view=modal(section("2"), external_id="chg-1"))
    again = client.views_open(trigger_id=triggers.issue("U0BEN"), view=modal(section("1"), external_id="chg-1"))

    assert await refusal(again) == "duplicate_external_id"

    await slack.person("U0ANA").close()

    assert await refusal(client.views_update(external_id="chg-1", view=modal(section("3")))) == "not_found"


async def answered(slack: SlackStandIn, **ack_with: Any) -> tuple[Any, Any]:
    """Submit a form to a bot that answers so; return the submission and the person."""
    app = opener(slack, modal(text_input("numbers"), section("Note", block_id="note")))

    @app.view("form")
    async def submitted(ack: Any) -> None:
        await ack(**ack_with)

    async with over_http(app, slack):
        ana = slack.person("U0ANA")
        await ana.command("/open")
        await ana.wait_for_view()
        await ana.type("numbers", "+1")
        return await ana.submit(), ana


async def test_errors_stand_on_their_inputs(slack: SlackStandIn) -> None:
    """response_action errors keeps the modal open with the error on its input."""
    result, ana = await answered(slack, response_action="errors", errors={"numbers": "Not a number"})

    assert result.errors == {"numbers": "Not a number"}
    assert ana.view.errors == {"numbers": "Not a number"}


@pytest.mark.parametrize(
    "ack_with",
    [
        pytest.param({"response_action": "errors", "errors": {"note": "x"}}, id="errors-on-a-section"),
        pytest.param({"response_action": "errors", "errors": {"elsewhere": "x"}}, id="errors-on-an-unknown-block"),
        pytest.param({"response_action": "update", "view": modal(section("x" * 3001))}, id="update-past-a-limit"),
        pytest.param({"response_action": "dance"}, id="unknown-action"),
    ],
)
async def test_an_unusable_answer_is_trouble_for_the_person(slack: SlackStandIn, ack_with: dict[str, Any]) -> None:
    """The person reads that there was trouble connecting, the modal stays, and the stand-in complains."""
    result, ana = await answered(slack, **ack_with)

    assert result.delivery.error == TROUBLE
    assert result.errors is None
    assert ana.view is not None
    assert len(slack.complaints) == 1


@pytest.mark.parametrize(
    ("ack_with", "texts"),
    [
        pytest.param({}, [], id="empty-closes"),
        pytest.param({"response_action": "clear"}, [], id="clear"),
        pytest.param({"response_action": "update", "view": modal(section("next"))}, ["next"], id="update"),
        pytest.param({"response_action": "push", "view": modal(section("next"))}, ["numbers", "next"], id="push"),
    ],
)
async def test_an_answer_moves_the_stack(slack: SlackStandIn, ack_with: dict[str, Any], texts: list[str]) -> None:
    """An empty answer closes the view; update replaces it; push puts one on top; clear closes all."""
    await answered(slack, **ack_with)
    stack = slack.workspace.views.stacks.get("U0ANA", [])

    assert [(view.blocks[0].get("text") or view.blocks[0]["label"])["text"] for view in stack] == texts
    assert slack.complaints == []


async def test_the_client_does_not_send_an_unfinished_form(slack: SlackStandIn) -> None:
    """Required and too-short inputs, over-long text and missing buttons stop a person before the bot hears of it."""
    client = client_of(slack)
    view = modal(
        text_input("must", max_length=5, min_length=2),
        text_input("may", optional=True),
        menu("one", "static_select", options=[option("a"), option("b")]),
        menu("few", "multi_static_select", options=[option("a"), option("b")], max_selected_items=1),
    )
    await client.views_open(trigger_id=slack.workspace.triggers.issue("U0ANA"), view=view)
    ana = slack.person("U0ANA")

    with pytest.raises(StandInRefused, match="'must' is required"):
        await ana.submit()
    with pytest.raises(StandInRefused, match="at most 5 characters"):
        await ana.type("must", "123456")
    with pytest.raises(StandInRefused, match="single line"):
        await ana.type("must", "1\n2")
    await ana.type("must", "1")
    with pytest.raises(StandInRefused, match="at least 2"):
        await ana.submit()
    with pytest.raises(StandInRefused, match="does not offer 'c'"):
        await ana.choose("one", "c")
    with pytest.raises(StandInRefused, match="takes one item"):
        await ana.choose("one", ["a", "b"])
    with pytest.raises(StandInRefused, match="at most 1 items"):
        await ana.choose("few", ["a", "b"])
    with pytest.raises(StandInRefused, match="there is: few, may, must, one"):
        await ana.type("elsewhere", "x")
    assert slack.deliveries == []


async def test_every_sort_of_element_fills_its_own_state(slack: SlackStandIn) -> None:
    """Each element's value stands in state.values under the key that Slack gives it."""
    client = client_of(slack)
    kinds = {
        "number": menu("number", "number_input", is_decimal_allowed=False, max_value="10"),
        "mail": menu("mail", "email_text_input"),
        "day": menu("day", "datepicker"),
        "hour": menu("hour", "timepicker"),
        "moment": menu("moment", "datetimepicker"),
        "tick": menu("tick", "checkboxes", options=[option("a"), option("b")]),
        "radio": menu("radio", "radio_buttons", options=[option("a"), option("b")]),
        "person": menu("person", "users_select"),
        "rooms": menu("rooms", "multi_conversations_select"),
    }
    await client.views_open(trigger_id=slack.workspace.triggers.issue("U0ANA"), view=modal(*kinds.values()))
    ana = slack.person("U0ANA")
    for block, text in {
        "number": "7",
        "mail": "a@example.com",
        "day": "2026-11-01",
        "hour": "09:30",
        "moment": "1790000000",
    }.items():
        await ana.type(block, text)
    await ana.choose("tick", ["a", "B"])
    await ana.choose("radio", "b")
    await ana.choose("person", "U0BEN")
    await ana.choose("rooms", ["C0OPS"])
    view = ana.view
    assert view is not None
    values = {block: {k: v for k, v in state["value"].items() if k != "type"} for block, state in view.values.items()}

    assert values == {
        "number": {"value": "7"},
        "mail": {"value": "a@example.com"},
        "day": {"selected_date": "2026-11-01"},
        "hour": {"selected_time": "09:30"},
        "moment": {"selected_date_time": 1790000000},
        "tick": {"selected_options": [option("a"), option("b")]},
        "radio": {"selected_option": option("b")},
        "person": {"selected_user": "U0BEN"},
        "rooms": {"selected_conversations": ["C0OPS"]},
    }
    for block, text in {"number": "11", "mail": "nobody", "day": "soon", "hour": "25:00", "moment": "1"}.items():
        with pytest.raises(StandInRefused):
            await ana.type(block, text)


async def test_dispatching_elements_tell_the_bot_at_once(slack: SlackStandIn) -> None:
    """An input with dispatch_action and a menu outside an input block send block_actions when they are filled."""
    kind = {"type": "static_select", "action_id": "kind", "options": [option("a"), option("b")]}
    target = {**menu("target", "static_select", options=[option("list"), option("file")]), "dispatch_action": True}
    app = opener(slack, modal(section("Kind", block_id="kind", accessory=kind), target, text_input("numbers")))
    seen: list[tuple[str, str]] = []

    @app.action(re.compile(".*"))
    async def acted(ack: Any, body: Any) -> None:
        await ack()
        (action,) = body["actions"]
        state = body["view"]["state"]["values"][action["block_id"]][action["action_id"]]
        assert state["selected_option"] == action["selected_option"]
        seen.append((action["block_id"], action["selected_option"]["value"]))

    async with over_http(app, slack):
        ana = slack.person("U0ANA")
        await ana.command("/open")
        await ana.wait_for_view()
        first = await ana.choose("kind", "b")
        second = await ana.choose("target", "file")
        silent = await ana.type("numbers", "+1")

        assert seen == [("kind", "b"), ("target", "file")]
        assert first is not None
        assert first.error is None
        assert second is not None
        assert silent is None


async def test_external_menus_ask_the_bot(slack: SlackStandIn) -> None:
    """suggest() returns what the bot offers; choose() picks from it, or asks; the query has a least length."""
    app = opener(slack, modal(menu("connection", "external_select", min_query_length=2)))

    @app.options("value")
    async def offered(ack: Any, payload: Any) -> None:
        names = [name for name in ("acme", "acorn", "zebra") if name.startswith(payload["value"])]
        await ack(options=[option(name) for name in names])

    async with over_http(app, slack):
        ana = slack.person("U0ANA")
        await ana.command("/open")
        view = await ana.wait_for_view()

        assert [each["value"] for each in await ana.suggest("connection", "ac")] == ["acme", "acorn"]

        await ana.choose("connection", "Acorn")

        assert view.values["connection"]["value"]["selected_option"] == option("acorn")

        await ana.choose("connection", "zebra")

        assert view.values["connection"]["value"]["selected_option"] == option("zebra")

        with pytest.raises(StandInRefused, match="from 2 characters"):
            await ana.suggest("connection", "a")


async def test_too_many_suggestions_are_none(slack: SlackStandIn) -> None:
    """More than 100 options are a complaint, and the person sees no results."""
    app = opener(slack, modal(menu("connection", "external_select", min_query_length=0)))

    @app.options("value")
    async def offered(ack: Any) -> None:
        await ack(options=[option(f"o{index}") for index in range(101)])

    async with over_http(app, slack):
        ana = slack.person("U0ANA")
        await ana.command("/open")
        await ana.wait_for_view()

        assert await ana.suggest("connection", "") == []
        assert len(slack.complaints) == 1


@pytest.mark.parametrize("everything", [pytest.param(False, id="cancel"), pytest.param(True, id="x")])
async def test_closing_is_told_when_asked_for(slack: SlackStandIn, everything: bool) -> None:  # noqa: FBT001 - pytest
    """view_closed is sent for a view with notify_on_close, and says whether the whole stack went."""
    app = opener(slack, modal(section("x"), notify_on_close=True))
    seen: list[bool] = []

    @app.view_closed("form")
    async def closed(ack: Any, body: Any) -> None:
        await ack()
        seen.append(body["is_cleared"])

    async with over_http(app, slack):
        ana = slack.person("U0ANA")
        await ana.command("/open")
        await ana.wait_for_view()
        delivery = await ana.close(everything=everything)

        assert isinstance(delivery, Delivery)
        assert seen == [everything]
        assert ana.view is None


async def test_home_and_shortcuts(slack: SlackStandIn) -> None:
    """Opening the Home tab sends app_home_opened; shortcuts carry a trigger, and a message's carries the message."""
    app = app_of(slack)
    seen: list[Any] = []

    @app.event("app_home_opened")
    async def home(client: Any, event: Any) -> None:
        view = {"type": "home", "blocks": [section("Waiting for you"), actions(button("refresh"))]}
        await client.views_publish(user_id=event["user"], view=view)

    @app.action("refresh")
    async def refresh(ack: Any, body: Any) -> None:
        await ack()
        seen.append(body["view"]["type"])

    @app.shortcut("new_change")
    async def global_one(ack: Any, shortcut: Any) -> None:
        await ack()
        seen.append((shortcut["type"], "response_url" in shortcut))

    @app.shortcut("change_these")
    async def message_one(ack: Any, shortcut: Any) -> None:
        await ack()
        seen.append((shortcut["type"], shortcut["message"]["text"]))

    async with over_http(app, slack):
        ana = slack.person("U0ANA")
        await ana.open_home()
        view = await slack.wait_for(lambda: slack.home("U0ANA"))

        assert view is not None
        assert view.blocks[0]["text"]["text"] == "Waiting for you"

        await ana.click("refresh", home=True)
        await ana.global_shortcut("new_change")
        await ana.message_shortcut("change_these", message=ana.post("C0OPS", "+19705550100"))

        assert seen == ["home", ("shortcut", False), ("message_action", "+19705550100")]
