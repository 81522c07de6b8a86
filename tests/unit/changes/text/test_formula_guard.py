"""No cell of ours starts a formula, whatever a spreadsheet takes for the separator."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.changes.text.cells import LONGEST, guard, literal, unguard
from tests.unit.changes.formulas import UNSEEN, formulas

cells = st.lists(
    st.sampled_from(["a", "1", " ", '"', "'", ";", ",", "\t", "\n", "=", "+", "-", "@", "\uff1d", *UNSEEN])
).map("".join)


@given(row=st.lists(cells, min_size=1, max_size=3), write=st.sampled_from([guard, literal]))
@example(row=["\n+1", ""], write=guard)
@example(row=["\n+1,"], write=guard)
@example(row=[";+1", ""], write=guard)
@example(row=["1;=1+1"], write=literal)
def test_no_reader_finds_a_formula(row: list[str], write: Callable[[str], str]) -> None:
    """However a file is cut into cells, with its quotation marks honoured or not, none of them is a formula."""
    out = io.StringIO()
    csv.writer(out).writerow([write(cell) for cell in row])

    assert formulas(out.getvalue()) == []


@given(cells.filter(lambda text: "'" not in text))
def test_what_was_guarded_comes_back(text: str) -> None:
    """A sheet of ours that is uploaded again has the values that were written."""
    assert unguard(guard(text)) == unguard(literal(text)) == text


@pytest.mark.parametrize(
    ("cell", "guarded"),
    [
        ("a;=1+1", "a;'=1+1"),
        ("a\t@SUM(A1)", "a\t'@SUM(A1)"),
        ("a, -b", "a, '-b"),
        ("+13035550100, +13035550101", "'+13035550100, '+13035550101"),
    ],
)
def test_what_a_guarded_cell_looks_like(cell: str, guarded: str) -> None:
    """The apostrophe stands where a formula would begin, before a number too: for some readers the cell goes on."""
    assert guard(cell) == guarded


def test_a_cell_has_an_end() -> None:
    """No spreadsheet takes more of one cell, so what is longer is cut where everybody sees it."""
    assert guard("a" * 40_000) == "a" * (LONGEST - 1) + "…"
    pictures = guard("\U0001f4de" * 40_000)
    assert LONGEST - 2 <= len(pictures.encode("utf-16-le")) // 2 <= LONGEST
    assert pictures.endswith("\U0001f4de…")
