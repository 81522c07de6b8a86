"""The kinds of change, and what each may do."""

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


#: Names values that the provider does not accept beside the others, so they are not sent: values -> names.
LeftOut = Callable[[Values], frozenset[str]]


def none_left_out(values: Values) -> frozenset[str]:  # noqa: ARG001 - the signature of every such function
    """Return nothing: all values of this kind are sent."""
    return frozenset()


class EffectState(Enum):
    """Progress of an accepted value: a number can have a value that is not in effect."""

    DONE = "done"  #: in effect, as far as anybody can tell
    UNDER_WAY = "under_way"  #: accepted, and still being worked on
    FAILED = "failed"  #: accepted, tried, and not achieved
    CONTRARY = "contrary"  #: neither in effect nor becoming so
    UNTOLD = "untold"  #: the provider does not say, or uses an unknown word


#: Derives the state from the sent values and the values read.
Stand = Callable[[Values, Values], EffectState]


def always_done(sent: Values, found: Values) -> EffectState:  # noqa: ARG001 - the signature of every such function
    """Return DONE: where a provider tells only the values, having them means that they are in effect."""
    return EffectState.DONE


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of change: ``telnyx.settings``, ``telnyx.emergency``, ..."""

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
    #: Filter fields by which its numbers can be found.
    filters: tuple[FilterField, ...] = ()
    #: Secret settings of the provider that cannot be given, as there is no key to seal them with.
    withheld: tuple[Setting, ...] = ()
    #: Whether it removes its numbers from the account permanently. Such a kind has no settings, and changes every
    #: number.
    removes: bool = False
    #: Values read and shown for every number although nothing changes them.
    observed: tuple[Setting, ...] = ()
    #: The provider's words for how far a change is, read beside the values and never sent.
    statuses: tuple[Setting, ...] = ()
    stands: Stand = always_done
    #: The danger when the change of a number failed to take effect, as the end of a sentence.
    jeopardy: str = ""
    #: Returns why a number with these current values must be left out, as the end of a sentence that begins with its
    #: name; empty when it may be included.
    barred: Callable[[Values], str] = nothing_barred
    #: Like ``rule``, applied to the values that each number would have afterwards. A problem counts only for settings
    #: that the change sets.
    result_rule: Rule = no_rule
    #: Called in the same way for values that are allowed but may not be meant, as the end of a sentence about numbers.
    caution: Rule = no_rule

    @cached_property
    def by_name(self) -> Mapping[str, Setting]:
        """All settings that can be changed or are only observed, and statuses, by name."""
        return {setting.name: setting for setting in (*self.settings, *self.observed, *self.statuses)}

    @cached_property
    def always(self) -> tuple[str, ...]:
        """Names of the settings that are always sent, in the order of the kind."""
        return tuple(setting.name for setting in self.settings if setting.always)

    def setting(self, name: str) -> Setting:
        """Return the setting called ``name``; KeyError when the kind has none."""
        return self.by_name[name]

    def touched(self, names: Iterable[str]) -> tuple[Setting, ...]:
        """Return the settings to read when ``names`` change.

        They are those, their groups' siblings, the ones that are always sent, and observed ones.
        """
        wanted = {*names, *self.always}
        groups = {self.setting(name).group for name in wanted} - {""}
        return (*(s for s in self.settings if s.name in wanted or s.group in groups), *self.observed)

    def taken_away(self, before: Values, after: Values) -> frozenset[str]:
        """Return the names of values in ``before`` that the provider clears with the sent values."""
        away = self.left_out({**before, **after}) - self.left_out(before)
        return frozenset(name for name in away if before.get(name) not in (None, "", ()))
