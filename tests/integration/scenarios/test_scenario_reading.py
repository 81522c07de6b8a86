"""One rule for looking, at every door: guests, strangers and members who have no part in any rule see nothing."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, cast

import pytest
from slack_bolt.async_app import AsyncApp

from bot.sandbox.slack import Message, SlackUser
from bot.sandbox.slack.workspace import BOT_USER
from bot.slack.listeners import register
from bot.slack.listeners.commands import ANSWERS
from bot.slack.services import Services
from tests.integration.scenarios.stage import OPS, Stage
from tests.integration.scenarios.test_scenario_home import opened
from tests.integration.scenarios.test_scenario_policy import under
from tests.integration.scenarios.test_scenario_templates import save

NUMBER: Final = "+13035550000"
#: What stands in the change, in the template and at the carrier, and nowhere else.
HIDDEN: Final = re.compile(r"3035550000|Denver|hush-hush|winter move|conn-hidden|U0ANA", re.IGNORECASE)


@pytest.fixture
async def house(stage: Stage) -> Stage:
    """Set the stage with a change that is over, one that waits, and a template."""
    stage.telnyx.add_numbers(2, start=NUMBER)
    stage.telnyx.add_connection("conn-hidden")
    await stage.run(NUMBER, reason="hush-hush")
    change = await stage.ask("+13035550001", reason="hush-hush")
    await save(stage, change, "winter move")
    await stage.quiet()
    return stage


class Doors:
    """Takes the place of the Bolt app and notes what is listened to: "block_action details"."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def __getattr__(self, sort: str) -> Callable[[object], Callable[[object], None]]:
        """Return what notes a listener of ``sort``."""

        def note(name: object) -> Callable[[object], None]:
            self.found.add(f"{sort} {getattr(name, 'pattern', name)}")
            return _heard

        return note


def _heard(listener: object) -> None:
    """Take a listener."""
    assert callable(listener)


#: Doors of which whoever has no part in any rule cannot even find the handle: what they stand in (the form, the
#: preview, a list, a template's name) is shown to those who may alone. Behind each stands a rule of its own too.
BEHIND: Final = {
    "block_action edit",
    "block_action filters",
    "block_action kind",
    "block_action leave_out",
    "block_action more_numbers",
    "block_action put_back",
    "block_action several_boxes",
    "block_action settings",
    "block_action take_sheet_away",
    "view_closed preview",
    "view_submission adoption",
    "view_submission approval",
    "view_submission change_form",
    "view_submission changes",
    "view_submission extension",
    "view_submission preview",
    "view_submission rejection",
    "view_submission save_template",
    "view_submission values_form",
}
#: Buttons in messages that anybody may see in a channel, or have kept from before: action id -> the value they carry.
BUTTONS: Final = {
    "adopt:0": "1:1:|job",
    "adopt_other": "1:1:",
    "approve": "2:{digest}",
    "approve_with_comment": "2:{digest}",
    "delegations_next": "1",
    "delegations_previous": "0",
    "delete_template": "1:1",
    "details": "2:{digest}",
    "end_delegation": "1",
    "end_now": "1",
    "end_read_back": "1:0",
    "extend": "1",
    "find_newer": " +13035550000",
    "find_older": " +13035550000",
    "give_up": "1:1:",
    "go_on": "1",
    "home_start": "new",
    "keep_template": "1",
    "list_newer": "",
    "list_older": "",
    "plan_again": "1",
    "reject": "2:{digest}",
    "ask_for_changes": "2:{digest}",
    "revise": "2",
    "retry_failed": "1",
    "run_template": "1:1",
    "send_again": "1:1:",
    "stop_rest": "2",
    "templates_earlier": "z",
    "templates_later": "a",
    "undo": "1",
    "unlock": "2",
    "workbook": "1",
}
#: What follows ``/numbers`` -> whether it says nothing but how to use it, and so is for everybody.
COMMANDS: Final = {
    "": True,
    "help": True,
    "nonsense": True,
    "new": False,
    "update": False,
    "emergency": False,
    "delete": False,
    "status CHG-1": False,
    "status CHG-1 xlsx": False,
    "list": False,
    "list scheduled": False,
    "find +13035550000": False,
    "sheet update": False,
    "values": False,
    "templates": False,
    "run winter move": False,
    "cancel CHG-2": False,
    "retry CHG-1": False,
    "undo CHG-1": False,
    "end CHG-1": False,
    "extend CHG-1 until tomorrow 08:00": False,
    "resolve CHG-1": False,
    "settle CHG-1": False,
    "delegate": False,
    "delegate @ana until tomorrow": False,
    "delegate end @ana": False,
    "locks": False,
    "unlock CHG-2": False,
    "freeze because": False,
    "unfreeze": False,
    "export": False,
}
#: What begins the answer to whoever may not.
REFUSALS: Final = re.compile(
    r"may not|Only the requester or an operator|somebody else's|There is no|are off unless a rule|no longer exists"
    r"|You have not delegated"
)


def test_no_door_is_forgotten() -> None:
    """Whatever is listened to is in one of the tables, so that a new door has to be tried with the others."""
    doors = Doors()
    register(cast("AsyncApp", doors), cast("Services", None))

    here = {f"block_action {action}" for action in BUTTONS} - {"block_action adopt:0"} | {r"block_action adopt:\d+"}
    others = {
        "block_action .*",
        "command /numbers",
        "event app_home_opened",
        "shortcut new_change",
        "shortcut change_these",
        "options filter:",
        "options value:",
    }
    assert doors.found == BEHIND | here | others
    assert {command.split()[0] for command in COMMANDS if command} >= set(ANSWERS)


async def knocked(stage: Stage, person: SlackUser, doing: Awaitable[Any]) -> str:
    """Await what ``person`` does and return everything that they read afterwards."""
    before, view = len(stage.slack.ephemerals(person.id)), person.view

    def answered() -> bool:
        shown = person.view
        told = len(stage.slack.ephemerals(person.id)) > before
        return told or (shown is not None and shown is not view and shown.callback_id != "loading")

    await doing
    await stage.slack.wait_for(answered, what=f"an answer to {person.profile.name}")
    said = [stage.read(each) for each in stage.slack.ephemerals(person.id)[before:]]
    return "\n".join([*said, *([] if person.view is view else [stage.modal(person)])])


@pytest.mark.parametrize("who", ["sam", "gus", "fay"])
async def test_commands_show_nothing_to_whoever_has_no_part(house: Stage, who: str) -> None:
    """Every word after /numbers is answered with why not, or with how to use it; no file comes, nothing happens."""
    person = getattr(house, who)
    files, created = len(house.slack.files), len(house.created())

    for command, open_to_all in COMMANDS.items():
        said = await knocked(house, person, person.command("/numbers", command, channel=OPS))
        assert not HIDDEN.search(said), (command, said)
        assert open_to_all or REFUSALS.search(said), (command, said)

    await house.quiet()
    assert (len(house.slack.files), len(house.created())) == (files, created)
    assert "Awaiting approval" in house.read(house.card(2))


@pytest.mark.parametrize("who", ["sam", "gus", "fay"])
async def test_buttons_show_nothing_to_whoever_has_no_part(house: Stage, who: str) -> None:
    """Every button that can stand in a message, pressed wherever it was seen, is answered with why not."""
    person = getattr(house, who)
    files, created = len(house.slack.files), len(house.created())
    digest = house.request_card(2).blocks[-2]["elements"][0]["value"].split(":")[1]

    for action, value in BUTTONS.items():
        pressed = press_anywhere(house, person, action, value.format(digest=digest))
        said = await knocked(house, person, pressed)
        assert not HIDDEN.search(said), (action, said)
        assert REFUSALS.search(said), (action, said)

    await house.quiet()
    assert (len(house.slack.files), len(house.created())) == (files, created)
    assert "Awaiting approval" in house.read(house.card(2))


async def press_anywhere(stage: Stage, person: SlackUser, action: str, value: str) -> None:
    """Press a button in a message that shows it to ``person``, such as one of an earlier day."""
    channel = stage.slack.workspace.channels[OPS]
    button = {"type": "button", "action_id": action, "value": value, "text": {"type": "plain_text", "text": "Press"}}
    message = stage.slack.workspace.add_message(
        Message(
            channel=channel.id,
            ts=stage.slack.workspace.next_ts(),
            user=BOT_USER,
            blocks=[{"type": "actions", "block_id": "old", "elements": [button]}],
        )
    )
    await person.click(action, message=message)
    message.deleted = True


@pytest.mark.parametrize("who", ["sam", "gus", "fay"])
async def test_shortcuts_the_home_tab_and_menus_show_nothing_either(house: Stage, who: str) -> None:
    """The form does not open, the Home tab says why it is empty, and a menu that was left open offers nothing."""
    person = getattr(house, who)
    house.slack.workspace.people[person.id].guest = False
    house.slack.workspace.people[person.id].foreign_team = None
    message = house.ana.post(OPS, "+13035550000 hush-hush")

    await under_requesters(house, person)
    await house.open(by=person)
    await house.choose(["connection_id"], by=person)
    assert await person.suggest("value:connection_id", "conn") != []
    await under_requesters(house, None)

    assert await person.suggest("value:connection_id", "conn") == []
    for doing in (person.global_shortcut("new_change"), person.message_shortcut("change_these", message=message)):
        said = await knocked(house, person, doing)
        assert "may not" in said
        assert not HIDDEN.search(said)
    shown = house.read(await opened(house, person))
    assert "may not view changes and numbers" in shown
    assert not HIDDEN.search(shown)


async def under_requesters(stage: Stage, person: SlackUser | None) -> None:
    """Start the bot anew with ``person`` as one more requester, or with nobody more."""
    await stage.stop()
    await stage.start(LINESMAN_REQUESTERS=",".join(["U0ANA", *([person.id] if person else [])]))


@pytest.mark.parametrize("who", ["ana", "max", "otto"])
async def test_whoever_has_a_part_in_a_rule_looks(house: Stage, who: str) -> None:
    """Requesters, approvers and operators see all of it."""
    person = getattr(house, who)

    assert "hush-hush" in await house.command("list", by=person)
    assert "hush-hush" in await house.command("status CHG-1", by=person)
    assert "winter move" in await house.command("templates", by=person)
    assert "CHG-2" in await house.command("locks", by=person)
    assert "Submissions are not frozen." in house.read(await opened(house, person))


async def test_the_policy_opens_it_to_all_members_and_never_to_guests(idle: Stage, tmp_path: Path) -> None:
    """With readers = ["*"] Sam, who is in no list, looks; Gus and Fay do not, and Sam still asks for nothing."""
    idle.telnyx.add_number(NUMBER)
    stage = await under(idle, tmp_path, 'readers = ["*"]\n')
    await stage.run(NUMBER, reason="hush-hush")

    assert "hush-hush" in await stage.command("list", by=stage.sam)
    assert "hush-hush" in await stage.command("status CHG-1", by=stage.sam)
    assert "verified" not in await stage.command("list", by=stage.gus)
    for person in (stage.gus, stage.fay):
        assert "may not view changes and numbers" in await stage.command("list", by=person)
    await stage.sam.command("/numbers", "update", channel=OPS)
    await stage.sam.wait_for_view(lambda view: view.callback_id == "notice")
    assert "You may not request changes" in stage.modal(stage.sam)


async def test_what_was_refused_is_in_the_audit_log(house: Stage) -> None:
    """Who wanted to look and might not can be found by those who run Linesman."""
    await house.command("list", by=house.sam)
    await house.command("export jsonl", by=house.otto)

    trail = house.slack.files[-1].content.decode()
    assert '"click_refused"' in trail
    assert '"look"' in trail
