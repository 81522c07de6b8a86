"""When a list that is read page by page has ended, is stuck, or contradicts itself."""

from __future__ import annotations

import pytest

from bot.providers.listing import ListProgress


@pytest.mark.parametrize(
    ("pages", "whole", "stuck", "torn"),
    [
        pytest.param([("ab", 2)], True, False, False, id="all that was announced"),
        pytest.param([("ab", 3)], False, False, False, id="less"),
        pytest.param([("ab", 3), ("c", 3)], True, False, False, id="the rest"),
        pytest.param([("ab", None)], False, False, False, id="a short page without a total"),
        pytest.param([("ab", None), ("", None)], True, False, False, id="an empty page"),
        pytest.param([("ab", 0)], False, False, True, id="nothing announced beside rows"),
        pytest.param([("ab", 0), ("", 0)], True, False, True, id="nothing announced, then an empty page"),
        pytest.param([("ab", 3), ("c", 4)], False, False, True, id="totals that differ"),
        pytest.param([("ab", 3), ("bc", 3)], True, False, True, id="a row that came twice"),
        pytest.param([("ab", None), ("ab", None)], False, True, True, id="the same page"),
        pytest.param([("ab", None), ("b", None)], False, True, True, id="nothing new"),
        pytest.param([("", 0)], True, False, False, id="nothing at all"),
    ],
)
def test_what_ends_a_list(
    pages: list[tuple[str, int | None]],
    whole: bool,  # noqa: FBT001 - columns of a table
    stuck: bool,  # noqa: FBT001
    torn: bool,  # noqa: FBT001
) -> None:
    """An empty page, or as many rows as every page announced; nothing else."""
    listing = ListProgress()
    for rows, total in pages:
        listing.take(rows, total)

    assert (listing.whole, listing.stuck, listing.torn) == (whole, stuck, torn)
    assert listing.over == (whole or stuck)
