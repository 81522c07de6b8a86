"""Counts in sentences."""

from __future__ import annotations

import pytest

from bot.changes.text.counts import counted, examples, first_few, first_lines


@pytest.mark.parametrize(
    ("count", "plural", "text"),
    [(1, "", "1 number"), (0, "", "0 numbers"), (1200, "", "1,200 numbers"), (2, "numbers wait", "2 numbers wait")],
)
def test_a_count_stands_with_its_noun(count: int, plural: str, text: str) -> None:
    """One thing is told in the singular, any other count in the plural, thousands with a separator."""
    assert counted(count, "number", plural) == text


@pytest.mark.parametrize(
    ("most", "between", "more", "text"),
    [
        (3, ", ", None, "a, b, c"),
        (2, ", ", None, "a, b and 1 more"),
        (2, "; ", None, "a; b; and 1 more"),
        (2, ", ", 1200, "a, b and 1,200 more"),
        (3, ", ", 0, "a, b, c"),
    ],
)
def test_the_first_few_are_named_and_the_others_counted(most: int, between: str, more: int | None, text: str) -> None:
    """Nothing is left out silently: how many more there are stands behind what is named."""
    assert first_few(["a", "b", "c"], most, between=between, more=more) == text


def test_a_list_ends_with_how_many_more_there_are() -> None:
    """In a list the count is a line of its own, and only where something is left out."""
    things = [str(each) for each in range(1202)]

    assert first_lines(things, 2) == ["0", "1", "and 1,200 more"]
    assert first_lines(things[:2], 2) == ["0", "1"]
    assert first_lines(things[:2], 2, more=3) == ["0", "1", "and 3 more"]


def test_examples_that_are_not_all_end_with_an_ellipsis() -> None:
    """Whoever reads them knows whether there are others."""
    assert examples(["a", "b"], 2) == "a, b"
    assert examples(["a", "b"], 3) == "a, b, …"
