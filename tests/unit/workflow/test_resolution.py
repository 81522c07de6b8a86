"""What a button carries that answers a question to operators."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import NotFound
from bot.workflow.control.resolution import BatchQuestion

jobs = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="|"), max_size=64)


@given(st.builds(BatchQuestion, st.integers(0, 10**12), st.integers(0, 10**6), jobs))
def test_a_ticket_comes_back_as_it_was_written(ticket: BatchQuestion) -> None:
    """Whatever the job's id looks like, the answer is to the question that was asked."""
    assert BatchQuestion.read(str(ticket)) == ticket


@pytest.mark.parametrize("text", ["", "x", "1", "1:", ":1:", "1e3:1:", "²:1:", "-1:1:job"])
def test_a_broken_ticket_is_answered(text: str) -> None:
    """It is a sentence for a person, not a fault."""
    with pytest.raises(NotFound, match="/numbers resolve"):
        BatchQuestion.read(text)
