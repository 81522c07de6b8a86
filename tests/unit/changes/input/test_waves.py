"""What people type for a rollout: its waves, what comes between them, and how much may go wrong."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.changes.input.waves import read_pause, read_threshold, read_waves
from bot.changes.model.rollout import MOST_WAVES, Pause, Threshold, WaveSize
from bot.errors import InvalidValue

TEN = WaveSize(count=10)
TENTH = WaveSize(share=10_00)


@pytest.mark.parametrize(
    ("typed", "waves"),
    [
        ("", ()),
        ("rest", ()),
        ("10", (TEN,)),
        ("10, rest", (TEN,)),
        ("10, 10 %, rest", (TEN, TENTH)),
        ("10%,10,the rest", (TENTH, TEN)),
        (" 10 ,  10 percent ", (TEN, TENTH)),
        ("10, 10\u00a0%, Rest", (TEN, TENTH)),
        ("2.5 %, 0.25%", (WaveSize(share=2_50), WaveSize(share=25))),
        ("50 %, 50 %", (WaveSize(share=50_00),) * 2),
        ("1 000, 50 %", (WaveSize(count=1000), WaveSize(share=50_00))),
        ("1,000", (WaveSize(count=1000),)),
        ("10,50,rest", (TEN, WaveSize(count=50))),
        ("10, 200", (TEN, WaveSize(count=200))),
    ],
)
def test_waves_are_read(typed: str, waves: tuple[WaveSize, ...]) -> None:
    """Numbers and shares with commas between them; the rest comes last, said or not."""
    assert read_waves(typed) == waves


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("0", "“0” would be a wave without a number"),
        ("0 %, rest", "“0 %” would be a wave without a number"),
        ("five", "“five” is not the size of a wave: write a whole number such as 10, a share such as 10 %, or rest"),
        ("-1", "“-1” is not the size"),
        ("10 20", "“10 20” is not the size"),
        ("2.5", "“2.5” is not the size"),
        ("10,,20", "a comma with no wave beside it"),
        ("10, 20,", "a comma with no wave beside it"),
        ("rest, 10", "“rest” is the last wave: leave out what follows it"),
        ("10, rest, rest", "“rest” is the last wave"),
        ("10,200", "“10,200” could mean one wave or two: write “10200” or “10, 200”"),
        ("2,5 %", "“2,5 %” could mean one wave or two: write “2.5 %” or “2, 5 %”"),
        ("2,5 percent", "“2,5 percent” could mean one wave or two: write “2.5 percent” or “2, 5 percent”"),
        ("60 %, 60 %", "These shares add up to 120 % of the numbers"),
        ("101 %", "These shares add up to 101 %"),
        (", ".join("1" * MOST_WAVES), "at most 9 waves and the rest"),
        ("1234567", "is not the size"),
        ("1" * 200, "too long"),
    ],
)
def test_garbage_in_the_waves_is_named(typed: str, problem: str) -> None:
    """What is wrong is quoted, and what would be right is said; nothing is guessed."""
    with pytest.raises(InvalidValue) as caught:
        read_waves(typed)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "pause", "said"),
    [
        ("", Pause(), ""),
        ("Ask", Pause(asks=True), ""),
        ("30 min", Pause(length=timedelta(minutes=30)), "30 minutes"),
        ("1h30m", Pause(length=timedelta(minutes=90)), "1 hour 30 minutes"),
        ("2 hours", Pause(length=timedelta(hours=2)), "2 hours"),
        ("1 day 1 min", Pause(length=timedelta(days=1, minutes=1)), "1 day 1 minute"),
    ],
)
def test_pauses_are_read(typed: str, pause: Pause, said: str) -> None:
    """Nothing, somebody's word, or a time, which is said again in words."""
    assert read_pause(typed) == pause
    assert str(pause) == said


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("30", "“30” is not a pause: write “ask” to be asked after each wave, or a time such as 30 min"),
        ("tomorrow", "“tomorrow” is not a pause"),
        ("30 min or so", "“30 min or so” is not a pause"),
        ("0 min", "is not a pause"),
        ("8 days", "7 days at most"),
    ],
)
def test_garbage_in_the_pause_is_named(typed: str, problem: str) -> None:
    """What is wrong is quoted, and what would be right is said."""
    with pytest.raises(InvalidValue) as caught:
        read_pause(typed)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "threshold", "said"),
    [
        ("", Threshold(), "0"),
        ("0", Threshold(), "0"),
        ("5", Threshold(count=5), "5"),
        ("1,000", Threshold(count=1000), "1,000"),
        ("1 %", Threshold(share=1_00), "1 %"),
        ("0.25%", Threshold(share=25), "0.25 %"),
    ],
)
def test_thresholds_are_read(typed: str, threshold: Threshold, said: str) -> None:
    """A count or a share, which is said again as people write it."""
    assert read_threshold(typed) == threshold
    assert str(threshold) == said


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("some", "“some” is not a threshold: write a share of a wave such as 1 %, or a count such as 5"),
        ("-1", "“-1” is not a threshold"),
        ("100 %", "With 100 % nothing could ever pause the rollout"),
    ],
)
def test_garbage_in_the_threshold_is_named(typed: str, problem: str) -> None:
    """What is wrong is quoted, and what would be right is said."""
    with pytest.raises(InvalidValue) as caught:
        read_threshold(typed)
    assert problem in str(caught.value)


@given(st.one_of(st.text(), st.text(alphabet="0123456789 ,.%restaskminhd")))
def test_no_text_is_too_odd(typed: str) -> None:
    """Whatever is typed is read or refused with words; what is read can be carried out."""
    for read in (read_waves, read_pause, read_threshold):
        with suppress(InvalidValue):
            read(typed)
    with suppress(InvalidValue):
        assert all(size.of(10**5) >= 1 for size in read_waves(typed))


@given(st.integers(0, 500), st.integers(1, 500), st.integers(1, 99_99))
def test_a_threshold_is_exceeded_by_more_than_it_says(bad: int, size: int, share: int) -> None:
    """Exactly as many are still allowed; by default none is."""
    assert Threshold().exceeded(bad, size) == (bad > 0)
    assert Threshold(count=5).exceeded(bad, size) == (bad > 5)
    assert Threshold(share=share).exceeded(bad, size) == (bad * 10_000 > share * size)
    assert not Threshold(share=1_00).exceeded(1, 100)
    assert Threshold(share=1_00).exceeded(1, 99)
