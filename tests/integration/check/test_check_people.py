"""``linesman check`` on the people and user groups of the policy: whether they can do what they are listed for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

TOO_FEW = "Add ids of active full members, or of user groups that have some, to LINESMAN_APPROVERS."
Said = Mapping[str, list[str]]


def person(id_: str, **given: Any) -> Callable[[Any], object]:
    """Return what adds a person called Kim."""
    return lambda place: place.slack.add_person(id_, name="Kim", **given)


def group(id_: str, *members: str, disabled: bool = False) -> Callable[[Any], object]:
    """Return what adds a user group."""

    def add(place: Any) -> None:
        place.slack.add_usergroup(id_, handle="some", members=members).disabled = disabled

    return add


def fault(method: str, error: str, argument: str, value: str) -> Callable[[Any], object]:
    """Return what makes Slack refuse the call about ``value``."""
    return lambda place: place.slack.faults.add(
        method=method, kind="error", error=error, where=lambda params: params[argument] == value
    )


@pytest.mark.parametrize(
    ("operators", "spoil", "line"),
    [
        (
            "U0NONE",
            person("U0KIM"),
            (
                "FAIL  LINESMAN_OPERATORS names U0NONE, who is unknown in this workspace: copy the id "
                "from the person's profile in Slack."
            ),
        ),
        (
            "U0KIM",
            person("U0KIM", deleted=True),
            (
                "WARN  LINESMAN_OPERATORS names Kim (U0KIM), whose account is deactivated and may not "
                "act as an operator: remove the id."
            ),
        ),
        (
            "U0KIM",
            person("U0KIM", guest=True),
            (
                "WARN  LINESMAN_OPERATORS names Kim (U0KIM), who is a guest and may not act as an "
                "operator: remove the id."
            ),
        ),
        (
            "U0KIM",
            person("U0KIM", foreign_team="T0OTHER"),
            (
                "WARN  LINESMAN_OPERATORS names Kim (U0KIM), who belongs to another workspace and may "
                "not act as an operator: remove the id."
            ),
        ),
        (
            "U0LINESMAN",
            person("U0KIM"),
            (
                "WARN  LINESMAN_OPERATORS names linesman (U0LINESMAN), which is a bot and may not act as "
                "an operator: remove the id."
            ),
        ),
        (
            "U0KIM",
            fault("users.info", "internal_error", "user", "U0KIM"),
            "FAIL  LINESMAN_OPERATORS names U0KIM, and Slack did not say who that is. Slack had an internal error.",
        ),
        (
            "S0NONE",
            group("S0SOME", "U0ANA"),
            (
                "FAIL  LINESMAN_OPERATORS names the user group S0NONE, which Slack does not know: take the id from the "
                "group's page in Slack."
            ),
        ),
        (
            "S0SOME",
            group("S0SOME", "U0ANA", disabled=True),
            (
                "FAIL  LINESMAN_OPERATORS names the user group S0SOME, which is disabled: enable it in Slack, "
                "or remove it here."
            ),
        ),
        (
            "S0SOME",
            group("S0SOME"),
            ("WARN  LINESMAN_OPERATORS names the user group S0SOME, which has no members, so it allows nobody."),
        ),
        (
            "S0SOME",
            fault("usergroups.users.list", "plan_upgrade_required", "usergroup", "S0SOME"),
            (
                "FAIL  LINESMAN_OPERATORS names the user group S0SOME, but this workspace's plan has no user groups: "
                "list the people themselves."
            ),
        ),
        (
            "S0SOME",
            fault("usergroups.users.list", "fatal_error", "usergroup", "S0SOME"),
            "FAIL  LINESMAN_OPERATORS names the user group S0SOME, which cannot be read. Slack had an internal error.",
        ),
    ],
    ids=[
        "unknown",
        "deactivated",
        "guest",
        "foreign",
        "bot",
        "unsaid",
        "unknown group",
        "disabled group",
        "empty group",
        "groups not in the plan",
        "unreadable group",
    ],
)
async def test_entries(place: Any, operators: str, spoil: Callable[[Any], object], line: str) -> None:
    """An entry that gives nobody the right is named, with why and what to do."""
    spoil(place)

    await place.tells({"operators": [line]}, OPERATORS=operators)


async def test_everyone(place: Any) -> None:
    """A star is everybody, and people who are named beside it are still looked at."""
    line = (
        "OK    LINESMAN_REQUESTERS is valid: every active full member of the workspace and 1 "
        "person may request changes."
    )

    await place.tells({"requesters": [line]}, REQUESTERS="*,U0ANA")


@pytest.mark.parametrize(
    ("env", "spoil", "said"),
    [
        (
            {"APPROVERS": "U0KIM"},
            person("U0KIM", deleted=True),
            {
                "approvers": [
                    (
                        "WARN  LINESMAN_APPROVERS names Kim (U0KIM), whose account is deactivated and may not "
                        "approve changes: remove the id."
                    )
                ],
                "enough": [
                    f"FAIL  No change can be approved: nobody can approve and a change needs 1 approval. {TOO_FEW}"
                ],
            },
        ),
        (
            {"APPROVERS": "S0SOME", "APPROVALS_REQUIRED": "2"},
            lambda place: (person("U0KIM", guest=True)(place), group("S0SOME", "U0KIM", "U0MAX", "U0GONE")(place)),
            {
                "approvers": ["OK    LINESMAN_APPROVERS is valid: 1 user group may approve changes."],
                "enough": [
                    f"FAIL  No change can be approved: 1 person can approve and a change needs 2 approvals. {TOO_FEW}"
                ],
            },
        ),
        (
            {"APPROVERS": "S0SOME"},
            fault("usergroups.users.list", "fatal_error", "usergroup", "S0SOME"),
            {
                "approvers": [
                    (
                        "FAIL  LINESMAN_APPROVERS names the user group S0SOME, which cannot be read. Slack had an "
                        "internal error."
                    )
                ],
                "enough": [
                    f"FAIL  No change can be approved: nobody can approve and a change needs 1 approval. {TOO_FEW}"
                ],
            },
        ),
        (
            {"APPROVERS": "U0MAX,U0EVA,U0IDA"},
            person("U0KIM"),
            {
                "approvers": ["OK    LINESMAN_APPROVERS is valid: 3 people may approve changes."],
                "enough": ["OK    3 people can approve, and a change needs 1 approval."],
            },
        ),
        (
            {"APPROVALS_REQUIRED": "2"},
            person("U0KIM"),
            {"enough": ["OK    2 people can approve, and a change needs 2 approvals."]},
        ),
        (
            {"APPROVALS_REQUIRED": "2", "REQUESTERS": "S0LEADS,U0ANA"},
            person("U0KIM"),
            {
                "enough": [
                    "OK    2 people can approve, and a change needs 2 approvals.",
                    (
                        "WARN  Nobody can approve what Max or Eva requests, because nobody approves their own "
                        "changes and no other approver is left: add somebody to LINESMAN_APPROVERS."
                    ),
                ]
            },
        ),
    ],
    ids=["deactivated", "too few in the group", "unreadable group", "several", "just enough", "no one to spare"],
)
async def test_enough_approvers(place: Any, env: Mapping[str, str], spoil: Callable[[Any], object], said: Said) -> None:
    """There have to be as many people who can approve as a change needs, counted as decisions count them."""
    spoil(place)

    await place.tells(said, **env)


async def test_a_warning_of_the_configuration_is_not_repeated(place: Any) -> None:
    """That nobody is to spare is said once when the configuration alone shows it."""
    place.env |= {"LINESMAN_APPROVERS": "U0MAX", "LINESMAN_REQUESTERS": "*"}

    _, said = await place.check()

    assert [line for line in said if not line.startswith("OK")] == [
        (
            "WARN  LINESMAN_APPROVALS_REQUIRED is 1 and LINESMAN_APPROVERS names 1: a change that an approver requests "
            "cannot be approved, because nobody approves their own."
        )
    ]


async def test_a_large_group_is_not_looked_up_to_the_end(place: Any) -> None:
    """Of a user group with hundreds of members only as many are asked for as the answer needs."""
    many = [f"U0M{number:03}" for number in range(300)]
    for id_ in many:
        place.slack.add_person(id_, name=id_)
    place.slack.add_usergroup("S0MANY", handle="many", members=many)
    place.env |= {"LINESMAN_APPROVERS": "S0MANY", "LINESMAN_APPROVALS_REQUIRED": "3"}

    _, said = await place.check()

    assert "OK    At least 4 people can approve, and a change needs 3 approvals." in said
    assert sum(call.method == "users.info" for call in place.slack.calls) == 5


async def test_names_are_data(place: Any) -> None:
    """A name cannot break a line or move the cursor of the terminal."""
    place.slack.add_person("U0KIM", name="Kim\nOK    \x1b[2JAll is well", guest=True)
    place.env["LINESMAN_OPERATORS"] = "U0KIM"

    _, said = await place.check()

    assert (
        "WARN  LINESMAN_OPERATORS names Kim OK [2JAll is well (U0KIM), who is a guest and may "
        "not act as an operator: remove the id."
    ) in said


async def test_the_people_of_every_rule_are_looked_up(place: Any, tmp_path: Path) -> None:
    """Who a rule names is checked like who a variable names, under the name of the rule; what it inherits is not."""
    place.slack.add_person("U0KIM", name="Kim", deleted=True)
    place.slack.add_usergroup("S0NONE", handle="none", members=[])
    file = tmp_path / "policy.toml"
    file.write_text(
        '[[rule]]\nname = "routing"\nsettings = ["connection_id"]\napprovers = ["U0KIM", "U0MAX"]\n'
        "approvals_required = 2\n\n"
        '[[rule]]\nname = "tags"\nsettings = ["tags"]\nrequesters = ["S0NONE"]\nmention = ["U0KIM", "U0MAX"]\n\n'
        '[[rule]]\nname = "no"\nkinds = ["telnyx.emergency"]\nallow = false\n',
        encoding="utf-8",
    )
    place.env["LINESMAN_POLICY_FILE"] = str(file)

    status, said = await place.check()

    assert status == 1
    assert [line for line in said if "policy.toml" in line] == [
        (
            "WARN  policy.toml, rule 1 “routing”, approvers, names Kim (U0KIM), whose account is "
            "deactivated and may not approve changes: remove the id."
        ),
        (
            "FAIL  No change under policy.toml, rule 1 “routing” can be approved: 1 person can "
            "approve and a change needs 2 approvals. Add ids of active full members, or of user "
            "groups that have some, to policy.toml, rule 1 “routing”, approvers."
        ),
        (
            "WARN  policy.toml, rule 2 “tags”, requesters, names the user group S0NONE, which has no "
            "members, so it allows nobody."
        ),
        ("OK    At least 2 people can approve under policy.toml, rule 2 “tags”, and a change needs 1 approval."),
        (
            "WARN  policy.toml, rule 2 “tags”, mention, names Kim (U0KIM), whose account is deactivated and may not be "
            "mentioned: remove the id."
        ),
    ]


async def test_the_people_of_every_stage_are_looked_up(place: Any, tmp_path: Path) -> None:
    """Each stage has to have people who can approve, fallback approvers included, and says so under its own name."""
    place.slack.add_person("U0KIM", name="Kim", deleted=True)
    file = tmp_path / "policy.toml"
    file.write_text(
        '[[rule]]\nname = "routing"\nsettings = ["connection_id"]\nstages = [\n'
        '{ name = "safety", approvers = ["U0KIM"] },\n'
        '{ name = "network", approvers = ["U0KIM"], fallback_approvers = ["U0MAX"], fallback_after = "2h" },\n]\n',
        encoding="utf-8",
    )
    place.env["LINESMAN_POLICY_FILE"] = str(file)

    status, said = await place.check()

    rule = "policy.toml, rule 1 “routing”"
    gone = "names Kim (U0KIM), whose account is deactivated and may not approve changes: remove the id."
    assert status == 1
    assert [line for line in said if "stage “" in line] == [
        f"WARN  {rule}, stage “safety”, approvers, {gone}",
        f"WARN  {rule}, stage “network”, approvers, {gone}",
        f"OK    {rule}, stage “network”, fallback_approvers, is valid: 1 person may approve changes.",
        (
            f"FAIL  No change in the stage “safety” under {rule} can be approved: nobody can approve and a change "
            "needs 1 approval. Add ids of active full members, or of user groups that have some, to "
            f"{rule}, stage “safety”, approvers."
        ),
        f"OK    1 person can approve in the stage “network” under {rule}, and a change needs 1 approval.",
    ]


@pytest.mark.parametrize(
    ("readers", "who", "line"),
    [
        pytest.param(
            '"*"',
            "every active full member of the workspace",
            ("policy.toml, readers, is valid: every active full member of the workspace may view changes and numbers."),
            id="everybody",
        ),
        pytest.param(
            '"U0KIM"',
            "requesters, approvers and operators, and U0KIM",
            (
                "policy.toml, readers, names Kim (U0KIM), who has not accepted the invitation to the workspace and may "
                "not view changes and numbers: remove the id."
            ),
            id="invited",
        ),
    ],
)
async def test_who_may_look(place: Any, tmp_path: Path, readers: str, who: str, line: str) -> None:
    """Who may look is told in a sentence, and the list of the policy file is looked up as all others are."""
    place.slack.add_person("U0KIM", name="Kim", invited=True)
    file = tmp_path / "policy.toml"
    file.write_text(f"readers = [{readers}]\n", encoding="utf-8")
    place.env["LINESMAN_POLICY_FILE"] = str(file)

    _, said = await place.check()

    told = f"Who may look at changes and numbers: {who}; never guests and people of other workspaces."
    assert [each[6:] for each in said if "may look at changes and numbers:" in each] == [told]
    assert [each[6:] for each in said if "readers" in each] == [line]
