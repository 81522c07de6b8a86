"""Comparing the numbers' values after the jobs with what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bot.changes.model.kinds import EffectState, Kind
from bot.changes.model.lifecycle import OperationState
from bot.changes.model.list_edits import ordered
from bot.changes.model.settings import show_value
from bot.changes.model.snapshots import Snapshot
from bot.changes.model.values import Secret, Value, Values
from bot.changes.outcome.outcomes import ALSO_CHANGED, DIFFERS, GONE, NOT_IN_EFFECT, NOT_SHOWN, STILL_ACTIVATING
from bot.changes.planning.plan import same

#: The status of a number that is gone (providers/telnyx/API.md, "Lists of numbers").
DELETED = "deleted"

Labels = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """Why the outcome of a number is unknown: a code of ours, a sentence, and a JSON pointer."""

    code: str
    reason: str
    pointer: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class AwaitedNumber:
    """A number to be read back."""

    #: Its operation's position in the plan.
    position: int
    #: Its batch's position in the plan, from 1.
    batch: int
    #: None when its job says that it succeeded.
    doubt: Doubt | None = None
    #: Everything that the plan's snapshot knew of it, including the fields that were sent.
    known: Values = field(default_factory=dict)
    #: The values found by the last look of this read-back; empty before the first.
    seen: Values = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class SentBatch:
    """The values that the numbers of one batch must have afterwards, and fields that may change besides."""

    #: Everything actually sent: the wanted values, and the siblings that complete a nested object.
    values: Values
    #: Fields that the provider clears by itself with these values.
    away: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadBack:
    """The result of reading one number back."""

    position: int
    #: Its state now; None while undecided.
    state: OperationState | None = None
    code: str = ""
    reason: str = ""
    pointer: str = ""
    #: The values of the sent fields, of fields that changed besides, and of statuses; secrets without their sealed
    #: text. None when the number was not there to read.
    found: Values | None = None
    #: How far the change is in effect; ``word`` is the provider's word for it, empty where it has none.
    standing: EffectState = EffectState.DONE
    word: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long to wait for a number that is not as it should be."""

    #: Whether a different value now counts as a difference; before that, it may only show late.
    last: bool
    #: Whether a number still under way has used up its time.
    overdue: bool = False


def comparable(kind: Kind, values: Values) -> SentBatch:
    """Return the values that the numbers of a batch with these ``values`` must have afterwards.

    A sibling that the provider reset although it was sent is a difference. A sibling that was not set is not sent, and
    may get any value.
    """
    away = kind.left_out(values)
    sent = {name: value for name, value in values.items() if value is not None and name not in away}
    return SentBatch(values=sent, away=away)


def differing(kind: Kind, sent: Values, found: Values) -> list[str]:
    """Return the names of sent values that were not found; secrets that the provider does not return are left out."""
    return [
        name
        for name, value in sent.items()
        if name in kind.by_name
        and not (kind.setting(name).secret and found.get(name) is None)
        and not same(kind.setting(name), value, found.get(name))
    ]


def also_changed(kind: Kind, sent: SentBatch, known: Values, found: Values) -> list[str]:
    """Return the names of fields that were set before, were not sent, and are no longer as they were.

    A field that was not set had nothing to lose, and a provider may give it a default beside the sent ones. No job can
    reset observed settings and statuses.
    """
    if known.keys() <= sent.values.keys():
        return []  # as for most numbers, of which nothing else was read
    return [
        setting.name
        for setting in kind.settings
        if setting.name not in sent.values
        and setting.name not in sent.away
        and not setting.secret
        and known.get(setting.name) not in (None, "", ())
        and setting.name in found
        and not same(setting, known[setting.name], found[setting.name])
    ]


def to_read(kind: Kind, sent: SentBatch, known: Values) -> set[str]:
    """Return the names of the fields to read of a number, with no more calls than the plan needed."""
    if kind.removes:
        return set()
    beside = {setting.name for setting in kind.settings if setting.name in known and not setting.secret}
    return {name for name in sent.values if name in kind.by_name} | beside | {each.name for each in kind.statuses}


def judge(
    kind: Kind,
    awaited: AwaitedNumber,
    sent: SentBatch,
    snapshot: Snapshot | None,
    labels: Labels,
    *,
    patience: Patience,
) -> ReadBack:
    """Return the result of reading one number back.

    A number with everything as sent is decided at once. So is one for which the provider says that the accepted change
    has failed, if that is certainly about this change. A number under way is waited for longer than one that differs: a
    provider may show a change late, but only by minutes.
    """
    if kind.removes:
        gone = snapshot is None or snapshot.status == DELETED  # some lists still show a number that is gone
        reading = _removed(awaited, None if gone else {})
    elif snapshot is None:
        why = "The number is no longer in the account"
        reading = ReadBack(position=awaited.position, state=OperationState.DIFFERS, code=GONE, reason=f"{why}.")
    else:
        reading = _present(kind, awaited, sent, snapshot, labels)
    failed = reading.standing is EffectState.FAILED and _news(kind, awaited, sent)
    urgent = failed or reading.state is OperationState.VERIFIED
    waits = not patience.overdue if reading.standing is EffectState.UNDER_WAY else not patience.last
    if waits and not urgent:
        reading = replace(reading, state=None)
    return _doubted(reading, awaited.doubt)


def _news(kind: Kind, awaited: AwaitedNumber, sent: SentBatch) -> bool:
    """Tell whether a failed status is certainly about this change.

    It is if the number had another status at planning or at an earlier look. A number that had failed before, or was
    under way, may go on showing that for a while, as any change may show late. It gets the few looks that every
    difference gets: an alarm one minute later about a service that did not work before hurts less than a false one,
    after which nobody would believe the next. The alarm is never left out.
    """
    before, then = (kind.stands(sent.values, values) for values in (awaited.known, awaited.seen))
    certain = {EffectState.DONE, EffectState.CONTRARY}
    return before in certain or then in {*certain, EffectState.UNDER_WAY}


def _present(kind: Kind, awaited: AwaitedNumber, sent: SentBatch, snapshot: Snapshot, labels: Labels) -> ReadBack:
    """Return the result for a number that is there."""
    values = snapshot.values
    extra = also_changed(kind, sent, awaited.known, values)
    statuses = [each.name for each in kind.statuses]
    seen = ReadBack(
        position=awaited.position,
        found={name: _kept(values.get(name)) for name in (*sent.values, *extra, *statuses)},
        standing=kind.stands(sent.values, values),
        word=next((str(values[name]) for name in statuses if values.get(name)), ""),
    )
    status = kind.statuses[0].label if kind.statuses else ""
    different = _differences(kind, awaited, sent, seen, extra, labels=labels)
    if seen.standing is EffectState.FAILED:
        why = f"{status} is {seen.word}, so {kind.jeopardy} from this number"
        return replace(seen, state=OperationState.DIFFERS, code=NOT_IN_EFFECT, reason=why)
    if seen.standing is EffectState.UNDER_WAY:
        why = f"{status} is still {seen.word}, so it is not known whether it takes effect"
        return replace(seen, state=OperationState.UNVERIFIED, code=STILL_ACTIVATING, reason=why)
    if different is not None:
        return different
    if seen.standing is EffectState.CONTRARY:
        why = f"{status} is {seen.word}, which is not what was asked for"
        return replace(seen, state=OperationState.DIFFERS, code=NOT_IN_EFFECT, reason=why)
    untold = [_label(kind, name) for name in sent.values if _untold(kind, name, seen.found or {})]
    if seen.standing is EffectState.UNTOLD:
        untold.append(f"{status} “{seen.word}”" if seen.word else status)
    if untold:
        what = ", ".join(untold)
        why = f"{what} cannot be read back, so it was not compared; everything else matches what was sent."
        return replace(seen, state=OperationState.UNVERIFIED, code=NOT_SHOWN, reason=why)
    # Made directly for nearly every number, in a third of the time that replace() takes.
    return ReadBack(
        position=seen.position,
        state=OperationState.VERIFIED,
        found=seen.found,
        standing=seen.standing,
        word=seen.word,
    )


def _differences(
    kind: Kind, awaited: AwaitedNumber, sent: SentBatch, seen: ReadBack, extra: list[str], *, labels: Labels
) -> ReadBack | None:
    """Return the result for a number that is not as it should be; None when it is.

    A number whose other values changed counts as differs: a job may be resetting fields, and "verified" would let it
    continue over thousands more. If it was somebody's edit, the cost is one look.
    """
    found = seen.found or {}
    missing = differing(kind, sent.values, found)
    told = [_difference(kind, name, sent.values[name], found.get(name), labels) for name in missing]
    told += [_change(kind, name, awaited.known[name], found[name], labels) for name in extra]
    if not told:
        return None
    if not missing:
        told.append("what was sent is there, but the job may have reset this, or somebody else changed it")
    return replace(
        seen,
        state=OperationState.DIFFERS,
        code=DIFFERS if missing else ALSO_CHANGED,
        reason="; ".join(told),
        pointer=f"/{[*missing, *extra][0].replace('.', '/')}",
    )


def _doubted(reading: ReadBack, doubt: Doubt | None) -> ReadBack:
    """Return the result for a number of uncertain outcome: the reason stays beside what was found."""
    if doubt is None or reading.state is OperationState.VERIFIED:
        return reading
    found = f"{reading.reason.rstrip('.')}. " if reading.reason else ""
    return replace(reading, code=doubt.code, reason=f"{found}{doubt.reason}", pointer=reading.pointer or doubt.pointer)


def _removed(awaited: AwaitedNumber, found: Values | None) -> ReadBack:
    """Return the result for a number that was to be removed from the account."""
    if found is None:
        return ReadBack(position=awaited.position, state=OperationState.VERIFIED)
    return ReadBack(
        position=awaited.position,
        state=OperationState.DIFFERS,
        code=DIFFERS,
        reason="The number is still in the account.",
        found=found,
    )


def _difference(kind: Kind, name: str, wanted: Value, found: Value, labels: Labels) -> str:
    setting = kind.setting(name)
    if setting.secret:
        return f"{setting.label} is not the one that was sent"
    now, sent = (show_value(setting, ordered(value), labels.get(name)) for value in (found, wanted))
    return f"{setting.label} is {now} instead of {sent}"


def _change(kind: Kind, name: str, then: Value, found: Value, labels: Labels) -> str:
    setting = kind.setting(name)
    now, before = (show_value(setting, ordered(value), labels.get(name)) for value in (found, then))
    return f"{setting.label} was {before} and is {now}"


def _label(kind: Kind, name: str) -> str:
    return kind.by_name[name].label if name in kind.by_name else name


def _untold(kind: Kind, name: str, found: Values) -> bool:
    """Tell whether the value of a setting cannot be known.

    A secret that the provider does not return may be lost; without LINESMAN_SECRET_KEY secrets are not read at all.
    """
    return name not in kind.by_name or (kind.setting(name).secret and found.get(name) is None)


def _kept(value: Value) -> Value:
    """Return ``value`` as it is kept: only the fingerprint of a secret, which is enough to compare it."""
    return Secret(fingerprint=value.fingerprint) if isinstance(value, Secret) else value
