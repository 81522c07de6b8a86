"""Lending the right to approve: until its end, and whose right has been used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.changes.model.decisions import Decision, DecisionVerb
from bot.changes.model.delegation import Delegation, used_up
from bot.changes.model.start import End

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
