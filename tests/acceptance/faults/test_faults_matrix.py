"""Never twice, never lost: a fault at every call and at every commit of the story."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.faults.misfortunes import MISFORTUNES, Misfortune
from tests.acceptance.faults.steps import Step
from tests.acceptance.faults.trials import Combination, combinations, judge, record, representatives


@pytest.fixture(scope="session")
def steps(tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    """Return the steps of the story, as it goes without a fault."""
    return asyncio.run(record(tmp_path_factory.mktemp("recordings")))


async def test_nothing_is_lost_or_doubled_at_the_worst_steps(
    tmp_path: Path, steps: list[Step], subtests: pytest.Subtests, tally: Counter[str]
) -> None:
    """Every fault, where a job is made and at one step besides: the run is resumed and ends as if nothing had been."""
    await _judge_all(tmp_path, representatives(steps), subtests, tally)


@pytest.mark.faults
@pytest.mark.parametrize("misfortune", MISFORTUNES, ids=str)
async def test_nothing_is_lost_or_doubled_wherever_it_happens(
    tmp_path: Path, steps: list[Step], misfortune: Misfortune, subtests: pytest.Subtests, tally: Counter[str]
) -> None:
    """Whichever step this fault hits, the run is resumed and ends as if nothing had been in its way."""
    chosen = [one for one in combinations(steps) if one.misfortune is misfortune]
    await _judge_all(tmp_path, chosen, subtests, tally)


async def _judge_all(folder: Path, chosen: list[Combination], subtests: pytest.Subtests, tally: Counter[str]) -> None:
    for verdict in await judge(folder, chosen):
        tally.update(played=1, wrong=bool(verdict.problem))
        with subtests.test(str(verdict.combination)):
            if verdict.problem:
                pytest.fail(verdict.problem, pytrace=False)
