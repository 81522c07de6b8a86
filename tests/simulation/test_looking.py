"""What people of worlds are shown, and whose job is whose: that what is wrong there is noticed."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from tests.simulation.adoptions import Adoptions
from tests.simulation.census import Census
from tests.simulation.operating import Operating
from tests.simulation.shown import Shown


class World(SimpleNamespace):
    """As much of a world as looks into it need: rows by a word of their query, and what is answered to a command."""

    def __init__(self, told: str = "", **rows: list[tuple[Any, ...]]) -> None:
        sam, otto = (SimpleNamespace(id=f"U0{name.upper()}", profile=SimpleNamespace(name=name)) for name in "so")
        self.wrong: list[str] = []
        judge = SimpleNamespace(rows=lambda query, *_: self._rows(rows, query), wrong=self.wrong.append)
        super().__init__(sam=sam, otto=otto, judge=judge, people=SimpleNamespace(read=str), wrong=self.wrong)
        self.operating = SimpleNamespace(told=self._told)
        self._answer = told

    def _rows(self, rows: dict[str, list[tuple[Any, ...]]], query: str) -> list[tuple[Any, ...]]:
        return next((found for word, found in rows.items() if word in query), [])

    async def _told(self, *_: object) -> list[str]:
        return [self._answer]


async def test_a_stranger_who_is_told_of_a_change_is_noticed() -> None:
    """Whoever may see nothing may have named a change, and is told of no other one, unless a right was lent to them."""
    for told, borrowed, wrong in (("CHG-3 holds it", [], 1), ("Not you: CHG-2", [], 0), ("CHG-3 holds it", [(1,)], 0)):
        world = World(told, delegations=borrowed)

        await Shown(world).typed(world.sam, "status CHG-2")

        assert len(world.wrong) == wrong, told


async def test_an_answer_that_comes_late_is_not_taken_for_that_to_the_next_command() -> None:
    """Only what was posted to the next one's own response address is; what came by no address may be."""
    links = {name: SimpleNamespace(posted=[]) for name in ("earlier", "own")}
    shown: list[str] = []
    slack = SimpleNamespace(deliveries=[], ephemerals=lambda _: shown, workspace=SimpleNamespace(links=links))

    async def answered(_: object, text: str) -> None:
        payload = {"response_url": "https://slack/own", "user_id": "U0SAM", "text": text}
        slack.deliveries.append(SimpleNamespace(kind="slash_command", payload=payload))
        shown.extend(["of the earlier one", "its own", "by no address"])
        links["earlier"].posted.append("of the earlier one")
        links["own"].posted.append("its own")

    async def seen(what: Callable[[], bool], _: float) -> None:
        assert what()

    people = SimpleNamespace(slack=slack, seen=seen)
    world = SimpleNamespace(people=people, judge=SimpleNamespace(command=answered))

    assert await Operating(world).told(SimpleNamespace(id="U0SAM"), "status") == ["its own", "by no address"]


async def test_a_lock_that_the_list_leaves_out_is_noticed() -> None:
    """Whatever holds numbers before and after the look stands in the list of locks."""
    world = World("Locked numbers: CHG-4", locks=[(4,), (5,)])

    await Shown(world).typed(world.otto, "locks")

    assert world.wrong == ["o typed 'locks' and is told of {4}, and not of {5}"]


def test_a_job_that_was_made_for_another_batch_is_noticed() -> None:
    """A job belongs to the batch over exactly whose numbers it was made, and operators find it only for that one."""
    world = World(number_id=[(7, "a"), (7, "b"), (8, "a")], job=[(8, 2, "job")])
    job = SimpleNamespace(id="job", operations=[SimpleNamespace(id="a"), SimpleNamespace(id="b")])
    world.telnyx = SimpleNamespace(jobs=[job])
    adoptions = Adoptions(world)
    adoptions.made(job)

    adoptions.end()

    assert world.wrong == ["batch 8 of CHG-2 has job job, made for 7"]
    assert adoptions.job_of(7) is None  # another batch has it
    world.judge.rows = lambda *_: []
    assert adoptions.job_of(7) == "job"
    assert adoptions.job_of(8) is None


def test_a_look_counts_as_had_its_effect_once_it_is_answered() -> None:
    """What only shows something leaves nothing in the audit log."""
    census, otto = Census(World()), SimpleNamespace(id="U0OTTO")
    census.typed(otto, "find +13035550100")
    census.pressed(otto, "details")
    census.answered("find +13035550100")

    assert census._looks == {"find": 1, "details": 1}
    assert census._answered == {"find": 1}
