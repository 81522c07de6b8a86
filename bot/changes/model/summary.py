"""The figures of a plan, small enough to be shown everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.changes.model.locks import Held
from bot.changes.model.rollout import Rollout
from bot.changes.model.values import Values, WantedValues


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """The figures of a plan, small enough for every card."""

    #: Numbers in the plan; 0 when only the provider knows them.
    numbers: int
    #: Numbers that already have the wanted values and are left alone.
    unchanged: int
    #: Jobs that will be created.
    batches: int
    #: Setting name -> the value for every number that has none of its own.
    wanted: WantedValues
    #: Setting name -> how many different values there are among numbers with values of their own.
    varied: Mapping[str, int] = field(default_factory=dict)
    #: Settings in ``wanted`` whose value no number gets, because each has its own.
    overridden: tuple[str, ...] = ()
    #: Setting name -> {id: human name} of every id that a person will read.
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: Repeated entries dropped from the pasted text.
    repeats: int = 0
    #: A few numbers with the values that differ: (E.164, {setting: before}, {setting: after}).
    sample: tuple[tuple[str, Values, Values], ...] = ()
    #: Setting name -> how many numbers get it switched on although it costs money and was off before.
    paid: Mapping[str, int] = field(default_factory=dict)
    #: Numbers that the requester left out.
    left_out: int = 0
    #: The first few of them, in E.164 or by id.
    left_out_named: tuple[str, ...] = ()
    #: Exclusions that leave no number out, in E.164 or by id.
    without_effect: tuple[str, ...] = ()
    #: The filter in words, a condition each; empty when the numbers were given one by one.
    conditions: tuple[str, ...] = ()
    #: Changes that hold some of these numbers, the largest holder first.
    locked: tuple[Held, ...] = ()
    #: Setting name -> how many numbers lose an entry of a list that is replaced whole.
    losing: Mapping[str, int] = field(default_factory=dict)
    #: Most numbers that a filter handed to the provider may match; 0 when every number is in the plan.
    unknown: int = 0
    #: Setting -> how many numbers keep their value, because the provider documents no way to set the earlier one.
    lost: Mapping[str, int] = field(default_factory=dict)
    #: How many numbers are left alone because somebody has changed them since; then the first few of them.
    since: int = 0
    since_named: tuple[str, ...] = ()
    #: What may not be meant, as the end of a sentence about numbers -> how many numbers it applies to.
    cautions: Mapping[str, int] = field(default_factory=dict)
    #: The same sentence -> the first few of those numbers, in E.164.
    cautioned: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: Observed settings: name -> how many numbers have it on, or set.
    having: Mapping[str, int] = field(default_factory=dict)
    #: The first few numbers of the first wave, in E.164; empty without waves.
    canary: tuple[str, ...] = ()
    #: What happens between the waves; unused if there is only one.
    rollout: Rollout = field(default_factory=Rollout)
    #: When the change ends according to its plan; an extension or an early end moves the actual end.
    ends_at: datetime | None = None

    @property
    def size(self) -> int:
        """How many numbers the change has, or may have; the policy goes by this."""
        return self.numbers or self.unknown

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all settings that the change is about."""
        return tuple(dict.fromkeys((*self.wanted, *self.varied)))
