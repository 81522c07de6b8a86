"""What an approval is for: a hash over everything that a plan says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC

from bot.changes.model.filter_fields import conditions_to_json
from bot.changes.model.rollout import Rollout
from bot.changes.model.start import End, Start
from bot.changes.model.values import Values, canonical
from bot.changes.planning.plan import PlannedBatch, PlannedNumber


def digest(
    kind: str,
    numbers: Iterable[PlannedNumber],
    batches: Sequence[PlannedBatch],
    start: Start | None = None,
    until: End | None = None,
    *,
    rollout: Rollout | None = None,
) -> str:
    """Return the SHA-256 (hex) over the canonical form of a plan: its kind, its times, every number and every value.

    Secrets count by their keyed fingerprint. The order of the numbers counts, because it decides the batches. The
    start counts, because whoever approves a change for tonight has not approved it for noon; the zone in which it is
    written does not. Without a start the digest is what it was before there were any, so old approvals stay good.
    Both is true of the end of a temporary change; together with the values from before it says what is restored then.
    The wave of each batch counts, and what happens between the waves; for a canary it is what it was before there were
    more waves than two.
    """
    running = hashlib.sha256()
    begins = {"start": start.at.astimezone(UTC).isoformat()} if start else {}
    ends = {"until": until.at.astimezone(UTC).isoformat()} if until else {}
    running.update(canonical({"version": 1, "kind": kind, **begins, **ends, **_between(rollout)}).encode())
    several = any(batch.wave > 1 for batch in batches)
    for batch in batches:
        handed = [conditions_to_json(batch.handed)] if batch.handed else []
        wave = ["canary"] if several and batch.wave == 1 else [f"wave {batch.wave}"] if batch.wave > 2 else []
        running.update(canonical([batch.position, batch.size, plain(batch.values), *handed, *wave]).encode())
    latest: tuple[int | None, Values, Values] | None = None
    shared = ""
    for number in numbers:
        position, before, after = number.batch, number.before, number.after
        if latest is None or position != latest[0] or before is not latest[1] or after is not latest[2]:
            # Neighbours mostly share all but their names, and the rest takes ten times as long to write down.
            latest, shared = (position, before, after), canonical([position, plain(before), plain(after)])[1:]
        running.update(f"[{canonical(number.id)},{canonical(number.e164)},{shared}".encode())
    return running.hexdigest()


def _between(rollout: Rollout | None) -> dict[str, object]:
    """Return what a digest says of what happens between waves; nothing where it is as after a canary."""
    if rollout is None or rollout == Rollout():
        return {}
    pause, threshold = rollout.pause, rollout.threshold
    between = {"asks": pause.asks, "seconds": int(pause.length.total_seconds())}
    return {"rollout": {**between, "count": threshold.count, "share": threshold.share}}


def extension_digest(extended: str, until: End) -> str:
    """Return the SHA-256 (hex) over the digest of a temporary change and a later end of it."""
    ends = until.at.astimezone(UTC).isoformat()
    return hashlib.sha256(canonical({"version": 1, "extends": extended, "until": ends}).encode()).hexdigest()


def revised_digest(former: str, plan: str) -> str:
    """Return the SHA-256 (hex) over the digest of a plan that was sent back and that of the plan in its place.

    So nothing that was decided, or could be clicked, on the one is for the other, even if both change the same.
    """
    return hashlib.sha256(canonical({"version": 1, "revises": former, "plan": plan}).encode()).hexdigest()


def plain(values: Values) -> dict[str, object]:
    """Return values ready for :func:`bot.changes.model.values.canonical`, which knows secrets by their fingerprint."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
