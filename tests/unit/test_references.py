"""What comments and documents cite is in the repository: documents, headings, paths and tests."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
#: Every text that may cite a document; the citations in this file are made up.
TEXTS: Final = sorted(
    path
    for path in (ROOT / "README.md", *(each for top in ("bot", "tests", ".github") for each in (ROOT / top).rglob("*")))
    if path.suffix in {".py", ".md"} and path != Path(__file__)
)
#: The facts about somebody else's API. A comment names the section in which to look.
FACTS: Final = "API.md"
DOCUMENTS: Final = sorted((ROOT / "bot").rglob(FACTS))

#: The numbers of the promises on the architecture page, by which tests cite them.
INVARIANTS: Final = set(
    re.findall(r"^(\d+)\. ", (ROOT / "bot" / "README.md").read_text().partition("## Invariants")[2], re.MULTILINE)
)
CLASSES: Final = {
    name for path in TEXTS for name in re.findall(r"^class (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
}

#: A document by its path, with a heading in quotes after a comma; an address on the web is none.
_CITATION: Final = re.compile(r'(?<![\w/:.-])((?:[\w.-]+/)*[\w-]+\.md)\b(?:, "([^"]+)")?')
#: The end of a line inside a comment, a docstring or a paragraph, with what the next one begins with.
_LINE_END: Final = re.compile(r"\s*\n\s*(?:#:?)?\s*")
_LINK: Final = re.compile(r"(?:\]\(|\bsrc=\")([^)\s\"]*)[)\"]")
#: A test by its file and its name, and a path in code style.
_TEST: Final = re.compile(r"(tests/[\w/-]+\.py)::([\w:]+)")
_PATH: Final = re.compile(r"`(\.?[\w-]+/[\w./-]*)`")
#: A module by its file, in code style; what a pattern or an example stands for has other signs around it.
_MODULE: Final = re.compile(r"`((?:\w+/)*\w+\.py)`")
#: A name that a docstring points to, such as ``:class:`bot.errors.InputError` ``.
_ROLE: Final = re.compile(r":\w+:`~?([\w.]+)`")
_INVARIANT: Final = re.compile(r"\binvariants? (\d+)")
#: Not in the repository: what somebody makes, and the folder of a provider that is only an example.
_MADE: Final = (".venv/", ".deploy/.env", "bot/providers/acme/")
#: What a docstring says about the errors that a function raises, up to the end of the sentence.
_RAISES: Final = re.compile(r"\b[Rr]aises?\b(.*?)(?:[.;](?:\s|$)|$)", re.DOTALL)
#: A name of several words, as most classes have one; products called like that raise nothing.
_CAMEL_CASE: Final = re.compile(r"(?<![\w.~])_?[A-Z][a-z]+(?:[A-Z][a-z]*)+(?!\w)")
_PRODUCTS: Final = {"PostgreSQL", "OpenTelemetry"}
_HEADING: Final = re.compile(r"#{1,6}\s+(?:\d+(?:\.\d+)*\.?\s+)?(.+)")


def headings(document: Path) -> list[str]:
    """Return the headings of a document without their numbers."""
    found, code = [], False
    for line in document.read_text(encoding="utf-8").splitlines():
        code ^= line.lstrip().startswith("```")
        if not code and (match := _HEADING.fullmatch(line.rstrip())):
            found.append(match[1])
    return found


def anchor(heading: str) -> str:
    """Return the name by which a link reaches a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def document(name: str, place: Path) -> Path | None:
    """Return the document that a text at ``place`` means: beside it or above it, or below ``bot``; None without one."""
    above = [folder for folder in place.parents if folder.is_relative_to(ROOT)]
    return next((path for folder in (*above, ROOT / "bot") if (path := folder / name).is_file()), None)


def broken(text: str, place: Path) -> Iterator[str]:
    """Yield what is wrong with each citation in a text that stands at ``place``."""
    for name, heading in _CITATION.findall(_LINE_END.sub(" ", text)):
        path = document(name, place)
        if path is None:
            yield f"there is no {name}"
        elif heading and heading not in headings(path):
            yield f"{name} has no heading “{heading}”"
        elif not heading and path.name == FACTS and place.suffix == ".py":
            yield f"{name} is cited without a heading"
    yield from (f"there is no invariant {number}" for number in _INVARIANT.findall(text) if number not in INVARIANTS)
    if place.suffix == ".py":
        yield from (f"there is no {name}" for name in _MODULE.findall(text) if document(name, place) is None)
        yield from (f"there is no {name}" for name in _ROLE.findall(text) if not _named(name, text))
    if place.suffix == ".md":
        yield from _dead_links(text, place)
        yield from _lost(text, place)


def _named(name: str, text: str) -> bool:
    """Tell whether a name of ours can be imported; whether a short one is anywhere else in the text or in the product.

    Names of the standard library and of other people's are not looked up.
    """
    if name.startswith("bot."):
        try:
            resolve_name(name)
        except (ImportError, AttributeError):
            return False
        return True
    last = name.rpartition(".")[2]
    return len(re.findall(rf"\b{last}\b", text)) > 1 or last in CLASSES


def unraisable(source: str, classes: set[str]) -> Iterator[str]:
    """Yield every error that a docstring in ``source`` says is raised and that is not a class known there."""
    tree = ast.parse(source)
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    named |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    known = classes | named | _PRODUCTS | set(vars(builtins))
    scopes = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for scope in (each for each in ast.walk(tree) if isinstance(each, scopes)):
        for sentence in _RAISES.findall(ast.get_docstring(scope) or ""):
            yield from (f"there is no {name}" for name in _CAMEL_CASE.findall(sentence) if name not in known)


def _lost(text: str, place: Path) -> Iterator[str]:
    """Yield every path and every test that a document names and that is not there.

    A path begins at the root or beside the document. What begins with no folder of either is none (`text/csv`).
    """
    for name in _PATH.findall(text):
        first = name.partition("/")[0]
        starts = [start for start in (ROOT, place.parent) if (start / first).is_dir()]
        if starts and not name.startswith(_MADE) and not any((start / name).exists() for start in starts):
            yield f"there is no {name}"
    for name, test in _TEST.findall(text):
        if not (ROOT / name).is_file():
            yield f"there is no {name}"
        elif not _defines(ast.parse((ROOT / name).read_text(encoding="utf-8")), test.split("::")):
            yield f"{name} has no {test}"


def _defines(scope: ast.Module | ast.stmt, names: list[str]) -> bool:
    """Tell whether ``names`` lead, each inside the one before it, to a class or a function."""
    if not names:
        return True
    return any(
        getattr(inner, "name", None) == names[0] and _defines(inner, names[1:]) for inner in getattr(scope, "body", [])
    )


def _dead_links(text: str, place: Path) -> Iterator[str]:
    for target in _LINK.findall(text):
        name, _, wanted = target.partition("#")
        path = place.parent / name if name else place
        if ":" in target:  # on the web
            continue
        if not path.exists():
            yield f"the link {target} leads nowhere"
        elif wanted and path.suffix == ".md":
            numbered = (line.lstrip("#") for line in path.read_text(encoding="utf-8").splitlines() if line[:1] == "#")
            if wanted not in {anchor(each.strip()) for each in numbered}:
                yield f"the link {target} leads to no heading"


def test_every_citation_names_a_document_and_a_heading_that_exist() -> None:
    """Whoever follows a comment finds what it says, and no document outside the repository is needed."""
    wrong = [
        f"{path.relative_to(ROOT)}: {what}" for path in TEXTS for what in broken(path.read_text(encoding="utf-8"), path)
    ]

    assert wrong == []


def test_every_error_in_a_docstring_is_a_class() -> None:
    """Callers who handle the error that a docstring names handle one that can be raised."""
    bot = [path for path in TEXTS if path.suffix == ".py" and path.is_relative_to(ROOT / "bot")]
    sources = {path: path.read_text(encoding="utf-8") for path in bot}
    classes = {name for source in sources.values() for name in re.findall(r"^ *class (\w+)", source, re.MULTILINE)}

    assert len(classes) > 100
    wrong = [f"{path.relative_to(ROOT)}: {what}" for path in bot for what in unraisable(sources[path], classes)]
    assert wrong == []


@pytest.mark.parametrize(
    ("docstring", "wrong"),
    [
        pytest.param("Return it; raises NotAllowed.", ["there is no NotAllowed"], id="unknown"),
        pytest.param("Raises NotFound, or TrailBroken when it is.", ["there is no TrailBroken"], id="second of two"),
        pytest.param("Raise _TooFar unless it is near.", ["there is no _TooFar"], id="private"),
        pytest.param("Raises :class:`bot.errors.NotFound` and ValueError.", [], id="known and built in"),
        pytest.param("Raises NotFound. NotAllowed is a word of the next sentence.", [], id="next sentence"),
        pytest.param("Raises what PostgreSQL says.", [], id="product"),
    ],
)
def test_an_error_that_is_no_class_is_found(docstring: str, wrong: list[str]) -> None:
    """A misspelt error, an old name, a name that never was: none of them passes."""
    assert list(unraisable(f'def f() -> None:\n    """{docstring}"""\n', {"NotFound"})) == wrong


def test_each_claim_of_security_names_its_test() -> None:
    """What an attacker cannot do is proven; what they can is marked, and needs no proof."""
    text = (ROOT / ".github" / "SECURITY.md").read_text(encoding="utf-8")
    claims = [claim.split("\n\n")[0] for claim in text.split("\n- ")[1:]]
    claims = [claim for claim in claims if claim.startswith("Cannot")]

    assert len(claims) > 20
    assert [claim for claim in claims if not _TEST.search(claim)] == []


def test_the_facts_are_cited() -> None:
    """There is something to check: each document of facts is cited from more than a few places."""
    citing = dict.fromkeys(DOCUMENTS, 0)
    for place in TEXTS:
        for name, _ in _CITATION.findall(_LINE_END.sub(" ", place.read_text(encoding="utf-8"))):
            if (path := document(name, place)) in citing:
                citing[path] += 1

    assert len(DOCUMENTS) == 3
    assert min(citing.values()) > 5


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.parent.name)
def test_a_heading_means_one_section(path: Path) -> None:
    """Two sections of one name could not be told apart by a comment."""
    found = headings(path)

    assert sorted(set(found)) == sorted(found)


@pytest.mark.parametrize(
    ("place", "text", "wrong"),
    [
        pytest.param("bot/slack/x.py", '# (API.md, "Deadlines")', [], id="beside it"),
        pytest.param("bot/slack/views/x.py", '# (API.md, "Deadlines")', [], id="above it"),
        pytest.param("bot/workflow/x.py", '#: a (slack/API.md,\n    #: "Rate\n    #: limits").', [], id="over lines"),
        pytest.param("tests/x.py", '"""See providers/close/API.md, "Errors"."""', [], id="from afar"),
        pytest.param("bot/slack/x.py", "# https://example.com/nowhere.md", [], id="on the web"),
        pytest.param("bot/slack/x.md", "[a](API.md#2-deadlines) [b](https://example.com/x#y)", [], id="link"),
        pytest.param("bot/slack/x.py", '# (API.md, "Deadline")', ["API.md has no heading “Deadline”"], id="misspelt"),
        pytest.param("bot/slack/x.py", '# (API.md, "2. Deadlines")', ["API.md has no heading “2. Deadlines”"], id="no"),
        pytest.param("bot/slack/x.py", "# (API.md 1.1)", ["API.md is cited without a heading"], id="no heading"),
        pytest.param("bot/workflow/x.py", '# (API.md, "Deadlines")', ["there is no API.md"], id="whose"),
        pytest.param("bot/slack/x.py", "# (slack.md 1.1)", ["there is no slack.md"], id="not here"),
        pytest.param(
            "bot/slack/x.py",
            '# (API.md, "Deadlines"; API.md, "Dead lines")',
            ["API.md has no heading “Dead lines”"],
            id="the second of two",
        ),
        pytest.param(
            "bot/slack/x.md", "[a](APIS.md)", ["there is no APIS.md", "the link APIS.md leads nowhere"], id="lost"
        ),
        pytest.param(
            ".github/x.md",
            '[a](USING.md#sheets) [b](../README.md#sheets) <img src="pictures/home.png"> <img src="home.png">',
            ["the link ../README.md#sheets leads to no heading", "the link home.png leads nowhere"],
            id="a page beside the README",
        ),
        pytest.param("x.md", "`bot/cli.py` `text/csv` `bot/providers/acme/kinds.py` `.venv/bin/ruff`", [], id="path"),
        pytest.param("bot/x.md", "`slack/views/` `slack/gone/`", ["there is no slack/gone/"], id="lost path"),
        pytest.param("x.md", "`tests/gone.py::test_x`", ["there is no tests/gone.py"], id="lost file of tests"),
        pytest.param(
            "x.md",
            "`tests/unit/test_references.py::test_the_facts_are_cited`, `tests/unit/test_references.py::test_x`, "
            "`tests/unit/changes/policy/test_policies.py::TestApprove::test_own_change`, "
            "`tests/unit/changes/policy/test_policies.py::test_own_change`",
            [
                "tests/unit/test_references.py has no test_x",
                "tests/unit/changes/policy/test_policies.py has no test_own_change",
            ],
            id="lost test",
        ),
        pytest.param(
            "bot/slack/x.py", "# `bot/cli.py` `wiring.py` ``web.py``", ["there is no web.py"], id="lost module"
        ),
        pytest.param(
            "bot/slack/x.py",
            ":class:`bot.errors.InputError` :class:`bot.errors.Gone` :class:`InputError` :func:`lost`",
            ["there is no bot.errors.Gone", "there is no lost"],
            id="lost name",
        ),
        pytest.param("tests/x.py", "(invariant 11) (invariant 99)", ["there is no invariant 99"], id="lost promise"),
        pytest.param(
            "bot/slack/x.md", "[a](API.md#dead)", ["the link API.md#dead leads to no heading"], id="lost heading"
        ),
    ],
)
def test_a_citation_that_leads_nowhere_is_found(place: str, text: str, wrong: list[str]) -> None:
    """A misspelt heading, one without a heading, a document of somebody else: none of them passes."""
    assert list(broken(text, ROOT / place)) == wrong
