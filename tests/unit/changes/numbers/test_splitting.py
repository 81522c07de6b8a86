"""Splitting long lists: what is read out of the parts is what is read out of the whole."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.changes.numbers.parser import ParsedNumbers, read_numbers
from bot.changes.numbers.splitting import split_between_numbers

#: What people put between two numbers of a list.
SEPARATORS = (
    ",",
    ", ",
    ";",
    "; ",
    "\n",
    ",\n",
    "\r\n",
    "|",
    " | ",
    "\t",
    "\u3001",
    "\u2022",
    " \u2022 ",
    "\n\n",
    "\n- ",
)
#: How people write a number, in its parts: area code, exchange, line.
SPELLINGS = (
    "+1{}{}{}",
    "+1 {} {} {}",
    "+1 ({}) {}-{}",
    "({}) {}-{}",
    "{}-{}-{}",
    "{}.{}.{}",
    "1{}{}{}",
    "+1{}{}{};ext=12",
    "1293384261{}{}{}",
)
#: What is no list, and must not become one where it is split.
RANGES = (" -\n", "\n-\n", " to ", "\nto\n", " \u2192 ", " ->\n", "..", " \u2043 ")


def read(texts: list[str]) -> tuple[tuple[str, ...], int, list[tuple[str, str]]]:
    """Return the numbers, how often they repeat, and what cannot be read, wherever it stands."""
    found: ParsedNumbers = read_numbers(texts, is_id=lambda text: re.fullmatch(r"\d{19,20}", text) is not None)
    return found.identifiers, found.repeats, [(bad.text, bad.why) for bad in found.bad]


def listed(spelling: str, separator: str, count: int = 300) -> str:
    """Return a list of ``count`` numbers."""
    return separator.join(spelling.format("303", "555", f"{number:04}") for number in range(count))


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_list_reads_the_same_in_parts(spelling: str, separator: str) -> None:
    """However its numbers are written and whatever divides them, each is whole in one part."""
    text = listed(spelling, separator)

    parts = split_between_numbers(text, 2999)

    assert len(parts) > 1
    assert max(map(len, parts)) <= 2999
    assert "".join(parts) == text
    assert read(parts) == read([text])


@pytest.mark.parametrize("spelling", ["+1{}{}{}", "+1 {} {} {}", "+1 ({}) {}-{}", "{}-{}-{}", "1293384261{}{}{}"])
def test_blanks_divide_where_nothing_else_does(spelling: str) -> None:
    """A number with blanks inside is not split at one of them as long as a plus says where the next one begins."""
    text = listed(spelling, " ")

    parts = split_between_numbers(text, 2999)

    assert max(map(len, parts)) <= 2999
    assert read(parts) == read([text])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(SPELLINGS), st.sampled_from(RANGES) | st.sampled_from((",", "; ", "\n")), st.integers(0, 9)
        ),
        min_size=1,
        max_size=30,
    ),
    st.integers(130, 300),
)
@example([("+1{}{}{}", "\nto\n", 0)] * 20, 130)
def test_a_mixed_list_reads_the_same_in_parts(entries: list[tuple[str, str, int]], longest: int) -> None:
    """Ways of writing and dividing may change from number to number; a range stays one that is refused."""
    ranges = 0
    text = ""
    for spelling, between, number in entries:
        ranges = ranges + 1 if between in RANGES else 0
        text += spelling.format("303", "555", f"{number:04}") + ("," if ranges == 3 else between)
        ranges %= 3

    parts = split_between_numbers(text, longest)

    assert "".join(parts) == text
    assert read(parts) == read([text])


@given(st.text(st.sampled_from("+1 3\n,;-\u2192ato"), max_size=300) | st.text(), st.integers(1, 40))
def test_nothing_is_lost_whatever_is_typed(text: str, longest: int) -> None:
    """Every character that is seen is in one of the parts, in its place, and no part is too long."""
    parts = split_between_numbers(text, longest)

    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(len(part) <= longest for part in parts)
