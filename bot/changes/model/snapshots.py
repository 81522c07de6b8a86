"""Numbers as the provider has them now, and how people select them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.changes.model.filter_fields import Condition
from bot.changes.model.values import Value


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """One number's current values, read from the provider."""

    #: The provider's id of the number.
    id: str
    #: The number in E.164.
    e164: str
    #: The provider's state of the number, such as ``active``.
    status: str = ""
    #: Whether the provider would accept changes to it now.
    editable: bool = True
    #: Whether the number is in a state that it never leaves, such as ported out.
    final: bool = False
    #: Why the provider may refuse to change it although it would be tried, as the end of a sentence; empty when nothing
    #: is known, or it was not asked for.
    doubt: str = ""
    #: Setting name -> current value, for the settings asked for and those returned with them.
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """The numbers that the requester selected, after reading their input.

    These are the named numbers and those that match every condition, together, without excluded ones. Without
    identifiers and conditions there are none, never all.
    """

    #: E.164 numbers and provider ids, in the order given, without repeats.
    identifiers: tuple[str, ...] = ()
    #: Conditions that numbers must all meet; empty when only the named numbers are meant.
    conditions: tuple[Condition, ...] = ()
    #: E.164 numbers and provider ids to leave out, however they were selected.
    excluded: tuple[str, ...] = ()
    #: Reading may end as soon as there are clearly more numbers than this; None for no limit.
    limit: int | None = None
    #: Whether to return also values that nobody asked for, if rows that are read anyway contain them: those of the
    #: objects that hold the requested values.
    whole_objects: bool = False
    #: Whether to find out which numbers could be changed now; otherwise all count as editable.
    editable_asked: bool = True
    #: Id -> E.164 of identifiers that should be gone: that may take fewer calls to confirm.
    e164: Mapping[str, str] = field(default_factory=dict)
    #: Whether :attr:`Snapshot.doubt` is asked for, as far as the provider shows the reasons.
    doubts_asked: bool = False

    @property
    def size(self) -> int:
        """How many numbers were named."""
        return len(self.identifiers)
