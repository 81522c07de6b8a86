"""The architecture page, `bot/README.md`, says what the code says."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Final

import pytest

from bot.changes.model import lifecycle
from bot.store.queue.tasks import ON_BATCHES, ON_NO_CHANGE, Task, handlers_of

BOT: Final = Path(__file__).parents[2] / "bot"
PAGE: Final = (BOT / "README.md").read_text(encoding="utf-8")
#: Who takes part in a sequence without being a class of ours.
OUTSIDERS: Final = {"Requester", "Approver", "Slack", "Listener", "Database", "Provider"}

_CLASS: Final = re.compile(r"^class (\w+)\b", re.MULTILINE)


def section(heading: str) -> str:
    """Return what stands below a heading, up to the next one of any level."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, f"bot/README.md has no heading {heading}"
    return found[1]


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading, without its first two lines."""
    lines = [line for line in section(heading).splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines[2:]]


def classes(path: Path) -> set[str]:
    """Return the names of the classes that a module defines."""
    return set(_CLASS.findall(path.read_text(encoding="utf-8")))


def handlers() -> Iterator[tuple[str, str, str]]:
    """Yield the value of each task, who handles it as ``Class.method``, and in which module, as the code marks them."""
    for path in (BOT / "workflow").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for owner in (node for node in tree.body if isinstance(node, ast.ClassDef)):
            for method in (node for node in owner.body if isinstance(node, ast.AsyncFunctionDef)):
                for task in re.findall(r"handles\(Task\.(\w+)\)", " ".join(map(ast.unparse, method.decorator_list))):
                    yield Task[task].value, f"{owner.name}.{method.name}", str(path.relative_to(BOT))


def test_the_table_of_tasks_is_the_code() -> None:
    """Whoever looks up who handles a task finds the class, the method and the module that do; each task has one."""
    table = [(task, handler, module) for task, _, handler, module in rows("Who handles which task")]

    assert len(table) == len(Task)
    assert sorted(table) == sorted(handlers())


def test_the_table_of_tasks_says_what_each_is_on() -> None:
    """A batch, a change, or something that belongs to no change: a failure is told with the change it belongs to."""
    on = {Task(task): subject for task, subject, _, _ in rows("Who handles which task")}

    assert {task for task, subject in on.items() if subject == "batch"} == ON_BATCHES
    assert {task for task, subject in on.items() if subject not in {"batch", "change"}} == ON_NO_CHANGE


def test_every_task_has_to_have_a_handler() -> None:
    """A task that is due and that nobody carries out would be noticed at the start, not when it is due."""
    with pytest.raises(ValueError, match="each task has one handler"):
        handlers_of()


@pytest.mark.parametrize(
    ("heading", "table"),
    [
        pytest.param("A change", lifecycle.CHANGE_STEPS, id="change"),
        pytest.param("A batch", lifecycle.BATCH_STEPS, id="batch"),
        pytest.param("A number of a change", lifecycle.OPERATION_STEPS, id="operation"),
    ],
)
def test_the_diagrams_of_states_are_the_tables(heading: str, table: Mapping[Enum, frozenset[Enum]]) -> None:
    """Every step that is legal is drawn, and no other; a state without a step leads to the end."""
    drawn = re.findall(r"^    (\S+) --> (\S+)$", section(heading), re.MULTILINE)
    steps = [(state.value, following.value) for state, after in table.items() for following in after]
    ends = [(state.value, "[*]") for state, after in table.items() if not after]
    begin = [("[*]", next(iter(table)).value)]

    assert sorted(drawn) == sorted(begin + steps + ends)


def test_every_room_has_its_line() -> None:
    """The rooms are the packages down to the second level, each named once."""
    named = [room for row in rows("Layers and rooms") for room in re.findall(r"[\w/]+/", row[0])]
    packages = [path.parent.relative_to(BOT) for path in (*BOT.glob("*/__init__.py"), *BOT.glob("*/*/__init__.py"))]

    assert sorted(named) == sorted(f"{package.as_posix()}/" for package in packages)


def test_who_takes_part_in_a_sequence_is_a_class_of_ours() -> None:
    """The names in the sequences are those to search the code for, except people, services and the database."""
    named = set(re.findall(r"^    (?:actor|participant) (\w+)$", PAGE, re.MULTILINE))
    ours = set().union(*map(classes, BOT.rglob("*.py")))

    assert named - OUTSIDERS - ours == set()
    assert not OUTSIDERS - named


#: Why two classes may have one name: rooms that do the same for another party, never one that knows the other. The
#: names are those that there are.
TWINS: Final[Mapping[str, tuple[tuple[str, ...], frozenset[str]]]] = {
    "the two providers do the same behind providers/base.py": (
        ("providers/close/", "providers/telnyx/"),
        frozenset({"Jobs", "Lookups", "Reader", "Search", "_Rule"}),
    ),
    "a stand-in speaks over HTTP only, so what Telnyx keeps is declared there and where it is read": (
        ("providers/telnyx/wire.py", "sandbox/telnyx/"),
        frozenset({"Address", "BillingGroup", "Connection", "Job"}),
    ),
    "the stand-ins of the providers do the same within sandbox/provider/": (
        ("sandbox/close/", "sandbox/telnyx/"),
        frozenset({"Account", "Behaviour", "Failure", "LookupRoutes", "Middleware", "Number", "NumberFields"})
        | {"NumberRoutes", "Page", "Paging", "Query", "RateLimit"},
    ),
    "every stand-in notes its calls and spoils some of them": (
        ("sandbox/close/", "sandbox/provider/", "sandbox/slack/", "sandbox/telnyx/"),
        frozenset({"Call", "Fault", "Faults"}),
    ),
}


def test_two_classes_of_one_name_are_twins() -> None:
    """Whoever searches for a class finds one, or the one of each party."""
    places: dict[str, list[str]] = {}
    for path in sorted(BOT.rglob("*.py")):
        for name in classes(path):
            places.setdefault(name, []).append(path.relative_to(BOT).as_posix())
    shared = {name: paths for name, paths in places.items() if len(paths) > 1}
    permitted = {name: rooms for rooms, names in TWINS.values() for name in names}
    wrong = [
        f"{name}: {', '.join(paths)}"
        for name, paths in shared.items()
        if [path for path in paths for room in permitted.get(name, ()) if path.startswith(room)] != paths
        or len({path.rpartition("/")[0] for path in paths}) < len(paths)
    ]

    assert wrong == []
    assert permitted.keys() == shared.keys()


#: What tells time and chance besides the modules that the contract on imports forbids.
AMBIENT: Final = {"datetime.now", "datetime.today", "datetime.utcnow", "date.today", "os.urandom", "os.getrandom"}


def modules(*besides: str) -> Iterator[tuple[str, ast.Module]]:
    """Yield each module of the bot as path and syntax tree, but for the sandbox and those in ``besides``."""
    for path in sorted(BOT.rglob("*.py")):
        name = path.relative_to(BOT).as_posix()
        if not name.startswith(("sandbox/", *besides)):
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def test_only_the_machine_tells_time_and_chance() -> None:
    """What is run in another time, or twice the same way, asks nothing that would answer otherwise.

    A migration is over once it has run, and says when.
    """
    found = [
        f"{name}: {ast.unparse(node)}"
        for name, tree in modules("machine.py", "store/migrations/versions/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in AMBIENT
    ]

    assert found == []


def test_every_module_is_under_the_contract_on_time_and_chance() -> None:
    """A new module at the top is added to it, and the machine is the only one left out."""
    contracts = tomllib.loads((BOT.parent / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    [contract] = [each for each in contracts["contracts"] if "time" in each.get("forbidden_modules", ())]
    top = {f"bot.{path.stem}" for path in BOT.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}

    assert top - set(contract["source_modules"]) == {"bot.__init__", "bot.__main__", "bot.machine", "bot.sandbox"}
