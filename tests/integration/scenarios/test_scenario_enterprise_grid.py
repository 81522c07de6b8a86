"""Who belongs to the workspace: organisations of several workspaces, strangers, invited people; and groups that go."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.scenarios.stage import APPROVALS, Stage

NUMBER = "+13035550000"


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"grid_teams": ("T0SISTER",)}, id="at home in a sister workspace"),
        pytest.param({"grid_teams": (), "teamless": True}, id="without a home"),
        pytest.param({"grid_teams": ("T0SISTER",), "teamless": True}, id="of two workspaces, without a home"),
    ],
)
async def test_people_of_the_organisation_who_belong_to_the_workspace_count(idle: Stage, given: dict[str, Any]) -> None:
    """Wherever they are at home, and if Slack tells no home at all: they ask and they approve."""
    ida, jon = (idle.slack.add_person(id_, name=id_, **given) for id_ in ("U0IDA", "W0JON"))
    for channel in idle.slack.workspace.channels.values():
        channel.members += ["U0IDA", "W0JON"]
    idle.telnyx.add_number(NUMBER)
    await idle.start(LINESMAN_REQUESTERS="U0IDA", LINESMAN_APPROVERS="W0JON")

    change = await idle.ask(NUMBER, by=ida)

    assert "That was the last approval needed" in await idle.approve(change, by=jon)
    await idle.ended(change)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        pytest.param({"stranger": True}, "People from another workspace", id="stranger with our team"),
        pytest.param({"stranger": True, "grid_teams": ("T0SISTER",)}, "People from another", id="stranger of the grid"),
        pytest.param({"invited": True}, "People who have not accepted the invitation", id="invited"),
        pytest.param({"teamless": True}, "People from another workspace", id="no team at all"),
        pytest.param({"foreign_team": "T0OTHER"}, "People from another workspace", id="of elsewhere"),
        pytest.param({"grid_teams": (), "guest": True}, "Guests of this workspace", id="guest of the organisation"),
    ],
)
async def test_whoever_does_not_belong_here_may_do_nothing(idle: Stage, given: dict[str, Any], says: str) -> None:
    """Whatever workspace Slack names, and whatever the lists say."""
    person = idle.slack.add_person("U0IVY", name="Ivy", **given)
    for channel in idle.slack.workspace.channels.values():
        channel.members.append("U0IVY")
    idle.telnyx.add_number(NUMBER)
    await idle.start(LINESMAN_APPROVERS="U0IVY,U0MAX", LINESMAN_OPERATORS="U0IVY")
    change = await idle.ask(NUMBER)

    assert says in await idle.approve(change, by=person)
    assert says in await idle.command("freeze because", by=person)
    assert says in await idle.command("list", by=person)
    assert idle.created() == []


@pytest.mark.parametrize("code", ["user_not_found", "user_not_visible"])
async def test_whom_slack_does_not_show_is_told_that(stage: Stage, code: str) -> None:
    """Another minute would change nothing, and is not promised."""
    stage.telnyx.add_number(NUMBER)
    change = await stage.ask(NUMBER)
    stage.slack.faults.add(method="users.info", kind="error", error=code)

    said = await stage.approve(change)

    assert "Slack does not list you as a member of this workspace" in said
    assert "minute" not in said


@pytest.mark.parametrize("gone", ["deleted", "disabled"])
async def test_a_group_of_approvers_that_is_gone_is_told_as_that(idle: Stage, gone: str) -> None:
    """The click is answered with what is wrong and who can mend it, and so is the next request."""
    group = idle.slack.add_usergroup("S0MANAGERS", handle="managers", members=["U0MAX"])
    idle.telnyx.add_numbers(2, start=NUMBER)
    await idle.start(LINESMAN_APPROVERS="S0MANAGERS")
    change = await idle.ask(NUMBER)

    if gone == "deleted":
        idle.slack.delete_usergroup("S0MANAGERS")
    else:
        group.disabled = True
    said = await idle.approve(change)

    assert "The list of approvers names the user group S0MANAGERS, which " in said
    assert "Only whoever runs Linesman can fix that." in said
    assert "minute" not in said
    await idle.propose("+13035550001")
    await idle.send()
    assert "Nobody could approve this. The list of approvers names the user group S0MANAGERS" in idle.modal()
    assert len(idle.slack.messages(APPROVALS)) == 1
