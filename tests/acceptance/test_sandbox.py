"""``linesman sandbox`` as somebody runs it who has just installed Linesman."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.request import ProxyHandler, build_opener

import pytest

ROOT: Final = Path(__file__).parents[2]
SANDBOX: Final = (sys.executable, "-m", "bot", "sandbox", "--no-browser")


def children(process: int) -> list[int]:
    """Return the processes that a process has started."""
    return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def runs(process: int) -> bool:
    """Return whether a process is there and has not ended; one that has, and is still listed, has no command."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return bool(Path(f"/proc/{process}/cmdline").read_bytes())
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=["control-c", "term", "hangup"])
def test_it_says_where_it_is_and_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    """The page is at the address that is printed; when it is ended, so is the bot, and the folder is gone."""
    mine = {"LINESMAN_APPROVERS": "U0NOBODY", "DATABASE_URL": "nonsense", "TMPDIR": str(tmp_path)}
    with subprocess.Popen(  # noqa: S603 - our own command
        [*SANDBOX, "--port", "0"],
        cwd=ROOT,
        env={**os.environ, **mine},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as sandbox:
        assert sandbox.stdout is not None
        url = re.fullmatch(r"The sandbox is at (http://127\.0\.0\.1:\d+)\n", sandbox.stdout.readline())
        assert url is not None
        assert sandbox.stdout.readline() == "Ctrl-C ends it, and nothing of it stays.\n"
        with build_opener(ProxyHandler({})).open(url[1], timeout=10) as page:
            assert "<title>" in page.read().decode()
        [bot] = children(sandbox.pid)
        assert len(list(tmp_path.iterdir())) == 1
        sandbox.send_signal(number)
        rest, _ = sandbox.communicate(timeout=15)

    assert (sandbox.returncode, rest) == (0, "")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(bot, 0)


def test_a_sandbox_that_is_killed_takes_the_bot_with_it(tmp_path: Path) -> None:
    """Nobody can be asked to end it then: it notices by itself."""
    with subprocess.Popen(  # noqa: S603 - our own command
        [*SANDBOX, "--port", "0"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as sandbox:
        assert sandbox.stdout is not None
        assert sandbox.stdout.readline()
        [bot] = children(sandbox.pid)
        assert runs(bot)
        sandbox.kill()
    deadline = time.monotonic() + 30
    while runs(bot) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert not runs(bot)


@pytest.mark.parametrize(
    ("port", "status", "says"),
    [
        ("taken", 1, "✗ Another program uses port {port}: stop it, or give another one, such as --port {next}.\n"),
        ("99999", 2, "'99999' is not a port: give a number from 0 to 65535"),
        ("http", 2, "'http' is not a port: give a number from 0 to 65535"),
    ],
)
def test_a_port_that_cannot_be_had_is_told_in_a_sentence(tmp_path: Path, port: str, status: int, says: str) -> None:
    """Nothing is started, and what to do is said."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        done = subprocess.run(  # noqa: S603 - our own command
            [*SANDBOX, "--port", port.replace("taken", str(taken))],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(tmp_path)},
            capture_output=True,
            timeout=60,
            check=False,
            encoding="utf-8",
        )

    assert done.returncode == status
    assert says.format(port=taken, next=taken + 1) in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
