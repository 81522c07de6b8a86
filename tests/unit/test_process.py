"""The interpreter's own pauses."""

from __future__ import annotations

import gc
import sys

import pytest

from bot.process import COLLECT, SWITCH, short_pauses


def test_pauses_are_short_only_while_the_bot_runs() -> None:
    """What is set for the bot is as before afterwards, also when it broke."""
    before = sys.getswitchinterval(), gc.get_threshold()

    def run_and_break() -> None:
        with short_pauses():
            {}["broken"]

    with short_pauses():
        assert (sys.getswitchinterval(), gc.get_threshold()) == (SWITCH, COLLECT)
        assert gc.get_freeze_count() > 0
    with pytest.raises(KeyError):
        run_and_break()

    assert (sys.getswitchinterval(), gc.get_threshold()) == before
    assert gc.get_freeze_count() == 0
