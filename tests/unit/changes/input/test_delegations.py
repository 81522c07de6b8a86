"""What is typed after ``/numbers delegate``."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.changes.input.delegations import DelegationEnd, DelegationRequest, read_delegation
from bot.changes.model.delegation import DELEGATE, UNTIL
from bot.errors import InputError


@pytest.mark.parametrize("text", ["", "  ", "list", "LIST"])
def test_nothing_is_the_list(text: str) -> None:
    """The command alone shows what is lent."""
    assert read_delegation(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "<@U0MAX|max> until Monday",
        "<@U0MAX> until Monday",
        "to <@U0MAX|max.weber> until Monday",
        "until Monday <@U0MAX|max>",
        "U0MAXX1 until Monday",
    ],
)
def test_a_person_and_an_end_are_found_in_any_order(text: str) -> None:
    """As Slack writes a name that was chosen, or by the id."""
    read = read_delegation(text)

    assert isinstance(read, DelegationRequest)
    assert read.delegate.startswith("U0MAX")
    assert (read.until, read.problems) == ("until Monday", {})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("@max until Monday", "“@max” is not a person: choose the name from the list"),
        ("until Monday", "Name the person"),
        ("<@U0MAX> <@U0MIA> until Monday", "one person at a time"),
    ],
)
def test_without_one_person_it_says_whom_to_name(text: str, problem: str) -> None:
    """What was typed as the end is kept, so that both are looked at."""
    read = read_delegation(text)

    assert isinstance(read, DelegationRequest)
    assert problem in read.problems[DELEGATE]
    assert (read.delegate, read.until) == ("", "until Monday")


def test_a_day_in_capitals_is_nobody() -> None:
    """It begins as an id does, and has no digit."""
    assert read_delegation("<@U0MAX> until WEDNESDAY") == DelegationRequest(
        delegate="U0MAX", until="until WEDNESDAY", problems={}
    )


@pytest.mark.parametrize("word", ["end", "End", "stop", "cancel", "remove"])
def test_one_is_ended_by_name(word: str) -> None:
    """Any of the words that people say for it will do."""
    assert read_delegation(f"{word} <@U0MAX|max>") == DelegationEnd("U0MAX")
    assert read_delegation(f"{word} for <@U0MAX|max> now") == DelegationEnd("U0MAX")
    with pytest.raises(InputError, match="Name the person"):
        read_delegation(word)


@pytest.mark.parametrize(
    "text", ["end <@U0MAX|max> on Monday", "end of the week <@U0MAX>", "stop <@U0MAX> until Mon 8:00"]
)
def test_what_is_to_end_later_does_not_end_at_once(text: str) -> None:
    """What was approved under it would be gone: it says how to end it now, and how to give it another end."""
    with pytest.raises(InputError, match="so it has not ended") as refused:
        read_delegation(text)

    assert "`/numbers delegate @max until Mon 08:00` gives it another end" in refused.value.problems[UNTIL]


@given(st.text(max_size=60))
def test_whatever_is_typed_is_read_or_refused_in_words(text: str) -> None:
    """And nobody is named whom the text does not name."""
    with suppress(InputError):
        read = read_delegation(text)
        assert read is None or read.delegate in text
