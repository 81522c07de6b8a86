"""Every pair of values of every group, from every state that a number may be in: what is refused, and what is said."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from bot.changes.model.kinds import Kind
from bot.changes.model.settings import Setting, Shape
from bot.changes.model.snapshots import Snapshot
from bot.changes.model.values import Value, Values
from bot.changes.planning.builder import build
from bot.changes.planning.plan import unfit
from bot.changes.planning.summary import summarise
from bot.providers.telnyx.rules import left_out
from bot.providers.telnyx.settings import CNAM_DETAILS, CNAM_ENABLED, FORWARDING_ENABLED, FORWARDING_TYPE, FORWARDS_TO

GROUPS = ("voice.call_forwarding", "voice.cnam_listing", "voice.media_features", "voice.call_recording")
ABSENT = object()


def choices(setting: Setting, *, wanted: bool) -> tuple[object, ...]:
    """Return what a number may have, or what a person may ask for; absent means untouched or not told."""
    if setting.shape is Shape.BOOL:
        return ABSENT, True, False
    if setting.shape is Shape.CHOICE:
        return ABSENT, *(choice.value for choice in setting.choices)
    samples = ("+13035550100", "+13035550101") if setting.shape is Shape.PHONE else ("ACME", "BOLT")
    return (ABSENT, *samples, "") if setting.clearable or not wanted else (ABSENT, *samples)


def states(group: tuple[Setting, ...], *, wanted: bool) -> Iterator[dict[str, Value]]:
    """Yield every combination of values of a group."""
    for values in itertools.product(*(choices(setting, wanted=wanted) for setting in group)):
        yield {s.name: v for s, v in zip(group, values, strict=True) if v is not ABSENT}  # type: ignore[misc]


def does_nothing(before: Values, after: Values) -> bool:
    """Tell, from Telnyx's documentation and not from our rules, whether a value that is set would have no effect."""
    result = {**before, **after}
    if FORWARDING_ENABLED in after and result.get(FORWARDING_ENABLED) is True and not result.get(FORWARDS_TO):
        return True
    if CNAM_DETAILS in after and result.get(CNAM_ENABLED) is False and result.get(CNAM_DETAILS):
        return True
    return CNAM_ENABLED in after and result.get(CNAM_ENABLED) is True and not result.get(CNAM_DETAILS)


@pytest.mark.parametrize("by_sheet", [False, True], ids=["form", "sheet"])
@pytest.mark.parametrize("group", GROUPS)
def test_only_what_has_no_effect_is_refused(settings_kind: Kind, group: str, *, by_sheet: bool) -> None:
    """A number is refused exactly where the change sets something that would do nothing; what is set is sent."""
    members = tuple(setting for setting in settings_kind.settings if setting.group == group)
    walked = 0
    for wanted in states(members, wanted=True):
        if not wanted or settings_kind.rule(wanted):
            continue
        for before in states(members, wanted=False):
            snapshot = Snapshot(id="1", e164="+13035550199", values=before, editable=True)
            form, rows = ({}, {"1": wanted}) if by_sheet else (wanted, {})
            plan = build(settings_kind, form, [snapshot], rows)
            (number,) = plan.numbers
            walked += 1

            assert bool(unfit(settings_kind, plan)) is does_nothing(before, number.after), (before, wanted)
            if number.after and not does_nothing(before, number.after):
                assert not left_out({**before, **number.after}) & number.after.keys(), (before, wanted)
    assert walked


@pytest.mark.parametrize(
    ("before", "wanted", "said"),
    [
        pytest.param({}, {FORWARDS_TO: "+13035550100"}, "without *Forward when*", id="no-type"),
        pytest.param({FORWARDING_TYPE: "always"}, {FORWARDS_TO: "+13035550100"}, "", id="type-is-there"),
        pytest.param(
            {FORWARDING_TYPE: "always", FORWARDING_ENABLED: False},
            {FORWARDS_TO: "+13035550100"},
            "while *Call forwarding* is off",
            id="switch-is-off",
        ),
        pytest.param({FORWARDS_TO: "+13035550100"}, {FORWARDS_TO: ""}, "", id="blank-stops-it"),
        pytest.param(
            {FORWARDS_TO: "+13035550100", FORWARDING_ENABLED: False},
            {FORWARDING_ENABLED: True},
            "without *Forward when*",
            id="switched-on-without-type",
        ),
        pytest.param(
            {FORWARDS_TO: "+13035550100", FORWARDING_ENABLED: False, FORWARDING_TYPE: "always"},
            {FORWARDING_ENABLED: True},
            "",
            id="switched-on-with-type",
        ),
    ],
)
def test_what_may_not_be_meant_is_said(settings_kind: Kind, before: Values, wanted: Values, said: str) -> None:
    """A number to forward to that forwards nothing is allowed, and said before somebody approves it."""
    plan = build(settings_kind, wanted, [Snapshot(id="1", e164="+13035550199", values=before, editable=True)])

    cautions = summarise(settings_kind, plan, wanted, {}, repeats=0).cautions

    assert [said in caution for caution in cautions] == ([True] if said else [])
