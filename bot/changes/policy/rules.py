"""One rule of the policy file: which changes it governs, and what it says about them."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

from bot.changes.policy.people import Grant
from bot.changes.policy.terms import OnStale, Policy
from bot.changes.policy.windows import Window

_EVERY_KIND: Final = ("*",)
#: Approvals of a kind that is off by default, when the rule that allows it does not say how many.
_TWO: Final = 2

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """Conditions, all of which a change has to meet, and terms; a term that is None is inherited.

    A rule governs a kind that is off by default only if it forbids, or if it names the kind (a pattern will do) and
    says that it allows.
    """

    name: str
    #: Kinds and patterns (``telnyx.*``; the star stands for any text); empty: every kind.
    kinds: tuple[str, ...] = ()
    #: Fewest numbers of a change that this rule governs.
    min_numbers: int = 0
    #: Most numbers of a change that this rule governs, not a limit; None: any.
    max_numbers: int | None = None
    #: Names of settings, one of which the change has to touch; empty: whatever it touches.
    settings: frozenset[str] = frozenset()

    #: False: nobody may.
    allow: bool | None = None
    #: Why nobody may.
    why: str = ""
    requesters: Grant | None = None
    approvers: Grant | None = None
    approvals_required: int | None = None
    self_approval: bool | None = None
    approval_ttl: timedelta | None = None
    #: Zero: nobody is reminded.
    reminder: timedelta | None = None
    #: Most numbers of a change that may be requested.
    largest: int | None = None
    windows: tuple[Window, ...] | None = None
    unpreviewable: bool | None = None
    on_stale: OnStale | None = None

    @property
    def everything(self) -> bool:
        """Whether neither size nor settings matter."""
        return self.min_numbers <= 1 and self.max_numbers is None and not self.settings

    def governs(self, kind: str, off_by_default: Collection[str]) -> bool:
        """Return whether changes of ``kind`` can be governed by this rule, whatever their size and settings."""
        if not any(_like(kind, pattern) for pattern in self.kinds or _EVERY_KIND):
            return False
        return kind not in off_by_default or self.allow is False or (self.allow is True and bool(self.kinds))

    def fits(self, size: int, settings: Collection[str]) -> bool:
        """Return whether the rule is meant for a change of ``size`` numbers (at least 1) that touches ``settings``."""
        if self.settings and self.settings.isdisjoint(settings):
            return False
        return self.min_numbers <= max(size, 1) and (self.max_numbers is None or size <= self.max_numbers)

    def covers(self, other: Rule, off_by_default: Collection[str]) -> bool:
        """Return whether this rule surely governs all that ``other`` does; False when the two alone do not tell.

        Standing later, ``other`` then never governs anything.
        """
        most = self.max_numbers
        return (
            self.min_numbers <= max(other.min_numbers, 1)
            and (most is None or (other.max_numbers is not None and other.max_numbers <= most))
            and (not self.settings or (bool(other.settings) and other.settings <= self.settings))
            and all(
                any(_like(theirs, pattern) for pattern in self.kinds or _EVERY_KIND)
                for theirs in other.kinds or _EVERY_KIND
            )
            and all(
                self.governs(kind, off_by_default) for kind in off_by_default if other.governs(kind, off_by_default)
            )
        )

    def over(self, fallback: Policy, *, off_by_default: bool) -> Policy:
        """Return the policy of this rule, what it does not say taken from ``fallback``.

        A kind that is ``off_by_default`` takes two approvals at least, unless the rule says how many.
        """
        approvals = max(_TWO, fallback.approvals_required) if off_by_default else fallback.approvals_required
        return Policy(
            name=self.name,
            allowed=self.allow is not False,
            why=self.why,
            requesters=_said(self.requesters, fallback.requesters),
            approvers=_said(self.approvers, fallback.approvers),
            operators=fallback.operators,
            approvals_required=_said(self.approvals_required, approvals),
            approval_ttl=_said(self.approval_ttl, fallback.approval_ttl),
            max_numbers=_said(self.largest, fallback.max_numbers),
            self_approval=_said(self.self_approval, fallback.self_approval),
            reminder=_said(self.reminder, fallback.reminder) or None,
            windows=_said(self.windows, fallback.windows),
            unpreviewable=_said(self.unpreviewable, fallback.unpreviewable),
            on_stale=_said(self.on_stale, fallback.on_stale),
        )


def _said(own: _T | None, inherited: _T) -> _T:
    return inherited if own is None else own


def _like(kind: str, pattern: str) -> bool:
    """Return whether ``pattern`` describes ``kind``, or every kind that ``kind``, itself a pattern, describes."""
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), kind) is not None
