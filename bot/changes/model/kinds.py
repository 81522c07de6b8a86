"""What sorts of change there are, and what each may do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from bot.changes.model.filter_fields import FilterField
from bot.changes.model.settings import Setting
from bot.changes.model.values import Values

#: Checks values against each other: setting name -> what is wrong. Empty when all is well.
Rule = Callable[[Values], Mapping[str, str]]


def no_rule(values: Values) -> Mapping[str, str]:  # noqa: ARG001 - the signature of every rule
    """Return no problem: the values of this kind do not constrain each other."""
    return {}


def nothing_barred(values: Values) -> str:  # noqa: ARG001 - the signature of every bar
    """Return no reason: a number may be in a change of this kind whatever its values."""
    return ""


#: Names the values that the provider does not take beside the others, and so are not sent: values -> names.
LeftOut = Callable[[Values], frozenset[str]]


def none_left_out(values: Values) -> frozenset[str]:  # noqa: ARG001 - the signature of every such function
    """Return nothing: all values of this kind are sent."""
    return frozenset()


class EffectState(Enum):
    """How far something is that a provider has accepted: having the value and its being in effect may be two things."""

    DONE = "done"  #: in effect, as far as anybody can tell
    UNDER_WAY = "under_way"  #: accepted, and still being worked on
    FAILED = "failed"  #: accepted, tried and not achieved
    CONTRARY = "contrary"  #: neither in effect nor on its way there
    UNTOLD = "untold"  #: the provider does not say, or in a word that nobody knows


#: Tells from what was sent to a number and what was read of it how far it is.
Stand = Callable[[Values, Values], EffectState]


def always_done(sent: Values, found: Values) -> EffectState:  # noqa: ARG001 - the signature of every such function
    """Return that it is done: where a provider tells no more than the values, having them is being in effect."""
    return EffectState.DONE


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One sort of change: ``telnyx.settings``, ``telnyx.emergency``, ..."""

    name: str
    provider: str
    #: What people call it: "Update settings".
    title: str
    settings: tuple[Setting, ...]
    #: The word after ``/numbers`` that starts it.
    command: str
    rule: Rule = no_rule
    left_out: LeftOut = none_left_out
    #: Most numbers in one call. Telnyx: 1000 (providers/telnyx/API.md, "Creating a job").
    batch_size: int
    #: Most jobs pending or in progress at the provider, ours and others'. Telnyx: 20, emergency 500
    #: (providers/telnyx/API.md, "Jobs in flight").
    jobs_in_flight: int
    #: What its numbers can be found by.
    filters: tuple[FilterField, ...] = ()
    #: Secret settings of the provider that cannot be given, for there is no key to seal them with.
    withheld: tuple[Setting, ...] = ()
    #: Whether it takes its numbers out of the account for good. Such a kind has no settings, and every number of it
    #: changes.
    removes: bool = False
    #: What is read of every number and shown beside it, although nothing changes it.
    observed: tuple[Setting, ...] = ()
    #: The provider's own words on how far a change is, read beside the values; nothing sends them.
    statuses: tuple[Setting, ...] = ()
    stands: Stand = always_done
    #: What people have to fear of a number of which the change failed to take effect, as the end of a sentence.
    jeopardy: str = ""
    #: Returns why a number with these current values must be left out, as the end of a sentence that begins with its
    #: name; empty when it may be in.
    barred: Callable[[Values], str] = nothing_barred
    #: Like ``rule``, asked for each number of the values that it would have afterwards. What it says of a setting
    #: counts where the change sets that one.
    result_rule: Rule = no_rule
    #: Asked in the same way for what is allowed and yet may not be meant, as the end of a sentence about numbers.
    caution: Rule = no_rule

    @cached_property
    def by_name(self) -> Mapping[str, Setting]:
        """What can be changed, what is only observed, and what tells how far a change is, by name."""
        return {setting.name: setting for setting in (*self.settings, *self.observed, *self.statuses)}

    def setting(self, name: str) -> Setting:
        """Return the setting called ``name``; KeyError when the kind has none."""
        return self.by_name[name]

    def touched(self, names: Iterable[str]) -> tuple[Setting, ...]:
        """Return what must be read when ``names`` change: they, their groups' siblings, and what is observed."""
        wanted = set(names)
        groups = {self.setting(name).group for name in wanted} - {""}
        return (*(s for s in self.settings if s.name in wanted or s.group in groups), *self.observed)
