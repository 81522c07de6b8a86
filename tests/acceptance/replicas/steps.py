"""The steps of a change, as the audit log has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final, NamedTuple

from tests.acceptance import ledger

#: Who does what nobody has to decide.
ITSELF: Final = "linesman"


class Step(NamedTuple):
    """What happened, who did it, to which plan, and what was written down besides."""

    what: str
    actor: str
    digest: str
    details: dict[str, str | int | None]


def steps_of(database: Path, change: object) -> list[Step]:
    """Return the steps of a change in their order."""
    query = "SELECT what, actor, digest, details FROM events WHERE change_id = ? ORDER BY id"
    rows = ledger.rows(database, query, change)
    return [Step(str(what), str(by), str(digest), json.loads(str(more))) for what, by, digest, more in rows]
