"""What is said when an approval does not count any more."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.changes.model.decisions import Decision, DecisionVerb
from bot.changes.policy.lapses import Lapse, lapsed_text, why_lapsed
from bot.changes.policy.verdicts import Reason


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        pytest.param(Reason.INVITED, "no longer belongs to the workspace", id="known"),
        pytest.param(Reason.NOT_LISTED, "is no longer an approver", id="any other"),
    ],
)
def test_each_lapse_has_its_sentence(reason: Reason, why: str) -> None:
    """Everybody whose approval lapsed is named, with what is the matter."""
    lapses = [
        Lapse(person="U0ANA", name="Ana", why=why_lapsed(reason)),
        Lapse(person="U0MAX", name="Max", why="is now a guest of the workspace"),
    ]

    assert lapsed_text(lapses) == (
        f"The approval of Ana no longer counts: Ana {why}. "
        "The approval of Max no longer counts: Max is now a guest of the workspace."
    )


@pytest.mark.parametrize(
    ("verb", "lapse", "counts"),
    [
        (DecisionVerb.APPROVE, "", True),
        (DecisionVerb.APPROVE, "is no longer an approver", False),
        (DecisionVerb.REJECT, "", False),
    ],
)
def test_only_an_approval_that_has_not_lapsed_counts(verb: DecisionVerb, lapse: str, *, counts: bool) -> None:
    """A rejection is no approval, and a lapsed approval is none any more."""
    at = datetime(2026, 11, 21, tzinfo=UTC)

    decision = Decision(change=1, person="U0MAX", verb=verb, digest="d", reason="", rule="", at=at, lapse=lapse)

    assert decision.counts is counts
