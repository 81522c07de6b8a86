"""What is typed after ``/numbers delegate``."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.changes.input.delegations import DELEGATE, DelegationEnd, DelegationRequest, read_delegation, read_until
from bot.changes.input.time_reader import AHEAD
from bot.changes.input.times import UNTIL
from bot.errors import InputError

#: A Wednesday, at noon in Berlin.
NOW = datetime(2026, 12, 2, 11, 0, tzinfo=UTC)
BERLIN = "Europe/Berlin"


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
    """What was approved under it would be gone: it says how to end it now, and how to change its end time."""
    with pytest.raises(InputError, match="so the delegation was not ended") as refused:
        read_delegation(text)

    assert "`/numbers delegate @max until Mon 08:00` changes its end time" in refused.value.problems[UNTIL]


@given(st.text(max_size=60))
def test_whatever_is_typed_is_read_or_refused_in_words(text: str) -> None:
    """And nobody is named whom the text does not name."""
    with suppress(InputError):
        read = read_delegation(text)
        assert read is None or read.delegate in text


@pytest.mark.parametrize(
    ("typed", "at"),
    [
        ("until Mon 08:00", datetime(2026, 12, 7, 7, 0, tzinfo=UTC)),
        ("until Monday", datetime(2026, 12, 6, 23, 0, tzinfo=UTC)),
        ("UNTIL monday", datetime(2026, 12, 6, 23, 0, tzinfo=UTC)),
        ("until tomorrow", datetime(2026, 12, 2, 23, 0, tzinfo=UTC)),
        ("until Dec 4", datetime(2026, 12, 3, 23, 0, tzinfo=UTC)),
        ("until 2026-12-04", datetime(2026, 12, 3, 23, 0, tzinfo=UTC)),
        ("until 2026-12-04 17:00", datetime(2026, 12, 4, 16, 0, tzinfo=UTC)),
        ("until 2026-12-04 17:00 UTC", datetime(2026, 12, 4, 17, 0, tzinfo=UTC)),
        ("till tonight 22:00", datetime(2026, 12, 2, 21, 0, tzinfo=UTC)),
        ("for 2 days", NOW + timedelta(days=2)),
        ("for a week", NOW + timedelta(weeks=1)),
        ("in 3 hours", NOW + timedelta(hours=3)),
        ("Mon 08:00", datetime(2026, 12, 7, 7, 0, tzinfo=UTC)),
    ],
)
def test_an_end_is_read_as_it_was_meant(typed: str, at: datetime) -> None:
    """In the person's time zone; a day alone is over when it begins, so that nothing is lent for longer than meant."""
    assert read_until(typed, now=NOW, zone=BERLIN).at == at


@pytest.mark.parametrize(
    ("zone", "typed", "at", "shown"),
    [
        # Clocks go forward at midnight, go back at midnight, and in the night before the day.
        ("America/Santiago", "until Sunday", datetime(2026, 9, 6, 4, 0, tzinfo=UTC), "Sun Sep 6, 2026, 01:00"),
        ("America/Havana", "until Nov 1", datetime(2026, 11, 1, 4, 0, tzinfo=UTC), "Sun Nov 1, 2026, 00:00 UTC-0400"),
        (BERLIN, "until Monday", datetime(2026, 10, 25, 23, 0, tzinfo=UTC), "Mon Oct 26, 2026, 00:00"),
    ],
)
def test_a_day_alone_has_a_first_minute_whatever_clocks_do(zone: str, typed: str, at: datetime, shown: str) -> None:
    """Nobody named a time that clocks skip: the day ends the delegation when it begins, by the clocks there."""
    end = read_until(typed, now=at - timedelta(days=3), zone=zone)

    assert end.at == at
    assert str(end) == f"{shown} ({zone})"


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("", "Say when it ends"),
        ("until", "Say when it ends"),
        ("for", "Say when it ends"),
        ("now", "“now” is not an end time"),
        ("until Wednesday", "It is Wednesday today, so “Wednesday” could mean today or in a week"),
        ("until today", "Add a time"),
        ("until tonight", "Add a time"),
        ("until 2026-12-01", "has passed"),
        ("until 2027-03-01 08:00", "too far ahead: a delegation can last 30 days"),
        ("for 31 days", "a delegation can last 30 days"),
        ("for ever", "“for ever” is not understood"),
        ("for -2 days", "is not understood"),
    ],
)
def test_what_is_no_end_is_refused_in_words(typed: str, problem: str) -> None:
    """Whatever is past, too far ahead, unclear or missing, under the one name that the form of the command has."""
    with pytest.raises(InputError) as refused:
        read_until(typed, now=NOW, zone=BERLIN)

    assert problem in refused.value.problems[UNTIL]


@given(st.text(max_size=40))
def test_whatever_is_typed_ends_within_the_longest_time_or_not_at_all(typed: str) -> None:
    """There is no text that lends a right for ever, or for a time that is over."""
    with suppress(InputError):
        end = read_until(typed, now=NOW, zone=BERLIN)
        assert NOW < end.at <= NOW + AHEAD + timedelta(minutes=1)
