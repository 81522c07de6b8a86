"""The exact plan that people approve, and differences from it: from wanted values, and from values found later."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC

from bot.changes.model.filter_fields import Condition, conditions_to_json
from bot.changes.model.kinds import Kind
from bot.changes.model.list_edits import keys
from bot.changes.model.rollout import Rollout
from bot.changes.model.settings import Setting
from bot.changes.model.snapshots import Snapshot
from bot.changes.model.start import End, Start
from bot.changes.model.values import ListEdit, Value, Values, WantedValue, WantedValues, canonical


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedNumber:
    """One number of a plan."""

    id: str
    e164: str
    #: Current values of everything that is sent: the wanted settings and their groups' siblings. A setting that the
    #: provider does not return for the number is absent, which is not the same as None.
    before: Values
    #: The values that will differ afterwards, and also those that its kind always sends; empty when the number already
    #: has them. People read this about the number, and nothing else may take effect.
    after: Values
    #: Position of its batch, from 1; None when it is left alone.
    batch: int | None
    #: Other values read from the number, which nothing is to change: compared after the job, as a job may reset them.
    #: They are not part of what people approve, and no reason to call a plan stale.
    beside: Values = field(default_factory=dict)
    #: Why the provider may refuse to change it; see :attr:`bot.changes.model.snapshots.Snapshot.doubt`.
    doubt: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedBatch:
    """Numbers that get the same values in one call."""

    position: int
    values: Values
    size: int
    #: A filter handed to the provider because nobody can resolve it beforehand; empty for every other batch.
    handed: tuple[Condition, ...] = ()
    #: The wave that it belongs to, from 1: each wave is sent and judged before any batch of the next one is sent.
    wave: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What will happen to every number, exactly."""

    kind: str
    numbers: tuple[PlannedNumber, ...]
    batches: tuple[PlannedBatch, ...]
    digest: str
    #: When it is to happen; None for as soon as possible.
    start: Start | None = None
    #: When each number is to get its current values back; None when the change lasts.
    until: End | None = None
    #: What happens between the waves; the default if there is only one.
    rollout: Rollout = field(default_factory=Rollout)

    @property
    def unchanged(self) -> int:
        """How many numbers already have the wanted values."""
        return sum(1 for number in self.numbers if number.batch is None)


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

    Secrets count by their keyed fingerprint. The order of the numbers counts, because it decides the batches. The start
    counts, because approving a change for tonight is not approving it for noon; the time zone in which it is written
    does not. Without a start the digest is the same as before starts existed, so old approvals stay valid. Both hold
    for the end of a temporary change; together with the earlier values it says what is restored then. The wave of each
    batch counts, and what happens between the waves; a canary keeps the digest from before there were more than two
    waves.
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
            # Neighbours mostly share everything but their names, and serialising the rest takes ten times as long.
            latest, shared = (position, before, after), canonical([position, plain(before), plain(after)])[1:]
        running.update(f"[{canonical(number.id)},{canonical(number.e164)},{shared}".encode())
    return running.hexdigest()


def _between(rollout: Rollout | None) -> dict[str, object]:
    """Return what a digest covers of what happens between waves; nothing if it is the default of a canary."""
    if rollout is None or rollout == Rollout():
        return {}
    pause, threshold = rollout.pause, rollout.threshold
    between = {"asks": pause.asks, "seconds": int(pause.length.total_seconds())}
    return {"rollout": {**between, "count": threshold.count, "share": threshold.share}}


def extension_digest(extended: str, until: End) -> str:
    """Return the SHA-256 (hex) over the digest of a temporary change and its later end."""
    ends = until.at.astimezone(UTC).isoformat()
    return hashlib.sha256(canonical({"version": 1, "extends": extended, "until": ends}).encode()).hexdigest()


def revised_digest(former: str, plan: str) -> str:
    """Return the SHA-256 (hex) over the digests of a plan that was sent back and of the plan that replaces it.

    So no decision or button for one plan applies to the other, even if both change the same.
    """
    return hashlib.sha256(canonical({"version": 1, "revises": former, "plan": plan}).encode()).hexdigest()


def plain(values: Values) -> dict[str, object]:
    """Return values ready for :func:`bot.changes.model.values.canonical`, which knows secrets by their fingerprint."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def ids_to_name(kind: Kind, wanted: WantedValues, plan: Plan) -> dict[str, set[str]]:
    """Return, for each setting whose values are ids, every id that a person will read in this plan.

    Only settings that the change means to touch, or always sends, are included, not the siblings that are sent along.
    """
    observed = {each.name for each in kind.observed}
    meant = {*wanted, *kind.always}.union(observed, *(number.after for number in plan.numbers))
    names = [name for name, setting in kind.by_name.items() if setting.lookup and name in meant]
    ids: dict[str, set[str]] = {name: set() for name in names}
    for name in names:
        for number in plan.numbers:
            ids[name].update(ids_in(number.before.get(name)))
            ids[name].update(ids_in(number.after.get(name)))
        ids[name].update(ids_in(wanted.get(name)))
    return ids


def ids_in(wanted: WantedValue) -> tuple[str, ...]:
    """Return the ids in a value, or an edit, of a setting whose values are ids."""
    match wanted:
        case ListEdit(entries=entries):
            return entries
        case tuple():
            return wanted
        case str() if wanted:
            return (wanted,)
        case _:
            return ()


def unfit(kind: Kind, plan: Plan) -> dict[str, list[PlannedNumber]]:
    """Return, for each reason, the numbers that must be left out: barred, or left with conflicting values.

    Only values that the change itself sets count against a number, not those that it has already.
    """
    found: dict[str, list[PlannedNumber]] = {}
    for number in plan.numbers:
        if number.batch is None:
            continue
        reasons = [kind.barred(number.before)]
        broken = kind.result_rule({**number.beside, **number.before, **number.after})
        reasons += [why for name, why in broken.items() if name in number.after]
        for reason in filter(None, reasons):
            found.setdefault(reason, []).append(number)
    return found


def emptied(kind: Kind, plan: Plan) -> dict[str, list[PlannedNumber]]:
    """Return, for each setting, the numbers whose list an edit would empty although no way to do so is documented."""
    found: dict[str, list[PlannedNumber]] = {}
    for number in plan.numbers:
        for name, value in number.after.items():
            if value == () and not kind.setting(name).clearable:
                found.setdefault(name, []).append(number)
    return found


def same(setting: Setting, one: Value, other: Value) -> bool:
    """Tell whether two values of ``setting`` mean the same to the provider.

    Empty text and "not set" are the same. The order of a list means nothing: tags are a set without regard to case
    (providers/telnyx/API.md, "Lists of numbers"), and people and numbers that ring are documented as lists to be among
    (providers/close/API.md, "Settings of a number").
    """
    if setting.listed:
        return keys(setting, one) == keys(setting, other)
    if isinstance(one, bool) or isinstance(other, bool):
        return one == other
    return (one or None) == (other or None)


def meaning(kind: Kind, values: Values) -> str:
    """Return a text that is equal for values that are the :func:`same` to the provider: a list counts as a set."""
    sets = {name: sorted(keys(kind.setting(name), value)) for name, value in values.items() if isinstance(value, tuple)}
    return canonical({**values, **sets})


def difference(kind: Kind, before: Values, wanted: Values) -> dict[str, Value]:
    """Return the values of ``wanted`` that ``before`` does not have; what it does not tell, it may not have."""
    return {
        name: value
        for name, value in wanted.items()
        if name not in before or not same(kind.setting(name), before[name], value)
    }


def payload(kind: Kind, before: Values, wanted: Values) -> dict[str, Value]:
    """Return the values sent for a number: the wanted ones, and current values of their groups' siblings.

    A partly filled nested object may reset its other fields to their defaults (unknown: providers/telnyx/API.md,
    "Nested objects"), so an object is always sent whole. A sibling that is not set today has nothing to lose and is
    left out, and so is one that the provider does not take beside the others.
    """
    sent: dict[str, Value] = {}
    for setting in kind.touched(wanted):
        if setting in kind.observed:
            continue
        value = wanted[setting.name] if setting.name in wanted else before.get(setting.name)
        if setting.name in wanted or (value is not None and value != ""):
            sent[setting.name] = value
    away = kind.left_out(sent)
    return {name: value for name, value in sent.items() if name not in away} if away else sent


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangedValue:
    """One value that is not as the plan found it."""

    e164: str
    #: The setting; None when the number itself is gone or can no longer be changed.
    name: str | None
    then: Value = None
    now: Value = None


def changed_values(kind: Kind, planned: Iterable[PlannedNumber], found: Mapping[str, Snapshot]) -> list[ChangedValue]:
    """Return every relevant value that differs between the plan and ``found`` (by number id), in the plan's order."""
    differences: list[ChangedValue] = []
    for number in planned:
        snapshot = found.get(number.id)
        if snapshot is None or not snapshot.editable:
            differences.append(ChangedValue(e164=number.e164, name=None))
            continue
        differences += [
            ChangedValue(e164=number.e164, name=name, then=then, now=snapshot.values.get(name))
            for name, then in number.before.items()
            if not same(kind.setting(name), then, snapshot.values.get(name))
        ]
    return differences
