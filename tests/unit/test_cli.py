"""The door opens at once: what a command does not need is not imported for it."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import pytest

from bot import cli
from bot.cli import COMMANDS

ROOT = Path(__file__).parents[2]
#: Runs the command line and then names, on standard error, what it imported that is neither Python's nor ours.
RUN = """
import sys
before = {*sys.modules}
from bot.cli import main
try:
    status = main(sys.argv[1:])
except SystemExit as ended:
    status = ended.code
tops = {name.partition(".")[0] for name in {*sys.modules} - before}
print(*sorted(tops - {*sys.stdlib_module_names, "bot"}), file=sys.stderr)
sys.exit(status)
"""


def run(*arguments: str) -> tuple[str, list[str]]:
    """Return what a command of a fresh interpreter prints, and which foreign packages it imported."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and our own text
        [sys.executable, "-c", RUN, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout, done.stderr.split()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--help"], "usage: linesman [-h]"),
        (["--version"], f"linesman {version('linesman')}\n"),
        (["manifest"], '"slash_commands"'),
        (["manifest", "--help"], "--socket-mode"),
        (["manifest", "--url", "https://linesman.example.com"], "https://linesman.example.com/slack/events"),
    ],
)
def test_what_needs_nothing_imports_nothing(arguments: list[str], says: str) -> None:
    """Most of the time of a start goes into Slack's, pydantic's and SQLAlchemy's modules; these want none of them."""
    printed, imported = run(*arguments)

    assert says in printed
    assert imported == []


def test_foreign_packages_are_seen_where_they_are_needed() -> None:
    """The count can fail: a command that works on the database imports what that takes."""
    assert {"pydantic", "sqlalchemy", "structlog"} <= {*run("migrate", "--help")[1]}


def test_every_module_of_a_command_is_a_command() -> None:
    """What is in the folder is in the table, and the other way round; each can be asked what it takes."""
    modules = {file.stem for file in (ROOT / "bot" / "commands").glob("*.py")}
    offered = re.findall(r"^    (\w+) ", run("--help")[0], re.MULTILINE)

    assert modules - {"__init__", "environment"} == {*COMMANDS} == {*offered}


def into(output: str, *arguments: str, **env: str) -> tuple[int, str]:
    """Run a command whose standard output is ``output``, as a shell writes it; return its status and what it says."""
    command = ["/bin/sh", "-c", f'exec "$0" -m bot "$@" {output}', sys.executable, *arguments]
    done = subprocess.run(  # noqa: S603 - our own interpreter and our own text
        command, cwd=ROOT, env={**os.environ, **env}, stderr=subprocess.PIPE, text=True, check=False
    )
    return done.returncode, done.stderr


#: Where nothing can be written -> how that is said.
NOWHERE = {
    ">/dev/full": "Cannot write to standard output: No space left on device.\n",
    ">&-": "Cannot write to standard output: Bad file descriptor.\n",
}


@pytest.mark.parametrize("output", NOWHERE)
@pytest.mark.parametrize("command", ["--help", "--version", "manifest", "policy --example"])
def test_output_that_takes_nothing_is_one_sentence(command: str, output: str) -> None:
    """Status 1 and no traceback, also of what would come out only when Python ends."""
    assert into(output, *command.split()) == (1, f"✗ {NOWHERE[output]}")


@pytest.mark.parametrize("output", NOWHERE)
def test_what_is_done_is_done_though_nobody_can_be_told(output: str, tmp_path: Path) -> None:
    """A backup that is whole has status 0, and what there is to say comes out on standard error."""
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("CREATE TABLE things (thing TEXT)")
    copy = tmp_path / "copy.db"

    status, said = into(output, "backup", str(copy), DATABASE_URL=f"sqlite+aiosqlite:///{tmp_path}/a.db")

    assert copy.exists()
    assert (status, said.splitlines()[1:]) == (0, [NOWHERE[output].strip()])
    assert said.startswith(f"✓ {copy} is a complete copy of the database.")


def test_control_c_is_no_accident_while_a_command_is_being_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends with 130 and no traceback, as it does later: imports take seconds on a busy machine."""

    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "import_module", interrupted)

    assert cli.main(["serve"]) == 130
