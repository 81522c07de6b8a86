"""The interpreter's own pauses."""

from __future__ import annotations

import gc
import sys

import pytest

from bot.runtime import COLLECT, SWITCH, short_pauses


def test_pauses_are_short_only_while_the_bot_runs() -> None:
    """What is set for the bot is as before afterwards, also when it broke."""
    before = sys.getswitchinterval(), gc.get_threshold()
    within = []

    with pytest.raises(KeyError), short_pauses():
        within += [sys.getswitchinterval(), gc.get_threshold()]
        within.append({}["broken"])

    assert within == [SWITCH, COLLECT]
    assert (sys.getswitchinterval(), gc.get_threshold()) == before
