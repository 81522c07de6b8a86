"""``linesman check`` where one thing is spoilt: that is said, in these words, and all the rest is told as well."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.checks import check
from bot.config import load
from bot.sandbox.close import CloseStandIn

NO_KEY = (
    "WARN  LINESMAN_SECRET_KEY is not set: secret settings (the external PIN) are not offered. Make a key with "
    '`python3 -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"`.'
)


def case(id_: str, said: Mapping[str, list[str]], spoil: Callable[[Any], object] = lambda _: None, **env: str) -> Any:
    """Return one thing that is wrong: changed variables, what happens to the stand-ins, and what is said then."""
    return pytest.param(env, spoil, said, id=id_)


CONFIGURATION = [
    case("no secret key", {"+configuration": [NO_KEY]}, SECRET_KEY=""),
    case(
        "no requesters",
        {
            "+configuration": ["WARN  LINESMAN_REQUESTERS is empty: nobody can request a change."],
            "requesters": [],
        },
        REQUESTERS="",
    ),
    case(
        "no operators",
        {
            "+configuration": [
                (
                    "WARN  LINESMAN_OPERATORS is empty: nobody can unlock numbers, freeze submissions or "
                    "resolve unknown jobs."
                )
            ],
            "operators": [],
        },
        OPERATORS="",
    ),
    case(
        "no approvers",
        {
            "+configuration": ["WARN  LINESMAN_APPROVERS is empty: no change can be approved."],
            "approvers": [],
            "enough": [
                (
                    "FAIL  No change can be approved: nobody can approve and a change needs 1 approval. Add "
                    "ids of active full members, or of user groups that have some, to LINESMAN_APPROVERS."
                )
            ],
        },
        APPROVERS="",
    ),
    case(
        "HTTP mode",
        {"socket": [], "port": ["OK    The HTTP server can listen on a free port of 0.0.0.0."]},
        SLACK_APP_TOKEN="",
        SLACK_SIGNING_SECRET="8f742231b10e8888abcd99yyyzzz85a5",
    ),
]

PROVIDERS = [
    case(
        "an API key that is not valid",
        {
            "telnyx": [
                (
                    "FAIL  Telnyx does not accept the API key; set TELNYX_API_KEY to a valid one. It says: “Could not "
                    "understand the provided credentials.”."
                )
            ]
        },
        TELNYX_API_KEY="KEY9876543210",
    ),
    case(
        "an API key with too few rights",
        {
            "telnyx": [
                (
                    "FAIL  Telnyx does not allow this for the API key. It says: “You are not authorized to access the "
                    "requested resource.”."
                )
            ]
        },
        lambda place: place.telnyx.faults.add(kind="status", status=403),
    ),
    case(
        "a proxy that lets nothing through",
        {
            "telnyx": [
                (
                    "FAIL  Telnyx gives no usable answer right now, nothing was changed: the answer (403) is a web "
                    "page, so it comes from a proxy or gateway on the way and says nothing about the API key; ask "
                    "whoever runs the network between Linesman and Telnyx."
                )
            ]
        },
        lambda place: place.telnyx.faults.add(kind="gateway", status=403, times=None),
    ),
]


async def test_all_is_well(place: Any) -> None:
    """Where nothing is wrong every line begins with ok and the exit status is 0."""
    status, said = await place.check()

    assert said == [line for lines in place.good().values() for line in lines]
    assert all(line.startswith("OK    ") for line in said)
    assert status == 0


async def test_the_port_is_tried(place: Any) -> None:
    """A port that another program has, or a host that is not this machine, keeps Linesman from starting."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        line = f"FAIL  Another program uses port {taken} of 127.0.0.1: stop it, or set PORT to another port."
        await place.tells({"port": [line]}, PORT=str(taken))


async def test_a_misspelt_variable(place: Any) -> None:
    """A variable that would be without effect and without a word is told with the one that is meant."""
    place.monkeypatch.setenv("LINSEMAN_STUCK_AFTER", "600")

    status, said = await place.check()

    assert said[2] == (
        "WARN  LINSEMAN_STUCK_AFTER looks like a misspelt LINESMAN_STUCK_AFTER: Linesman does not read it. Correct it, "
        "or unset it."
    )
    assert status == 0


async def test_a_former_name(place: Any) -> None:
    """A variable under the name that it had in an earlier version works, and is told with its name of now."""
    place.env["LINESMAN_SETTLE_SECONDS"] = "90"

    status, said = await place.check()

    assert said[2] == (
        "WARN  LINESMAN_SETTLE_SECONDS is now called LINESMAN_RECONCILE_SECONDS: rename it. The old name still works."
    )
    assert status == 0


@pytest.mark.parametrize(("env", "spoil", "said"), CONFIGURATION)
async def test_configuration(
    place: Any, env: Mapping[str, str], spoil: Callable[[Any], object], said: Mapping[str, list[str]]
) -> None:
    """What the configuration allows and probably does not mean is said once."""
    spoil(place)

    await place.tells(said, **env)


@pytest.mark.parametrize(("env", "spoil", "said"), PROVIDERS)
async def test_providers(
    place: Any, env: Mapping[str, str], spoil: Callable[[Any], object], said: Mapping[str, list[str]]
) -> None:
    """What the provider says against the key is said."""
    spoil(place)

    await place.tells(said, **env)


async def test_close_is_really_asked(place: Any) -> None:
    """Close says whose credentials they are; beside Telnyx it is one line more."""
    async with CloseStandIn(api_key="api_right", access_token="oauth_right") as close:
        url = {"CLOSE_API_URL": close.url}
        mine = "OK    Close accepts the credentials; they belong to Line Robot."
        await place.tells({"+telnyx": [mine]}, CLOSE_API_KEY="api_right", **url)
        assert [call.path for call in close.calls] == ["/me/"]

        wrong = (
            "FAIL  Close does not accept the credentials; set CLOSE_API_KEY or CLOSE_ACCESS_TOKEN to valid ones. "
            "It says: “Unauthorized”."
        )
        await place.tells({"+telnyx": [wrong]}, CLOSE_API_KEY="api_wrong", **url)


async def test_a_clock_that_differs_from_the_carriers_is_told(place: Any) -> None:
    """It is a warning: work is safe, and the machine's clock has to be put right all the same."""
    place.telnyx.advance(-3700)

    status, told = await place.check()

    assert status == 0
    assert told[-2:-1] == place.good()["telnyx"]
    assert told[-1].startswith("WARN  This machine's clock is 62 min ahead of Telnyx's clock.")


async def test_a_clock_that_differs_from_slacks_is_told(place: Any) -> None:
    """The answer to the first question says what time it is at Slack."""
    place.slack.workspace.clock = lambda: datetime.now(UTC) + timedelta(minutes=7)

    status, told = await place.check()

    assert status == 0
    assert any(line.startswith("WARN  This machine's clock is 7 min behind Slack's clock.") for line in told)


async def test_every_problem_at_once(place: Any) -> None:
    """Several things that are wrong are all told in one run."""
    place.slack.scopes.discard("im:write")
    place.env |= {"LINESMAN_APPROVAL_CHANNEL": "C0NONE", "SLACK_APP_TOKEN": "xapp-2-wrong"}
    place.env |= {"TELNYX_API_KEY": "KEY9876543210", "LINESMAN_OPERATORS": "U0NONE"}

    status, said = await place.check()

    assert [line[:40] for line in said if line.startswith("FAIL")] == [
        "FAIL  The app lacks 1 scope: im:write (w",
        "FAIL  The approval channel C0NONE does n",
        "FAIL  LINESMAN_OPERATORS names U0NONE, w",
        "FAIL  Slack does not open Socket Mode (i",
        "FAIL  Telnyx does not accept the API key",
    ]
    assert status == 1


async def test_nothing_is_changed(place: Any) -> None:
    """The check posts nothing, connects no socket, makes no file and only reads at the provider."""
    await place.check()

    asked = {call.method for call in place.slack.calls}
    assert asked == {
        "apps.connections.open",
        "auth.test",
        "conversations.info",
        "usergroups.users.list",
        "users.info",
    }
    assert place.slack.sockets == 0
    assert {call.method for call in place.telnyx.calls} == {"GET"}
    assert list(place.file.parent.iterdir()) == []


async def test_time_is_bounded(place: Any) -> None:
    """A service that does not answer costs the check its limit and not more, and the others are told."""
    place.slack.faults.add(method="apps.connections.open", kind="delay", seconds=20)
    place.slack.faults.add(method="conversations.info", kind="delay", seconds=20)
    place.slack.faults.add(method="users.info", kind="rate_limited", retry_after=20)
    place.telnyx.faults.add(kind="delay", seconds=20)
    said: list[str] = []

    async with asyncio.timeout(60):
        status = await check(load(place.env), said.append, limit=1.0)

    good = place.good()
    assert said == [
        f"{line}\n"
        for line in (
            *(line for name in ("configuration", "database", "port", "bot", "scopes") for line in good[name]),
            (
                "FAIL  The channels could not be checked within 1 s: check SLACK_API_URL, and whether it "
                "can be reached from here."
            ),
            (
                "FAIL  The people could not be checked within 1 s: Slack is slow or asks to slow down, so run "
                "`linesman check` again in a minute."
            ),
            (
                "FAIL  Socket Mode could not be checked within 1 s: check SLACK_API_URL, and whether it "
                "can be reached from here."
            ),
            (
                "FAIL  Telnyx could not be checked within 1 s: check TELNYX_API_URL, and whether it can "
                "be reached from here."
            ),
        )
    ]
    assert status == 1


async def test_as_a_process(place: Any) -> None:
    """``python -m bot check`` writes the report to its standard output and nothing else, and exits with the status."""
    place.slack.scopes.discard("im:write")
    place.env["LINESMAN_LOG_LEVEL"] = "error"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "check",
        env={"PATH": os.environ["PATH"], **place.env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 30)

    said = out.decode().splitlines()
    assert [line[:5].rstrip() for line in said] == ["OK"] * 5 + ["FAIL"] + ["OK"] * 8
    assert (process.returncode, err) == (1, b"")
