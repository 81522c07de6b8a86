"""A script as a process of its own."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from tests.acceptance.process import HERE, environment
from tests.benchmarks.carrier import API_KEY, Carrier
from tests.benchmarks.measure import Run, memory_of


async def carry(carrier: Carrier, name: str) -> Run:
    """Run the script ``name`` and return what it took; raises RuntimeError where it ended with an error."""
    ids = await carrier.ids()
    await carrier.begin()
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(ids, file)
        file.flush()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.benchmarks.peers.run", name, carrier.url, file.name),
            cwd=HERE,
            env=environment({}),
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"the script “{name}” ended with status {process.returncode}")
    said = json.loads(out)
    return Run(who=name, terms=carrier.terms, seen=await carrier.seen(), **said)


async def _play(name: str, url: str, ids: list[str]) -> dict[str, float]:
    from telnyx import AsyncTelnyx  # noqa: PLC0415 - the other process runs without it

    from tests.benchmarks.peers.scripts import SCRIPTS  # noqa: PLC0415 - as above

    began = time.time()
    async with AsyncTelnyx(api_key=API_KEY, base_url=url) as client:
        claimed = await SCRIPTS[name](client, ids)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": time.time() - began,
        "cpu": used.ru_utime + used.ru_stime,
        "memory": memory_of(),
        "claimed": claimed,
    }


def main() -> None:
    """Print what the script took, as JSON."""
    name, url, path = sys.argv[1:]
    ids = json.loads(Path(path).read_text(encoding="utf-8"))
    print(json.dumps(asyncio.run(_play(name, url, ids))))  # noqa: T201 - how the other process learns of it


if __name__ == "__main__":
    main()
