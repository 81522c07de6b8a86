"""What approvers type with a decision."""

from __future__ import annotations

import pytest

from bot.changes.input.decision_words import SAID, read_words
from bot.changes.model.decisions import DecisionVerb
from bot.errors import InputError


@pytest.mark.parametrize("verb", DecisionVerb)
def test_words_are_on_one_line(verb: DecisionVerb) -> None:
    """Lines and blanks in a row are one blank each, whatever is decided."""
    assert read_words(verb, " Not\n today,  please ") == "Not today, please"


@pytest.mark.parametrize("typed", ["", " \n ", "\u200b", "\u3164 "])
@pytest.mark.parametrize("verb", DecisionVerb)
def test_only_an_approval_needs_no_words(verb: DecisionVerb, typed: str) -> None:
    """Where nobody would see any, the decision is refused; an approval has no comment then."""
    if verb is DecisionVerb.APPROVE:
        assert read_words(verb, typed) == ""
        return
    with pytest.raises(InputError) as refused:
        read_words(verb, typed)
    assert list(refused.value.problems) == [SAID]
