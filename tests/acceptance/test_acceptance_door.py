"""The command line, as an operator meets it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

from tests.acceptance.process import linesman
from tests.acceptance.stage import Stage, free_port


async def test_a_second_instance_on_the_same_file_is_refused(stage: Stage) -> None:
    """Started twice on one SQLite file, the second says what to do and exits with 1; the first goes on."""
    await stage.start()

    second = await linesman("serve", env=stage.process.env | {"PORT": str(free_port())})

    assert second.status == 1
    assert f"✗ Another Linesman is using {stage.database}; stop it first" in second.err
    assert await stage.process.read("/readyz") == (200, "ready")


async def test_a_wrong_configuration_is_told_whole() -> None:
    """Every variable that is wrong is named with what to do, secrets are not repeated, and the status is 2."""
    wrong = {
        "SLACK_BOT_TOKEN": "wrong-kind-of-token-1",
        "TELNYX_API_KEY": "KEY0acceptance0001",
        "PORT": "many",
        "LINESMAN_REQUESTERS": "somebody",
        "LINESMAN_POLL_MIN": "-1",
        "LINESMAN_APROVERS": "U0MAX",
    }

    ended = await linesman("serve", env=wrong)
    problems = [line.split()[1] for line in ended.err.splitlines() if line.startswith("✗")]

    assert ended.status == 2
    assert sorted(problems) == sorted(
        {*wrong} - {"TELNYX_API_KEY"} | {"SLACK_SIGNING_SECRET", "LINESMAN_APPROVAL_CHANNEL"}
    )
    assert "did you mean LINESMAN_APPROVERS?" in ended.err
    assert "7 to put right; nothing was started." in ended.err
    assert "wrong-kind-of-token-1" not in ended.err + ended.out
    assert "Traceback" not in ended.err


async def test_migrating_twice_is_migrating_once_and_the_future_is_refused(stage: Stage) -> None:
    """The first `migrate` makes the tables, the second finds them; a database of a newer version is left alone."""
    first = await linesman("migrate", env=stage.process.env)
    second = await linesman("migrate", env=stage.process.env)
    made = _revision(stage.database)

    assert (first.status, second.status) == (0, 0)
    assert first.out == f"The database was at revision - and is at {made}.\n"
    assert second.out == f"The database was at revision {made} and is at {made}.\n"

    with closing(sqlite3.connect(stage.database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    refused, served = await asyncio.gather(
        linesman("migrate", env=stage.process.env),
        linesman("serve", env=stage.process.env | {"DATABASE_URL": f"sqlite+aiosqlite:///{_copy(stage.database)}"}),
    )

    for ended in (refused, served):
        assert ended.status == 1
        assert "✗ The database has revision 9999, which this version does not know" in ended.err
        assert "Traceback" not in ended.err
    assert _revision(stage.database) == "9999"
    assert stage.slack.calls == []


async def test_the_manifest_is_printed_for_either_transport() -> None:
    """`manifest` prints the JSON of a Slack app for Socket Mode, or with `--url` for HTTP at that address."""
    socket, http, plain = await asyncio.gather(
        linesman("manifest"),
        linesman("manifest", "--url", "https://linesman.example.com"),
        linesman("manifest", "--url", "http://linesman.example.com"),
    )
    by_socket, by_http = json.loads(socket.out), json.loads(http.out)

    assert (socket.status, http.status, plain.status) == (0, 0, 2)
    assert (socket.err, http.err, plain.out) == ("", "", "")
    assert by_socket["settings"]["socket_mode_enabled"] is True
    assert by_http["settings"]["socket_mode_enabled"] is False
    assert "request_url" not in by_socket["settings"]["interactivity"]
    events = "https://linesman.example.com/slack/events"
    assert by_http["settings"]["interactivity"]["request_url"] == events
    assert by_http["settings"]["event_subscriptions"]["request_url"] == events
    assert [command["url"] for command in by_http["features"]["slash_commands"]] == [events]
    assert by_http["oauth_config"] == by_socket["oauth_config"]
    assert "https" in plain.err


async def test_the_version_is_printed() -> None:
    """`python -m bot --version` names the product and its version, without any configuration."""
    ended = await linesman("--version")

    assert (ended.status, ended.out, ended.err) == (0, f"linesman {version('linesman')}\n", "")


def _revision(database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection:
        [(revision,)] = connection.execute("SELECT version_num FROM alembic_version")
    return str(revision)


def _copy(database: Path) -> Path:
    """Return a copy, for a second process that wants a database of its own."""
    copy = database.with_name("copy.db")
    copy.write_bytes(database.read_bytes())
    return copy
