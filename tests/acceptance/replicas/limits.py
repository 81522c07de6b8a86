"""Six changes on three replicas against limits of Slack and of the carrier; told are the calls beyond them.

``python -m tests.acceptance.replicas.limits`` takes minutes: Slack takes 50 edits in one, from all replicas together.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

from bot.sandbox.telnyx import RateLimit
from tests.acceptance.process_pool import ProcessPool
from tests.acceptance.replicas import verdict
from tests.acceptance.replicas.cluster import cluster
from tests.acceptance.replicas.trials import grounds

#: What the carrier takes: so many calls in so many seconds, and the part of all calls that may be beyond it.
CALLS, SECONDS, BEYOND = 20, 5.0, 0.02
#: Seconds for it all.
PATIENCE: Final = 900.0


async def played(fork_server: Path, folder: Path, server: str) -> tuple[Counter[str], Counter[int | None]]:
    """Play the changes in fair weather; return how edits at Slack and calls to the carrier were answered."""
    chance = random.Random(1)  # noqa: S311 - no secret
    async with ProcessPool(fork_server) as pool, cluster(pool, folder, server, chance, each=2, stormy=False) as stage:
        stage.slack.enforce_rate_limits = True
        stage.telnyx.rate_limit = RateLimit(limit=CALLS, window=SECONDS)
        async with asyncio.timeout(PATIENCE):
            await stage.play()
        await stage.copy_out()
        verdict.assert_right(stage)
        edits = Counter(call.error or "ok" for call in stage.slack.calls if call.method == "chat.update")
        return edits, Counter(call.status for call in stage.telnyx.calls)


def main() -> int:
    """Return 0 when no edit, and hardly a call to the carrier, was beyond the limits."""
    with grounds() as (fork_server, server):
        edits, calls = asyncio.run(played(fork_server, Path(tempfile.mkdtemp(prefix="replicas-")), server))
    print(f"edits at Slack: {dict(edits)}; calls to the carrier: {dict(calls)}")  # noqa: T201 - the result
    return int(set(edits) != {"ok"} or calls[429] > BEYOND * calls.total())


if __name__ == "__main__":
    raise SystemExit(main())
