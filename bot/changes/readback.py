"""Comparing what numbers have after the jobs with what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.changes.differences import same
from bot.changes.kinds import Kind
from bot.changes.lifecycle import OperationState
from bot.changes.outcomes import DIFFERS, GONE, NOT_TOLD
from bot.changes.settings import show_value
from bot.changes.snapshots import Snapshot
from bot.changes.values import Secret, Value, Values

#: The status of a number that is gone (telnyx.md 1.1).
DELETED = "deleted"

Labels = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Awaited:
    """A number that is to be read back."""

    #: Its operation's position in the plan.
    position: int
    #: Its batch's position in the plan, from 1.
    batch: int
    #: Whether its job says that it succeeded. Of the others only what they have now is noted, and nothing follows.
    succeeded: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What reading one number back has shown."""

    position: int
    #: What it is now; None when that is not decided yet, or not by this.
    state: OperationState | None = None
    code: str = ""
    reason: str = ""
    pointer: str = ""
    #: What it has, of what was sent, secrets without their sealed text; None when it was not there to read.
    found: Values | None = None


def comparable(kind: Kind, sent: Values) -> dict[str, Value]:
    """Return the part of a batch's values that the numbers must have afterwards: all that really goes out.

    That is the wanted values and the siblings that a nested object was filled up with: one that the provider reset
    all the same is a difference. A sibling that was not set is not sent and may become whatever it likes.
    """
    away = kind.left_out(sent)
    return {name: value for name, value in sent.items() if value is not None and name not in away}


def differing(kind: Kind, sent: Values, found: Values) -> list[str]:
    """Return the names of what was sent and is not found; a secret that is not told is not among them."""
    return [
        name
        for name, value in sent.items()
        if name in kind.by_name
        and not (kind.setting(name).secret and found.get(name) is None)
        and not same(kind.setting(name), value, found.get(name))
    ]


def judge(
    kind: Kind, awaited: Awaited, sent: Values, snapshot: Snapshot | None, labels: Labels, *, last: bool
) -> Reading:
    """Return what reading one number back shows.

    ``sent`` is what :func:`comparable` returns. Before the ``last`` time only a number that has everything is decided
    on; the others may still change.
    """
    if kind.removes and snapshot is not None and snapshot.status == DELETED:
        snapshot = None  # some lists go on showing a number that is gone
    found = None if snapshot is None else {name: _kept(snapshot.values.get(name)) for name in sent}
    open_ = Reading(position=awaited.position, found=found)
    if not awaited.succeeded:
        return open_
    decided = _decided(kind, awaited.position, sent, found, labels)
    return decided if last or decided.state is OperationState.VERIFIED else open_


def _decided(kind: Kind, position: int, sent: Values, found: Values | None, labels: Labels) -> Reading:
    if kind.removes:
        return _removed(position, found)
    if found is None:
        return Reading(
            position=position,
            state=OperationState.DIFFERS,
            code=GONE,
            reason="The number is not in the account any more.",
        )
    if names := differing(kind, sent, found):
        return Reading(
            position=position,
            state=OperationState.DIFFERS,
            code=DIFFERS,
            reason="; ".join(_difference(kind, name, sent[name], found.get(name), labels) for name in names),
            pointer=f"/{names[0].replace('.', '/')}",
            found=found,
        )
    if untold := [name for name in sent if _untold(kind, name, found)]:
        what = ", ".join(kind.by_name[name].label if name in kind.by_name else name for name in untold)
        return Reading(
            position=position,
            state=OperationState.UNVERIFIED,
            code=NOT_TOLD,
            reason=f"{what} cannot be read back, so it was not compared; everything else is as it was sent.",
            found=found,
        )
    return Reading(position=position, state=OperationState.VERIFIED, found=found)


def _removed(position: int, found: Values | None) -> Reading:
    """Return what reading a number back shows that was to be taken out of the account."""
    if found is None:
        return Reading(position=position, state=OperationState.VERIFIED)
    return Reading(
        position=position,
        state=OperationState.DIFFERS,
        code=DIFFERS,
        reason="The number is still in the account.",
        found=found,
    )


def _difference(kind: Kind, name: str, wanted: Value, found: Value, labels: Labels) -> str:
    setting = kind.setting(name)
    if setting.secret:
        return f"{setting.label} is not the one that was sent"
    now, sent = (show_value(setting, value, labels.get(name)) for value in (found, wanted))
    return f"{setting.label} is {now} instead of {sent}"


def _untold(kind: Kind, name: str, found: Values) -> bool:
    """Tell whether nobody can know what became of a setting.

    A secret that is not told may be one that was dropped; without LINESMAN_SECRET_KEY secrets are not read at all.
    """
    return name not in kind.by_name or (kind.setting(name).secret and found.get(name) is None)


def _kept(value: Value) -> Value:
    """Return ``value`` as it is kept: of a secret only the fingerprint, which is enough to compare it."""
    return Secret(fingerprint=value.fingerprint) if isinstance(value, Secret) else value
