"""Two values that differ look different, and what people wrote is shown whole."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bot.changes.model.decisions import Decision, DecisionVerb
from bot.changes.model.settings import Setting, Shape, show_value
from bot.changes.model.summary import Summary
from bot.changes.model.values import Value
from bot.changes.planning.plan import same
from bot.providers.close.kinds import kinds as close_kinds
from bot.providers.telnyx.kinds import kinds
from bot.slack.views.elements import before_and_after, words
from bot.slack.views.fragments import comment_lines
from bot.slack.views.plan_lines import sample_lines

SETTINGS = kinds(secrets=True)[0]
REACHED = close_kinds()[0]
#: What is easily taken for one another, and long enough to be cut.
texts = st.text("ab ,-\u00a0\u2003\t\n<&", min_size=1, max_size=12) | st.text("a ", min_size=50, max_size=70)


def told(name: str, before: Value, after: Value) -> tuple[str, str]:
    """Return what a preview says of a number that goes from ``before`` to ``after``, and of one that goes back."""
    there = {name: before}, {name: after}
    forth, back = (
        sample_lines(SETTINGS, Summary(numbers=1, unchanged=0, batches=1, wanted={}, sample=(("+1", *pair),)), 5)
        for pair in (there, tuple(reversed(there)))
    )
    return forth, back


@given(texts, texts)
@example("AB 12", "AB  12")
@example("AB 12", "AB\u00a012")
@example(" AB", "AB")
@example(" ", "\n")
@example("\u2002x", "\u2003x")
@example("x" * 90, "x" * 90 + "y")
def test_two_texts_that_differ_look_different(before: str, after: str) -> None:
    """A reader who sees “A → A” approves what nobody showed them."""
    assume(not same(SETTINGS.setting("customer_reference"), before, after))

    forth, back = told("customer_reference", before, after)

    assert forth != back


TAGS = tuple(f"team-number-{at}" for at in range(8))


@given(st.lists(texts, max_size=9).map(tuple), st.lists(texts, max_size=9).map(tuple))
@example(TAGS, (*TAGS, "vip"))
@example(TAGS, TAGS[:-1])
@example(("old  vip",), ("old vip",))
def test_two_lists_that_differ_look_different(before: Value, after: Value) -> None:
    """Of a long list its reader sees what it gains and loses."""
    assume(not same(SETTINGS.setting("tags"), before, after))

    forth, back = told("tags", before, after)

    assert forth != back


def test_long_values_are_shown_where_they_differ() -> None:
    """From shortly before it, so that it is seen in which words."""
    shown = before_and_after(
        "The quick brown fox jumps over the lazy dog", "The quick brown fox jumps over the cat", 30
    )

    assert shown == "`… over the lazy dog` → `… over the cat`"


@pytest.mark.parametrize("setting", [*SETTINGS.settings, *REACHED.settings], ids=lambda each: each.name)
def test_odd_blanks_have_a_sign(setting: Setting) -> None:
    """In every setting that is a text of people's."""
    if setting.shape in {Shape.TEXT, Shape.TAGS, Shape.LOOKUP, Shape.LOOKUPS, Shape.URL}:
        value: Value = ("a  b",) if setting.listed else "a  b"
        assert show_value(setting, value).startswith("a ␣b")


def decision(reason: str, **more: Any) -> Decision:
    """Return an approval with a comment."""
    given_ = {"change": 1, "person": "U0MAX", "verb": DecisionVerb.APPROVE, "digest": "d", "rule": ""}
    return Decision(**{**given_, "at": datetime(2026, 11, 30, tzinfo=UTC), "reason": reason, **more})


@pytest.mark.parametrize("sign", ["<", ">", "&", "ü", "a"])
def test_what_an_approver_wrote_is_shown_whole(sign: str) -> None:
    """All 500 characters that the form takes, though Slack counts an escaped one up to fivefold."""
    reason = sign * 500

    for shown in (words(reason), comment_lines([decision(reason)])):
        assert shown.count(words(sign).strip("`")) == 500
        assert "…" not in shown
