"""What the numbers of a batch must have afterwards, and what else may not have changed."""

from __future__ import annotations

from dataclasses import dataclass

from bot.changes.model.kinds import Kind
from bot.changes.model.values import Values
from bot.changes.planning.differences import same


@dataclass(frozen=True, kw_only=True, slots=True)
class SentBatch:
    """What the numbers of one batch must have afterwards, and what may become of the rest."""

    #: All that really goes out: the wanted values, and the siblings that a nested object was filled up with.
    values: Values
    #: What the provider takes away by itself beside these values.
    away: frozenset[str] = frozenset()


def comparable(kind: Kind, values: Values) -> SentBatch:
    """Return what the numbers of a batch with these ``values`` must have afterwards.

    A sibling that the provider reset although it was sent is a difference. One that was not set is not sent and may
    become whatever it likes.
    """
    away = kind.left_out(values)
    sent = {name: value for name, value in values.items() if value is not None and name not in away}
    return SentBatch(values=sent, away=away)


def differing(kind: Kind, sent: Values, found: Values) -> list[str]:
    """Return the names of what was sent and is not found; a secret that is not told is not among them."""
    return [
        name
        for name, value in sent.items()
        if name in kind.by_name
        and not (kind.setting(name).secret and found.get(name) is None)
        and not same(kind.setting(name), value, found.get(name))
    ]


def also_changed(kind: Kind, sent: SentBatch, known: Values, found: Values) -> list[str]:
    """Return the names of what was set before, was not sent, and is not found as it was.

    What was not set had nothing to lose, and a provider may give it a default beside what was sent. Observed settings
    and statuses are nothing that a job could reset.
    """
    if known.keys() <= sent.values.keys():
        return []  # as of most numbers, of which nothing else was read
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
    """Return the names of what has to be read of a number; at no more calls than the plan took to know it."""
    if kind.removes:
        return set()
    beside = {setting.name for setting in kind.settings if setting.name in known and not setting.secret}
    return {name for name in sent.values if name in kind.by_name} | beside | {each.name for each in kind.statuses}
