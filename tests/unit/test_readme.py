"""The README and the pages to which it leads say what the code does."""

from __future__ import annotations

import re
import subprocess
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from bot.changes.input.list_query import SORTS
from bot.changes.sheets.stages import MOMENTS, PLAN, RESULTS, Stage
from bot.cli import main
from bot.clients import OFFERS, known_kinds
from bot.config import VARIABLES, load, name_cautions
from bot.config.environment import FORMER
from bot.config.policy.keys import MEANINGS
from bot.endpoints.metrics import METRICS
from bot.slack.commands import COMMANDS
from bot.slack.listeners.commands import ANSWERS
from bot.slack.views.help import help_text

ROOT = Path(__file__).parents[2]
#: The least configuration that is complete.
LEAST = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_APP_TOKEN": "xapp-1",
    "TELNYX_API_KEY": "KEY1",
    "LINESMAN_APPROVAL_CHANNEL": "C0APPROVALS",
}
#: Every kind of this version.
KINDS = [kind for offer in OFFERS for kind in offer.kinds]
#: Page -> what it says: the README for a newcomer, and a page for each sort of reader.
PAGES = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", ".github/USING.md", ".github/POLICY.md", ".github/OPERATING.md")
}
README, USING, POLICY, OPERATING = PAGES.values()


def rows(page: str, heading: str) -> list[str]:
    """Return the rows of the table below a heading of a page, without its head."""
    section = re.split(r"^#{2,4} ", page.split(f"\n{heading}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]
    return [line for line in section.splitlines() if line.startswith("| ")][2:]


def test_the_two_commands_are_printed_as_promised() -> None:
    """One to try it and one to test it, each complete on a machine that has only Python."""
    commands = [line for line in README.splitlines() if line.startswith("python3 -m venv ")]
    install = "python3 -m venv .venv && .venv/bin/pip install -q --require-hashes -r .ci/{} && "
    package = ".venv/bin/pip install -q --no-deps --no-build-isolation {} && "

    assert commands == [
        f"{install.format('requirements.txt')}{package.format('.')}.venv/bin/linesman demo",
        f"{install.format('requirements-dev.txt')}{package.format('-e .')}.venv/bin/pytest",
    ]


def test_the_proof_is_one_command_that_ci_runs_as_it_is_printed() -> None:
    """The whole matrix of faults is one more command, and `.ci/run` takes it from here."""
    commands = [line for line in README.splitlines() if line.startswith(".venv/bin/pytest ")]

    assert commands == [".venv/bin/pytest -n 0 -m faults"]
    assert r"grep -E '^\.venv/bin/pytest ' README.md" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_every_variable_is_in_the_table_as_it_is() -> None:
    """Name, meaning and default stand on the operators' page exactly as the configuration has them."""
    for variable in VARIABLES:
        default = "**required**" if variable.required else f"`{variable.default}`" if variable.default else ""
        assert f"| `{variable.name}` | {variable.meaning} | {default} |" in rows(OPERATING, "## Configuration")


def test_every_former_name_of_a_variable_is_told() -> None:
    """Whoever updates finds what a variable is called now."""
    for old, new in FORMER.items():
        assert f"| `{old}` | `{new}` |" in rows(OPERATING, "## Configuration")


def test_every_setting_is_in_the_table_as_it_is() -> None:
    """The kinds' tables are the only declaration; the users' page repeats them word for word."""
    for kind in KINDS:
        for setting in kind.settings:
            assert f"| `{kind.name}` | `{setting.name}` | {setting.label} | {setting.help} |" in rows(
                USING, "## Settings that can be changed"
            )


def test_every_reason_code_of_ours_is_in_the_table() -> None:
    """What programs may find in the results is listed, all of it and nothing else."""
    files = [path for path in (ROOT / "bot").rglob("*.py") if not {"sandbox", "migrations"} & set(path.parts)]
    codes = {code for path in files for code in re.findall(r'"(linesman\.[a-z_]+)"', path.read_text(encoding="utf-8"))}

    assert len(codes) > 10
    assert set(re.findall(r"^\| `(linesman\.[a-z_]+)` \| \w.*\. \|$", USING, re.MULTILINE)) == codes


def test_every_former_reason_code_is_told() -> None:
    """Programs that know a code of the version before find what it is called now; that code is one of ours."""
    renamed = import_module("bot.store.migrations.versions.0031_result_codes").CODES

    assert [f"| `{old}` | `{new}` |" for old, new in renamed.items()] == [
        row for row in rows(USING, "### Result codes") if re.fullmatch(r"\| `[^`]+` \| `[^`]+` \|", row)
    ]
    assert [new for new in renamed.values() if f"| `{new}` | " not in USING] == []


def test_every_column_of_the_results_is_in_the_table() -> None:
    """What people find in the files is said, and which of it an upload reads."""
    for column in {*RESULTS, *MOMENTS, *PLAN, *(f"({stage.value})" for stage in Stage)}:
        assert column in USING.split("\n## Results\n")[1].split("\n## Settings")[0]


def test_every_command_is_told_in_both_places() -> None:
    """What ``/numbers help`` offers is on the users' page, and the other way round."""
    said = help_text(KINDS)
    for usage in (*(kind.command for kind in KINDS), *(command.usage for command in COMMANDS)):
        assert f"`/numbers {usage}`" in said
        assert f"`/numbers {usage}`" in USING


def test_every_command_is_answered() -> None:
    """The table of commands and the table of answers hold the same words; ``new`` opens the form."""
    assert {*ANSWERS, "new"} == {command.word for command in COMMANDS}


def test_every_word_of_a_list_is_told_in_both_places() -> None:
    """A new word for where a change is is told to people the moment that it is understood."""
    words = [sort.word for sort in SORTS]

    assert [word for word in words if f"`{word}`" not in USING] == []
    assert [word for word in words if f"`{word}`" not in help_text(KINDS)] == []


def test_nothing_else_is_visible_at_the_top() -> None:
    """A newcomer sees five things; everything else is a dot-entry."""
    ignored = {"build", "dist"} | {path.name for path in ROOT.glob("*.egg-info")}
    visible = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} - ignored

    assert visible == {"pyproject.toml", "Dockerfile", "README.md", "bot", "tests"}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_package_is_pinned_with_its_hashes(name: str) -> None:
    """Every requirement is name==version with a hash of each of its files; no address of an index is in the file."""
    text = (ROOT / ".ci" / name).read_text(encoding="utf-8")
    wanted = [line for line in text.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]

    assert len(wanted) > 40
    assert all(
        re.fullmatch(r"[a-z0-9._-]+==\S+ +(?:;[^#]*)?(?:--hash=sha256:[0-9a-f]{64} *)+", line) for line in wanted
    )
    assert "//" not in text


@pytest.mark.parametrize(
    ("name", "extras"),
    [("requirements.txt", ("postgres",)), ("requirements-dev.txt", ("postgres", "otel", "dev"))],
)
def test_what_the_project_names_is_pinned(name: str, extras: tuple[str, ...]) -> None:
    """A fresh machine installs nothing but what is pinned: what is missing there is there only by chance."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [*project["dependencies"], *(each for extra in extras for each in project["optional-dependencies"][extra])]
    pinned = re.findall(r"^([a-z0-9._-]+)==", (ROOT / ".ci" / name).read_text(encoding="utf-8"), re.MULTILINE)

    wanted = {re.split(r"[^\w.-]", each)[0].lower() for each in named}

    assert wanted <= set(pinned), wanted - set(pinned)


def test_what_runs_is_what_is_tested() -> None:
    """The image's packages are among those of the tests, in the same versions with the same hashes."""
    served, tested = (
        (ROOT / ".ci" / name).read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
        for name in ("requirements.txt", "requirements-dev.txt")
    )

    assert {line for line in served if not line.startswith("#")} <= set(tested)


def test_the_policy_example_is_the_one_that_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The policy's page and `linesman policy --example` show one file, read without a problem and with every key."""
    assert main(["policy", "--example"]) == 0
    example = capsys.readouterr().out
    file = tmp_path / "policy.toml"
    file.write_text(example, encoding="utf-8")

    assert POLICY.split("```toml\n")[1].split("```")[0] == example
    assert len(load({**LEAST, "LINESMAN_POLICY_FILE": str(file)}, known_kinds()).policies.rules) == 5
    assert [key for key in MEANINGS if not re.search(rf"^{key} = ", example, re.MULTILINE)] == []


def test_every_policy_key_is_in_the_table_as_it_is() -> None:
    """The keys of the policy file are declared once; the policy's page repeats them word for word, and no other."""
    assert rows(POLICY, "## Keys") == [f"| `{key}` | {meaning} |" for key, meaning in MEANINGS.items()]


def test_every_metric_is_in_the_table_as_it_is() -> None:
    """What Prometheus can ask for is declared once; the operators' page repeats it word for word, and no other."""
    assert rows(OPERATING, "## Metrics") == [
        f"| `{metric.name}` | {metric.sort} | {', '.join(f'`{label}`' for label in metric.labels)} | {metric.meaning} |"
        for metric in METRICS
    ]


def test_every_command_of_the_machine_is_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """What `linesman --help` offers has a row, and the other way round."""
    with pytest.raises(SystemExit):
        main(["--help"])
    offered = re.findall(r"^    (\w+) ", capsys.readouterr().out, re.MULTILINE)

    assert len(offered) > 5
    words = {word for row in rows(OPERATING, "## Command line") for word in re.findall(r"^\| `linesman (\w+)", row)}
    assert words == {*offered}


def test_a_newcomer_sees_what_there_is_at_once() -> None:
    """The first screen has a picture and leads to every section and to every page."""
    first = README.partition("\n## ")[0]
    *sections, last = re.findall(r"^## (.+)$", README, re.MULTILINE)

    assert len(first.splitlines()) < 40
    assert last == "Documents"  # the same for whoever has read to the end
    assert [name for name in sections if f"[{name}](#" not in first] == []
    assert [page for page in PAGES if page != "README.md" and f"({page})" not in first] == []
    assert 'src=".github/pictures/' in first


def test_the_quick_start_is_a_configuration(tmp_path: Path) -> None:
    """Docker takes all that follows a = for the value, a shell does not: both read one thing, and it is complete."""
    [block] = [text for text in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) if "LINESMAN_REQUESTERS=" in text]
    lines = [line.strip() for line in block.splitlines() if line.strip()]
    values = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    filled = {name: value.replace("...", "12345") for name, value in values.items()}
    filled["LINESMAN_SECRET_KEY"] = Fernet.generate_key().decode()
    file = tmp_path / "linesman.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in filled.items()), encoding="utf-8")
    shell = subprocess.run(  # noqa: S603 - the block's own lines
        ["/bin/sh", "-c", f"set -a && . {file} && env"], env={}, capture_output=True, text=True, check=True
    )

    assert [line for line in lines if not re.fullmatch(r"# .+|[A-Z_]+=[\w.=-]+", line)] == []
    assert filled.items() <= dict(line.split("=", 1) for line in shell.stdout.splitlines()).items()
    settings = load(filled, known_kinds())
    assert not settings.policies.fallback.requesters.empty
    assert not settings.policies.fallback.approvers.empty
    assert not settings.policies.fallback.operators.empty
    assert [*name_cautions(filled)] == []


def test_the_steps_name_the_program_where_it_is() -> None:
    """Nothing else puts `linesman` on a newcomer's path: every step of theirs calls it in `.venv`."""
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    calls = [line.strip() for block in blocks for line in block.splitlines() if re.search(r"\blinesman\b", line)]
    bare = [line for line in calls if re.search(r"(?:^|&& |exec )linesman ", line)]

    assert sum(".venv/bin/linesman" in line for line in calls) > 5
    assert bare == []
    assert "git clone ADDRESS linesman && cd linesman\n" in README.partition("python3 -m venv")[0]


@pytest.mark.parametrize("page", [page for page in PAGES if page != "README.md"])
def test_a_page_begins_with_its_contents(page: str) -> None:
    """Whoever comes to a page finds each of its sections, in their order, before the first one."""
    before = PAGES[page].partition("\n## ")[0]

    assert re.findall(r"^ *- \[(.+?)\]\(#", before, re.MULTILINE) == re.findall(
        r"^#{2,3} (.+)$", re.sub(r"```.*?```", "", PAGES[page], flags=re.DOTALL), re.MULTILINE
    )


def test_every_document_is_in_the_table() -> None:
    """Whoever has read the README finds every document beside it and beside the code, but the form for a change."""
    written = {*(ROOT / ".github").glob("*.md"), *(ROOT / "bot").rglob("*.md")}
    told = {ROOT / path for row in rows(README, "## Documents") for path in re.findall(r"\]\((.+?)\)", row)}

    assert written - told == {ROOT / ".github/pull_request_template.md"}


def test_one_thing_has_one_word() -> None:
    """Telnyx and Close are providers wherever somebody reads of them; tests are named as they are."""
    written = [ROOT / "README.md", *(ROOT / ".github").glob("*.md"), *(ROOT / "bot").rglob("README.md")]
    lines = [
        re.sub(r"\w+::\w+", "", line) for path in written for line in path.read_text(encoding="utf-8").splitlines()
    ]

    assert [line for line in lines if re.search(r"(?<!_)carriers?\b", line, re.IGNORECASE)] == []


def test_every_picture_is_ours_and_small() -> None:
    """Pictures need no other host, none is left over, each says what it shows and weighs less than 100 kB."""
    shown = [
        (ROOT / page).parent / path
        for page, text in PAGES.items()
        for path in re.findall(r'<img [^>]*src="([^"]+)" alt="[^"]{10,}">', text)
    ]

    assert len(shown) == sum(text.count("<img ") for text in PAGES.values())
    assert {*shown} == {*(ROOT / ".github" / "pictures").iterdir()}
    for path in shown:
        picture = path.read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert len(picture) < 100_000


def test_the_readme_is_for_a_newcomer() -> None:
    """It has what somebody needs who has never seen Linesman, in that order, and no more than is read in one go."""
    assert re.findall(r"^## (.+)$", README, re.MULTILINE) == [
        "Try it on this machine",
        "Install it in your workspace",
        "Your first change",
        "Development",
        "Documents",
    ]
    assert len(README.splitlines()) < 350


@pytest.mark.parametrize("page", PAGES)
def test_a_transcript_is_folded_away(page: str) -> None:
    """What the demo and others print opens only when somebody asks."""
    folded = "".join(re.findall(r"<details>.*?</details>", PAGES[page], re.DOTALL))

    assert [block for block in re.findall(r"```text\n.*?```", PAGES[page], re.DOTALL) if block not in folded] == []
    assert "▸ Max presses Approve" in folded or page != "README.md"
