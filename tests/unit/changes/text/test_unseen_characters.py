"""What nobody would see is shown, wherever people decide by what they read."""

from __future__ import annotations

import json

import pytest

from bot.changes.model.batches import Operation
from bot.changes.model.kinds import Kind
from bot.changes.model.lifecycle import OperationState
from bot.changes.outcome.results import PlanSheet, Touched
from bot.changes.text.characters import LOST, may_be_unsound, sound, visible
from bot.slack.views.elements import code, escape, plain, quote

OVERRIDE = "Main\u202eniaM"
SHOWN = "Main[U+202E]niaM"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param(OVERRIDE, SHOWN, id="override"),
        pytest.param("a\u200bb", "a[U+200B]b", id="zero-width-space"),
        pytest.param("a\u200db", "a[U+200D]b", id="joiner-between-letters"),
        pytest.param("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb", id="joined-picture"),
        pytest.param("\u26a0\ufe0f", "\u26a0\ufe0f", id="picture"),
        pytest.param("a\u3164b", "a[U+3164]b", id="filler"),
        pytest.param("a\ufe0fb", "a[U+FE0F]b", id="picture-of-a-letter"),
        pytest.param("1\ufe0f\u20e3 \u260e\ufe0f", "1\ufe0f\u20e3 \u260e\ufe0f", id="picture-of-a-figure"),
        pytest.param("a\U000e0fffb", "a[U+E0FFF]b", id="never-assigned"),
        pytest.param("a\u2028b", "a[U+2028]b", id="line-separator"),
        pytest.param("a\u2800b", "a[U+2800]b", id="braille-without-a-dot"),
        pytest.param("a\u0007b", "a[U+0007]b", id="control"),
        pytest.param("Zürich, Москва\n東京", "Zürich, Москва\n東京", id="letters"),
    ],
)
def test_what_nobody_sees_is_shown(text: str, shown: str) -> None:
    """Overrides, joiners, fillers and controls come as their code points; letters and pictures stay as they are."""
    assert shown == visible(text)


def test_every_text_in_slack_shows_them() -> None:
    """Values, reasons, labels and sentences pass through one place each, and all of them show what is unseen."""
    assert escape(OVERRIDE) == SHOWN
    assert f"`{SHOWN}`" == code(OVERRIDE)
    assert plain(OVERRIDE)["text"] == SHOWN
    assert quote(OVERRIDE)["elements"][0]["elements"][0]["text"] == SHOWN


def test_the_plan_sheet_shows_them(settings_kind: Kind) -> None:
    """The approver who reads the sheet sees no other value than the one that is sent."""
    operation = Operation(
        change=1,
        position=0,
        batch=1,
        number_id="1",
        e164="+13035550100",
        before={"customer_reference": "Main"},
        after={"customer_reference": OVERRIDE},
        state=OperationState.WAITING,
        code="",
        reason="",
        pointer="",
        ended_at=None,
    )

    touched = Touched(settings_kind, {})
    touched.note([operation])
    sheet = PlanSheet(settings_kind, None, touched.columns)
    sheet.add([operation])

    assert SHOWN in sheet.content().decode()


@pytest.mark.parametrize(
    ("written", "lost"),
    [
        (b'"\\ud83d"', True),
        (b'"\\uDE00 and \\uD83D"', True),
        (b'"a\\u0000b"', True),
        ('"\ud83d"'.encode("utf-8", "surrogatepass"), True),
        (b'"\\u00e4 \\u0009 \\\\u"', False),
        ('"ä 한 \U0001f600"'.encode(), False),
    ],
)
def test_halves_of_pairs_and_nul_are_found_in_a_document(written: bytes, *, lost: bool) -> None:
    """Whatever way they are written; most documents hold none, and their texts need not be looked at."""
    assert may_be_unsound(written) is lost
    assert (LOST in sound(json.loads(written.decode("utf-8", "surrogatepass")))) is lost
