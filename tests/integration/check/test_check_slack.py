"""``linesman check`` on the workspace: the bot, its scopes and its channels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

#: What cannot be told without knowing who the bot is.
NEED_THE_BOT: Mapping[str, list[str]] = {
    name: [] for name in ("scopes", "approvals", "failures", "requesters", "approvers", "enough", "operators")
}
SKIPPED = "WARN  The scopes, channels and people were not checked: Slack must accept the bot token first."
#: A port on which nobody listens.
NOWHERE = "http://127.0.0.1:1/"


def case(id_: str, said: Mapping[str, list[str]], spoil: Callable[[Any], object] = lambda _: None, **env: str) -> Any:
    """Return one thing that is wrong: changed variables, what happens to the stand-ins, and what is said then."""
    return pytest.param(env, spoil, said, id=id_)


BOT = [
    case(
        "a bot token that is not valid",
        {
            "bot": [
                (
                    "FAIL  Slack refused (invalid_auth): the bot token is no longer valid; install the app again "
                    "and set SLACK_BOT_TOKEN."
                ),
                SKIPPED,
            ],
            **NEED_THE_BOT,
        },
        SLACK_BOT_TOKEN="xoxb-2222-wrong",
    ),
    case(
        "Slack out of reach",
        {
            "bot": [
                (
                    "FAIL  Slack cannot be reached. Nothing else of Slack can be checked: check "
                    "SLACK_API_URL, and whether it can be reached from here."
                ),
                SKIPPED,
            ],
            **NEED_THE_BOT,
            "socket": ["FAIL  Socket Mode could not be checked. Slack cannot be reached. Run `linesman check` again."],
        },
        SLACK_API_URL=NOWHERE,
    ),
    case(
        "one scope missing",
        {
            "scopes": [
                (
                    "FAIL  The app lacks 1 scope: files:write (puts result sheets into the thread). Paste "
                    "what `linesman manifest` prints into your Slack app's App Manifest, reinstall the app, "
                    "and set SLACK_BOT_TOKEN to the new token."
                )
            ]
        },
        lambda place: place.slack.scopes.discard("files:write"),
    ),
    case(
        "scopes missing that the check itself needs",
        {
            "scopes": [
                (
                    "FAIL  The app lacks 2 scopes: users:read (sees whether a person is active, a guest or a "
                    "bot before a decision counts), usergroups:read (sees who is in the user groups that may "
                    "request or approve). Paste what `linesman manifest` prints into your Slack app's App "
                    "Manifest, reinstall the app, and set SLACK_BOT_TOKEN to the new token."
                )
            ],
            "requesters": [
                (
                    "FAIL  LINESMAN_REQUESTERS names U0ANA, and Slack did not say who that is. Slack refused "
                    "(missing_scope): the app lacks a scope; compare it with `linesman manifest` and install it again."
                ),
                (
                    "FAIL  LINESMAN_REQUESTERS names the user group S0OPS, which cannot be read. Slack refused "
                    "(missing_scope): the app lacks a scope; compare it with `linesman manifest` and install it again."
                ),
            ],
            "approvers": [
                (
                    "FAIL  LINESMAN_APPROVERS names U0EVA, U0MAX, and Slack did not say who that is. Slack refused "
                    "(missing_scope): the app lacks a scope; compare it with `linesman manifest` and install it again."
                )
            ],
            "enough": [
                (
                    "FAIL  No change can be approved: nobody can approve and a change needs 1 approval. Add "
                    "ids of active full members, or of user groups that have some, to LINESMAN_APPROVERS."
                )
            ],
            "operators": [
                (
                    "FAIL  LINESMAN_OPERATORS names U0ANA, and Slack did not say who that is. Slack refused "
                    "(missing_scope): the app lacks a scope; compare it with `linesman manifest` and install it again."
                )
            ],
        },
        lambda place: place.slack.scopes.difference_update({"users:read", "usergroups:read"}),
        APPROVERS="U0MAX,U0EVA",
    ),
    case(
        "an app token that is not valid",
        {
            "socket": [
                (
                    "FAIL  Slack does not open Socket Mode (invalid_auth): turn it on in your Slack app's "
                    "settings, create an app-level token with the scope connections:write there, and set "
                    "SLACK_APP_TOKEN to it."
                )
            ]
        },
        SLACK_APP_TOKEN="xapp-2-wrong",
    ),
    case(
        "Slack asks to slow down, and the check does",
        {},
        lambda place: place.slack.faults.add(method="*", kind="rate_limited", times=7, retry_after=0),
    ),
]

CHANNELS = [
    case("one channel for both", {"failures": []}, FAILURE_CHANNEL="C0APPROVE"),
    case(
        "no such channel",
        {
            "approvals": [
                (
                    "FAIL  The approval channel C0NONE does not exist, or is private and Linesman is not in "
                    "it: type `/invite @linesman` there, or set LINESMAN_APPROVAL_CHANNEL to another channel."
                )
            ]
        },
        APPROVAL_CHANNEL="C0NONE",
    ),
    case(
        "a private channel without the bot",
        {
            "failures": [
                (
                    "FAIL  The failure channel C0HIDDEN does not exist, or is private and Linesman is not in "
                    "it: type `/invite @linesman` there, or set LINESMAN_FAILURE_CHANNEL to another channel."
                )
            ]
        },
        lambda place: place.slack.add_channel("C0HIDDEN", name="hidden", private=True, bot_is_member=False),
        FAILURE_CHANNEL="C0HIDDEN",
    ),
    case(
        "a public channel without the bot",
        {
            "approvals": [
                "FAIL  Linesman is not in the approval channel #open (C0OPEN): type `/invite @linesman` there."
            ]
        },
        lambda place: place.slack.add_channel("C0OPEN", name="open", bot_is_member=False),
        APPROVAL_CHANNEL="C0OPEN",
    ),
    case(
        "an archived channel",
        {
            "failures": [
                (
                    "FAIL  The failure channel #old (C0OLD) is archived: unarchive it, or set "
                    "LINESMAN_FAILURE_CHANNEL to another channel."
                )
            ]
        },
        lambda place: place.slack.add_channel("C0OLD", name="old", archived=True),
        FAILURE_CHANNEL="C0OLD",
    ),
    case(
        "a channel that Slack does not tell about",
        {"failures": ["FAIL  The failure channel C0FAIL could not be checked. Slack had an internal error."]},
        lambda place: place.slack.faults.add(
            method="conversations.info", kind="status", where=lambda params: params["channel"] == "C0FAIL"
        ),
    ),
]


async def test_the_channels_of_rules(place: Any, tmp_path: Path) -> None:
    """Each channel that a rule names is looked at once, under the rules' names; one of the variables only as such."""
    place.slack.add_channel("C0SAFETY", name="safety")
    place.slack.add_channel("C0OLD", name="old", archived=True)
    file = tmp_path / "policy.toml"
    file.write_text(
        '[[rule]]\nname = "emergency"\nkinds = ["telnyx.emergency"]\napproval_channel = "C0SAFETY"\n'
        'failure_channel = "C0OLD"\n\n'
        '[[rule]]\nname = "tags"\nsettings = ["tags"]\napproval_channel = "C0APPROVE"\nfailure_channel = "C0SAFETY"\n\n'
        '[[rule]]\nname = "rest"\napproval_channel = "C0NONE"\n',
        encoding="utf-8",
    )
    place.env["LINESMAN_POLICY_FILE"] = str(file)

    status, said = await place.check()

    assert status == 1
    assert [line for line in said if "channel of policy.toml" in line] == [
        (
            "OK    Linesman is in the approval channel of policy.toml, rule 1 “emergency” and failure channel of "
            "policy.toml, rule 2 “tags” #safety (C0SAFETY)."
        ),
        (
            "FAIL  The failure channel of policy.toml, rule 1 “emergency” #old (C0OLD) is archived: unarchive it, or "
            "name another channel there."
        ),
        (
            "FAIL  The approval channel of policy.toml, rule 3 “rest” C0NONE does not exist, or is private and "
            "Linesman is not in it: type `/invite @linesman` there, or name another channel there."
        ),
    ]
    assert "OK    Linesman is in the approval channel #approvals (C0APPROVE)." in said


@pytest.mark.parametrize(("env", "spoil", "said"), BOT)
async def test_bot(
    place: Any, env: Mapping[str, str], spoil: Callable[[Any], object], said: Mapping[str, list[str]]
) -> None:
    """A token or scope that does not do is named with the way to get one that does."""
    spoil(place)

    await place.tells(said, **env)


@pytest.mark.parametrize(("env", "spoil", "said"), CHANNELS)
async def test_channels(
    place: Any, env: Mapping[str, str], spoil: Callable[[Any], object], said: Mapping[str, list[str]]
) -> None:
    """A channel where Linesman could not post is named with what to do about it."""
    spoil(place)

    await place.tells(said, **env)


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (
            {"ok": True, "team_id": "T0", "team": "Odd", "user_id": "U0BOT", "user": "linesman"},
            "WARN  Slack did not say which scopes the app has: compare them with `linesman manifest`.",
        ),
        ({"ok": True}, "FAIL  The bot token could not be checked (KeyError): read the log above, and report it."),
    ],
    ids=["no scopes", "no workspace"],
)
async def test_odd_answers(place: Any, answer: dict[str, Any], line: str) -> None:
    """An answer without what it should have is told as such and breaks nothing else."""

    async def answered(_: web.Request) -> web.Response:
        return web.json_response(answer)

    app = web.Application()
    app.router.add_route("*", "/api/auth.test", answered)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        place.env["SLACK_API_URL"] = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
        status, said = await place.check()
    finally:
        await runner.cleanup()

    assert line in said
    assert said[-1:] == place.good()["telnyx"]
    assert status == 1
