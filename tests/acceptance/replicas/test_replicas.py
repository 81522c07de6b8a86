"""Several replicas, one truth: whatever happens to them, the story ends as if nothing had."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.replicas.trials import judged
from tests.integration.postgres import postgres

__all__ = ["postgres"]

#: Seeds of which each does something else. This one has a change of each course, none of which begins only in a minute,
#: a clock that is off, and replicas that are killed, stopped and cut off, none for long; many more are played by
#: ``python -m tests.acceptance.replicas.trials``.
SEEDS = (31406,)


@pytest.mark.faults  # it starts dozens of processes
async def test_replicas_lose_nothing_and_double_nothing(fork_server: Path, tmp_path: Path, postgres: str) -> None:
    """Killed, stopped, cut off from the database or with a clock that is off, three do what was approved, once."""
    problems = await judged(fork_server, tmp_path, postgres, SEEDS)

    assert "".join(problems.values()) == ""
    assert set(problems) == set(SEEDS)
