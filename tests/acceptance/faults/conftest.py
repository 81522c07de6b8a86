"""Says at the end how many combinations of a fault and a step were played."""

from __future__ import annotations

from collections import Counter
from typing import Final

import pytest

_TALLY: Final = pytest.StashKey[Counter[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin to count."""
    config.stash[_TALLY] = Counter()


@pytest.fixture
def tally(pytestconfig: pytest.Config) -> Counter[str]:
    """Return the count of combinations: under "played" all, under "wrong" those that did not end right.

    Under "missed" stand those whose step never came.
    """
    return pytestconfig.stash[_TALLY]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the count."""
    if played := config.stash[_TALLY]["played"]:
        wrong, missed = config.stash[_TALLY]["wrong"], config.stash[_TALLY]["missed"]
        chance = f"; {missed} not played, because the step came by chance only" if missed else ""
        terminalreporter.write_line(
            f"{played} combinations of a fault and a step: {played - wrong} right, {wrong} wrong{chance}"
        )
