"""Never twice, never lost: a fault at every call and at every commit of the story."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from tests.acceptance.faults.fault_kinds import FAULT_KINDS, FaultKind, Injection
from tests.acceptance.faults.scene import OTHERS, Setting
from tests.acceptance.faults.steps import Step, fresh
from tests.acceptance.faults.trials import (
    A_SHARE,
    LOST,
    SHARE,
    Combination,
    Share,
    combinations,
    judge,
    record,
    representatives,
)

Trial = Callable[[Sequence[Combination]], Awaitable[None]]


@pytest.fixture(scope="session")
def steps(fork_server: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    """Return the steps of the story, as it goes without a fault."""
    return asyncio.run(record(fork_server, tmp_path_factory.mktemp("recordings")))


@pytest.fixture
async def recovery(fork_server: Path, recordings: Path, steps: list[Step], lost: Injection) -> list[Step]:
    """Return the steps that come only because an answer was lost."""
    return fresh(await record(fork_server, recordings, lost), steps)


@pytest.fixture
async def others(fork_server: Path, recordings: Path, steps: list[Step], setting: Setting) -> list[Step]:
    """Return the steps of another story, or only those that set it apart."""
    found = await record(fork_server, recordings, setting=setting)
    return fresh(found, steps, often=setting.often) if setting.alike else found


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Return a folder for the recordings of a story."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def share() -> Share:
    """Return the share of the matrix that is to be played."""
    return Share.read(os.environ.get(SHARE, A_SHARE))


@pytest.fixture
def trial(fork_server: Path, tmp_path: Path, subtests: pytest.Subtests, tally: Counter[str]) -> Trial:
    """Return what plays combinations, and reports and counts each of them."""

    async def played(chosen: Sequence[Combination]) -> None:
        for verdict in await judge(fork_server, tmp_path, chosen):
            tally.update(played=not verdict.missed, missed=verdict.missed, wrong=bool(verdict.problem))
            with subtests.test(str(verdict.combination)):
                if verdict.problem:
                    pytest.fail(verdict.problem, pytrace=False)

    return played


async def test_nothing_is_lost_or_doubled_at_the_worst_steps(trial: Trial, steps: list[Step]) -> None:
    """Every fault where a job is made, and some elsewhere: the run is resumed and ends as if nothing had been."""
    await trial(representatives(steps))


@pytest.mark.faults
@pytest.mark.parametrize("fault", FAULT_KINDS, ids=str)
async def test_nothing_is_lost_or_doubled_wherever_it_happens(
    trial: Trial, steps: list[Step], share: Share, fault: FaultKind
) -> None:
    """Whichever step this fault hits, the run is resumed and ends as if nothing had been in its way."""
    await trial([one for one in combinations(steps, share=share) if one.last is fault])


@pytest.mark.faults
@pytest.mark.parametrize("setting", OTHERS, ids=str)
async def test_nothing_is_lost_or_doubled_in_any_other_story(
    trial: Trial, setting: Setting, share: Share, others: list[Step]
) -> None:
    """The same for every fault and step of the other kinds of change, and of the other way to Slack."""
    await trial(combinations(others, setting=setting, share=share))


@pytest.mark.faults
@pytest.mark.parametrize("lost", LOST, ids=str)
async def test_nothing_is_lost_or_doubled_while_it_recovers(
    trial: Trial, recovery: list[Step], share: Share, lost: Injection
) -> None:
    """An answer is lost, and the next fault hits a step of the recovery, whichever it is."""
    await trial(combinations(recovery, lost, share=share))
