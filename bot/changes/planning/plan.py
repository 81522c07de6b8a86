"""The exact plan that people approve."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.changes.model.filter_fields import Condition
from bot.changes.model.kinds import Kind
from bot.changes.model.rollout import Rollout
from bot.changes.model.start import End, Start
from bot.changes.model.values import ListEdit, Values, Wish, Wishes


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedNumber:
    """One number of a plan."""

    id: str
    e164: str
    #: Current values of everything that is sent: the wanted settings and their groups' siblings. A setting that the
    #: provider does not tell about the number is not in it, which is not the same as None.
    before: Values
    #: The values that will differ afterwards; empty when the number already has them.
    after: Values
    #: Position of its batch, from 1; None when it is left alone.
    batch: int | None
    #: What else was read of the number and nothing is to change: compared after the job, for a job may reset it. It is
    #: not part of what people approve, and no reason to call a plan stale.
    beside: Values = field(default_factory=dict)
    #: What may keep the provider from changing it; see :attr:`bot.changes.model.snapshots.Snapshot.doubt`.
    doubt: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedBatch:
    """Numbers that get the same values in one call."""

    position: int
    values: Values
    size: int
    #: A filter that is handed to the provider because nobody can resolve it beforehand; empty for every other batch.
    handed: tuple[Condition, ...] = ()
    #: The wave that it is part of, from 1: each is sent and judged before a batch of the next one is sent.
    wave: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What will happen to every number, exactly."""

    kind: str
    numbers: tuple[PlannedNumber, ...]
    batches: tuple[PlannedBatch, ...]
    digest: str
    #: When it is to happen; None for as soon as it may.
    start: Start | None = None
    #: When each number is to get back what it has now; None when the change lasts.
    until: End | None = None
    #: What happens between the waves; as by default where there is only one.
    rollout: Rollout = field(default_factory=Rollout)

    @property
    def unchanged(self) -> int:
        """How many numbers already have the wanted values."""
        return sum(1 for number in self.numbers if number.batch is None)


def ids_to_name(kind: Kind, wanted: Wishes, plan: Plan) -> dict[str, set[str]]:
    """Return, per setting whose values are ids, every id that a person will read in this plan.

    Only settings that the change means to touch are in it, not the siblings that are sent along.
    """
    meant = set(wanted).union({each.name for each in kind.observed}, *(number.after for number in plan.numbers))
    names = [name for name, setting in kind.by_name.items() if setting.lookup and name in meant]
    ids: dict[str, set[str]] = {name: set() for name in names}
    for name in names:
        for number in plan.numbers:
            ids[name].update(ids_in(number.before.get(name)))
            ids[name].update(ids_in(number.after.get(name)))
        ids[name].update(ids_in(wanted.get(name)))
    return ids


def ids_in(wish: Wish) -> tuple[str, ...]:
    """Return the ids that a value, or an edit, of a setting whose values are ids consists of."""
    match wish:
        case ListEdit(entries=entries):
            return entries
        case tuple():
            return wish
        case str() if wish:
            return (wish,)
        case _:
            return ()


def unfit(kind: Kind, plan: Plan) -> dict[str, list[PlannedNumber]]:
    """Return, per reason, the numbers that must be left out: barred, or with values afterwards that do not agree.

    Only what the change itself sets is held against a number: what it has already is its own affair.
    """
    found: dict[str, list[PlannedNumber]] = {}
    for number in plan.numbers:
        if number.batch is None:
            continue
        reasons = [kind.barred(number.before)]
        broken = kind.result_rule({**number.before, **number.after})
        reasons += [why for name, why in broken.items() if name in number.after]
        for reason in filter(None, reasons):
            found.setdefault(reason, []).append(number)
    return found


def emptied(kind: Kind, plan: Plan) -> dict[str, list[PlannedNumber]]:
    """Return, per setting, the numbers whose list an edit would leave empty where the provider documents no way to."""
    found: dict[str, list[PlannedNumber]] = {}
    for number in plan.numbers:
        for name, value in number.after.items():
            if value == () and not kind.setting(name).clearable:
                found.setdefault(name, []).append(number)
    return found
