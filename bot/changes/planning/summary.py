"""The figures of a plan that people read before they request its approval, and before they approve it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from bot.changes.model.kinds import Kind
from bot.changes.model.list_edits import keys
from bot.changes.model.locks import Held
from bot.changes.model.settings import Setting
from bot.changes.model.summary import Summary
from bot.changes.model.values import ListEdit, Values, WantedValues
from bot.changes.planning.plan import Plan, PlannedNumber, difference, meaning

#: How many numbers the before/after sample shows.
SAMPLE_SIZE: Final = 5

#: How many numbers changed since then are named.
NAMED: Final = 10
#: Values that mean "nothing" or "off".
UNSET: Final = (None, False, "", (), "disabled")

_NO_COUNTS: Final[Mapping[str, int]] = MappingProxyType({})


def summarise(
    kind: Kind,
    plan: Plan,
    wanted: WantedValues,
    labels: Mapping[str, Mapping[str, str]],
    *,
    repeats: int,
    left_out: Sequence[str] = (),
    without_effect: Sequence[str] = (),
    locked: Sequence[Held] = (),
    conditions: Sequence[str] = (),
    varied: Mapping[str, int] = _NO_COUNTS,
    overridden: Sequence[str] = (),
    given: Sequence[str] = (),
    unknown: int = 0,
    lost: Mapping[str, int] = _NO_COUNTS,
    since: Sequence[str] = (),
) -> Summary:
    """Return the figures of ``plan`` for cards and previews.

    ``given`` tells people where the numbers with values of their own, and those values, come from.
    """
    changed = [number for number in plan.numbers if number.batch is not None]
    names = tuple(dict.fromkeys((*wanted, *varied)))
    several = any(batch.wave > 1 for batch in plan.batches)
    first = {batch.position for batch in plan.batches if several and batch.wave == 1}
    paid = {
        name: count
        for name, count in (
            (name, sum(1 for number in changed if _switches_on(kind.setting(name), number))) for name in names
        )
        if count
    }
    cautions = _cautions(kind, changed)
    return Summary(
        numbers=len(plan.numbers),
        unchanged=plan.unchanged,
        batches=len(plan.batches),
        wanted=wanted,
        unknown=unknown,
        lost=lost,
        since=len(since),
        since_named=tuple(since[:NAMED]),
        varied=varied,
        overridden=tuple(overridden),
        labels=labels,
        repeats=repeats,
        left_out=len(left_out),
        left_out_named=tuple(left_out[:NAMED]),
        without_effect=tuple(without_effect),
        locked=tuple(locked),
        conditions=tuple(conditions),
        sample=tuple(
            (
                number.e164,
                {name: number.before[name] for name in after or number.before if name in number.before},
                after,
            )
            for number, after in ((number, _shown(kind, number)) for number in _telling(kind, changed))
        ),
        paid=paid,
        ends_at=plan.until.at if plan.until else None,
        canary=tuple(number.e164 for number in changed if number.batch in first)[:SAMPLE_SIZE],
        rollout=plan.rollout,
        cautions={why: len(numbers) for why, numbers in cautions.items()}
        | (dict.fromkeys(given, len(changed)) if changed else {}),
        cautioned={why: tuple(numbers[:NAMED]) for why, numbers in cautions.items()},
        having={
            each.name: count
            for each in kind.observed
            if (count := sum(1 for n in changed if n.before.get(each.name) not in UNSET))
        },
        losing={
            name: count
            for name in names
            if not isinstance(wanted.get(name), ListEdit) and (count := _losing(kind.setting(name), changed))
        },
    )


def _cautions(kind: Kind, changed: Sequence[PlannedNumber]) -> dict[str, list[str]]:
    """Return caution -> the numbers that it applies to, in E.164: what may not be meant, or may not work."""
    found: dict[str, list[str]] = {}
    for number in changed:
        caution = kind.caution({**number.beside, **number.before, **number.after})
        reasons = (number.doubt, _again(kind, number), *(why for name, why in caution.items() if name in number.after))
        for why in {*reasons} - {""}:
            found.setdefault(why, []).append(number.e164)
    return found


def _again(kind: Kind, number: PlannedNumber) -> str:
    """Return why a number that has the values is sent them once more; empty for every other number."""
    if not kind.statuses or difference(kind, number.before, number.after):
        return ""
    status = kind.statuses[0]
    word = str(number.beside.get(status.name) or "")
    told = f"“{word}”" if re.fullmatch(r"[\w-]{1,40}", word) else "not known"
    return f"*{status.label}* is {told} although the values are set, so they are sent once more and watched"


def _telling(kind: Kind, changed: Sequence[PlannedNumber]) -> list[PlannedNumber]:
    """Return a few numbers that say most: those with different values, before or after, come before repetitions."""
    unlike: dict[tuple[str, str], PlannedNumber] = {}
    latest: PlannedNumber | None = None
    for number in changed:
        if len(unlike) >= SAMPLE_SIZE:
            break
        if latest is None or number.before != latest.before or number.after != latest.after:
            after = _shown(kind, number)  # most are like the previous one, whose meaning is known
            before = {name: number.before.get(name) for name in after or number.before}
            unlike.setdefault((meaning(kind, before), meaning(kind, after)), number)
            latest = number
    chosen = list(unlike.values())
    rest = (number for number in changed[: 2 * SAMPLE_SIZE] if number not in chosen)
    return [*chosen, *rest][:SAMPLE_SIZE]


def _shown(kind: Kind, number: PlannedNumber) -> Values:
    """Return the shown values that a number gets, including the loss of fields that go with a switch."""
    return {**number.after, **dict.fromkeys(sorted(kind.taken_away(number.before, number.after)))}


def _losing(setting: Setting, changed: Sequence[PlannedNumber]) -> int:
    """Return how many numbers lose an entry of a list that is replaced whole."""
    if not setting.listed:
        return 0
    return sum(
        1
        for n in changed
        if setting.name in n.after and keys(setting, n.before.get(setting.name)) - keys(setting, n.after[setting.name])
    )


def _switches_on(setting: Setting, number: PlannedNumber) -> bool:
    """Tell whether a paid setting goes from off, unset or ``disabled`` to anything else."""
    return (
        setting.paid
        and setting.name in number.after
        and number.after[setting.name] not in UNSET
        and (number.before.get(setting.name) in UNSET)
    )
