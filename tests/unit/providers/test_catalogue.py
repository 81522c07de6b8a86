"""The guard above all providers: a provider of tomorrow that answers more than it was asked is stopped too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from itertools import pairwise
from typing import Any, cast

import pytest

from bot.changes.model.filter_fields import Condition
from bot.changes.model.snapshots import Snapshot, Target
from bot.errors import UnrequestedData
from bot.providers.base import JobReport, JobState, Provider
from bot.providers.catalogue import SubsetGuard

KIND: Any = None


class Loose:
    """A provider that answers what it likes."""

    name, title, kinds, carries_out = "loose", "Loose", (), False
    clock = key = calls = None  # the guard hands them on, and nobody here asks for them

    def __init__(self, *answers: tuple[str, str]) -> None:
        self._answers = answers

    async def find(self, _target: Target, _names: Iterable[str], _kind: object) -> AsyncIterator[Snapshot]:
        """Stream the answers, whatever was asked."""
        for id_, e164 in self._answers:
            yield Snapshot(id=id_, e164=e164, editable=True, values={})

    async def poll(self, _job: str) -> JobReport:
        """Return another job."""
        return JobReport(id="9", state=JobState.PENDING)

    async def labels(self, _kind: object, _setting: str, _ids: Iterable[str]) -> Mapping[str, str]:
        """Name something else."""
        return {"9": "Denver PBX"}


def guarded(*answers: tuple[str, str]) -> SubsetGuard:
    """Return the loose provider behind the guard."""
    return SubsetGuard(cast("Provider", Loose(*answers)))


@pytest.mark.parametrize(
    ("target", "answers", "allowed"),
    [
        pytest.param(Target(identifiers=("+1",)), [("1", "+1")], True, id="by its number"),
        pytest.param(Target(identifiers=("1",)), [("1", "+1")], True, id="by its id"),
        pytest.param(Target(identifiers=("+1",)), [], True, id="fewer"),
        pytest.param(Target(identifiers=("+1",)), [("1", "+1"), ("2", "+2")], False, id="one more"),
        pytest.param(Target(identifiers=("+1",)), [("2", "+2")], False, id="another"),
        pytest.param(Target(identifiers=("+1",)), [("1", "+1"), ("1", "+1")], False, id="twice"),
        pytest.param(
            Target(identifiers=("+1",), conditions=(Condition("tag", "", "vip"),)),
            [("1", "+1"), ("2", "+2")],
            True,
            id="what a filter finds",
        ),
        pytest.param(
            Target(conditions=(Condition("tag", "", "vip"),), excluded=("+2",)), [("2", "+2")], False, id="excluded"
        ),
    ],
)
async def test_a_list_of_numbers_is_never_widened(
    target: Target,
    answers: list[tuple[str, str]],
    allowed: bool,  # noqa: FBT001 - a column of a table
) -> None:
    """What comes back is among what was named, or the whole reading is stopped."""
    if allowed:
        assert len([each async for each in guarded(*answers).find(target, [], KIND)]) == len(answers)
        return
    with pytest.raises(UnrequestedData, match=r"Loose answered with .+, which was not requested"):
        [each async for each in guarded(*answers).find(target, [], KIND)]


async def test_what_is_asked_for_by_its_id_is_that_or_nothing() -> None:
    """Another job and the name of another thing stop whoever asked."""
    with pytest.raises(UnrequestedData, match="job 9"):
        await guarded().poll("1")
    with pytest.raises(UnrequestedData, match="9"):
        await guarded().labels(KIND, "connection_id", ["1"])


async def test_others_get_turns_while_what_lies_ready_is_streamed() -> None:
    """A hundred thousand snapshots for which nothing has to be waited keep nobody waiting either."""
    names = [(str(number), f"+{number}") for number in range(2_000)]
    read, turns = 0, []

    async def look() -> None:
        while True:
            turns.append(read)
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    async for _ in guarded(*names).find(Target(identifiers=tuple(id_ for id_, _ in names)), [], KIND):
        read += 1
    looking.cancel()

    assert read == len(names)
    assert max(later - before for before, later in pairwise(turns)) <= 250
