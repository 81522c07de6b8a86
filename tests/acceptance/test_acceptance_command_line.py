"""The command line, as an operator meets it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sqlite3
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import pytest

from bot.sandbox.slack import FaultKind
from tests.acceptance.process import PATIENCE, linesman
from tests.acceptance.stage import Stage, free_port


async def test_a_second_instance_on_the_same_file_is_refused(stage: Stage) -> None:
    """Started twice on one SQLite file, the second says what to do and exits with 1; the first goes on."""
    await stage.start()

    second = await linesman("serve", env=stage.process.env | {"PORT": str(free_port())})

    assert second.status == 1
    assert f"✗ Another Linesman is using {stage.database}; stop it first" in second.err
    assert await stage.process.read("/readyz") == (200, "ready")


async def test_a_port_in_use_is_told_before_anything_waits_for_slack(stage: Stage) -> None:
    """While Slack is silent, somebody else's port ends the start with one sentence."""
    stage.slack.faults.add(method="auth.test", kind="delay", seconds=600, times=100)
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        ended = await linesman("serve", env=stage.process.env | {"PORT": taken})

    assert ended.status == 1
    assert f"✗ Another program uses port {taken} of 127.0.0.1: stop it" in ended.err
    assert "Traceback" not in ended.err
    assert not stage.database.exists()


@pytest.mark.parametrize(
    ("transport", "method"), [("http", "auth.test"), ("socket", "auth.test"), ("socket", "apps.connections.open")]
)
@pytest.mark.parametrize("kind", ["delay", "drop_before"])
async def test_a_stop_while_slack_is_waited_for_is_no_error(stage: Stage, method: str, kind: FaultKind) -> None:
    """SIGTERM ends a start that Slack keeps waiting, with status 0 and without a word about errors."""
    stage.slack.faults.add(method=method, kind=kind, seconds=600, times=1000)
    await stage.process.launch()
    await stage.slack.wait_for(
        lambda: any(call.method == method for call in stage.slack.calls), what="the first question", timeout=PATIENCE
    )
    stage.process.strike(signal.SIGTERM)

    assert await stage.process.gone() == 0
    levels = {json.loads(line)["level"] for line in stage.process.written().splitlines()}
    assert levels <= {"info", "warning"}
    assert "Traceback" not in stage.process.written()


@pytest.mark.parametrize("transport", ["socket"])
async def test_an_app_token_that_slack_refuses_ends_the_start(stage: Stage) -> None:
    """It is told in one sentence, as the bot token is, and not tried for ever."""
    ended = await linesman("serve", env=stage.process.env | {"SLACK_APP_TOKEN": "xapp-of-another-app"})

    assert ended.status == 1
    assert "✗ Slack refused (invalid_auth)" in ended.err
    assert "Traceback" not in ended.err


async def test_the_database_alone_needs_no_secrets(stage: Stage) -> None:
    """Migrating and exporting know nothing of Slack and the providers; what cannot be read is named by its event."""
    env = {"DATABASE_URL": stage.process.env["DATABASE_URL"]}
    made = await linesman("migrate", env=env)
    misled = await linesman("export", "--output", str(stage.folder), env=env)
    exported = await linesman("export", "--output", str(stage.folder / "trail.csv"), env=env)
    with closing(sqlite3.connect(stage.database)) as connection, connection:
        connection.execute("UPDATE events SET details = '{' WHERE id = 1")
    proven = await linesman("export", "--verify", env=env)

    assert (made.status, misled.status, exported.status, proven.status) == (0, 1, 0, 1)
    assert misled.err == f"✗ {stage.folder} is a folder, not a file: give --output a file in it.\n"
    assert "✓ 0 events" in exported.err  # what wrote nothing is not in the audit log
    assert (stage.folder / "trail.csv").stat().st_mode & 0o777 == 0o600
    assert "✗ The audit log breaks at event 1: it cannot be read" in proven.err
    assert "Traceback" not in proven.err


async def test_an_export_replaces_no_device_and_no_link(stage: Stage) -> None:
    """A pipe or a device given as the file stays what it is; of a link, what it leads to is written."""
    env = {"DATABASE_URL": stage.process.env["DATABASE_URL"]}
    pipe, link, target = (stage.folder / name for name in ("pipe", "link", "trail.csv"))
    os.mkfifo(pipe)
    link.symlink_to(target)
    await linesman("migrate", env=env)

    refused = await linesman("export", "--output", str(pipe), env=env)
    written = await linesman("export", "--output", str(link), env=env)

    assert (refused.status, written.status) == (1, 0)
    assert refused.err == f"✗ {pipe} is not a file: give --output one, or leave it out for standard output.\n"
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert target.is_file()


async def test_a_deleted_lock_file_lets_no_second_instance_in(stage: Stage) -> None:
    """The first goes on; the second is refused by the database itself."""
    await stage.start()
    stage.database.with_name("linesman.db.lock").unlink()

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
    assert "7 problems to fix; nothing was started." in ended.err
    assert "wrong-kind-of-token-1" not in ended.err + ended.out
    assert "Traceback" not in ended.err


async def test_migrating_twice_is_migrating_once_and_the_future_is_refused(stage: Stage) -> None:
    """The first `migrate` makes the tables, the second finds them; a database of a newer version is left alone."""
    first = await linesman("migrate", env=stage.process.env)
    second = await linesman("migrate", env=stage.process.env)
    made = _revision(stage.database)

    assert (first.status, second.status) == (0, 0)
    assert first.out == f"Created the tables of the database, at {made}.\n"
    assert second.out == f"The database is already at {made}.\n"

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
