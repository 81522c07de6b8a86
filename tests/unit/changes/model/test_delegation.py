"""Lending the right to approve: until when, and whose right has been used."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.changes.model.decisions import Decision, DecisionVerb
from bot.changes.model.delegation import UNTIL, Delegation, read_until, used_up
from bot.changes.model.start import AHEAD, End
from bot.errors import InputError

#: A Wednesday, at noon in Berlin.
NOW = datetime(2026, 12, 2, 11, 0, tzinfo=UTC)
BERLIN = "Europe/Berlin"
PEOPLE = st.sampled_from(["U0ANA", "U0DANA", "U0ERIK", "U0MAX", "U0MIA"])


def decision(person: str, on_behalf_of: str = "") -> Decision:
    """Return an approval."""
    return Decision(
        change=1,
        person=person,
        verb=DecisionVerb.APPROVE,
        digest="d",
        reason="",
        rule="r",
        at=NOW,
        on_behalf_of=on_behalf_of,
    )


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
        ("now", "“now” is no end"),
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


def test_it_is_active_until_its_end_and_not_at_it() -> None:
    """Nor once somebody has ended it."""
    end = End(at=NOW + timedelta(hours=1), zone=BERLIN)
    lent = Delegation(id=1, delegator="U0DANA", delegate="U0MAX", until=end, created_at=NOW)
    ended = Delegation(id=1, delegator="U0DANA", delegate="U0MAX", until=end, created_at=NOW, ended_at=NOW)

    assert lent.active(NOW)
    assert not lent.active(end.at)
    assert not ended.active(NOW)


@given(st.lists(st.tuples(PEOPLE, st.none() | PEOPLE)))
def test_nobody_and_no_right_counts_twice(clicks: list[tuple[str, str | None]]) -> None:
    """Whoever clicks for whomever, in any order: the approvals that are taken name every person once at most."""
    taken: list[Decision] = []
    for person, whose in clicks:
        each = decision(person, whose if whose and whose != person else "")
        if each.approvers.isdisjoint(used_up(taken)):
            taken.append(each)

    names = [name for each in taken for name in each.approvers]
    assert len(names) == len(set(names))
    assert used_up(taken) == set(names)
