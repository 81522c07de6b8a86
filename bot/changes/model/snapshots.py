"""Numbers as the provider has them now, and how people point at them."""

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
    #: Whether the number is in a state that it does not leave, as one that was ported out.
    final: bool = False
    #: What may keep the provider from changing it although it would be tried, as the end of a sentence; empty when
    #: nothing is known, or was not asked for.
    doubt: str = ""
    #: Setting name -> current value, for the settings that were asked for and what came along with them.
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What the requester pointed at, after reading what they typed.

    The numbers that were named and those that match every condition, together, without those excluded. Without
    identifiers and conditions it is no number at all, never every number.
    """

    #: E.164 numbers and provider ids, in the order given, without repeats.
    identifiers: tuple[str, ...] = ()
    #: What numbers must be like, all of it; empty when only the named numbers are meant.
    conditions: tuple[Condition, ...] = ()
    #: E.164 numbers and provider ids that are left out, whichever way they came in.
    excluded: tuple[str, ...] = ()
    #: Reading may end as soon as it is clear that there are more numbers than this; None for no such limit.
    limit: int | None = None
    #: Whether values that nobody asked for come as well where the rows that are read show them, at no further call:
    #: those of the objects that hold what was asked for.
    whole_objects: bool = False
    #: Whether it is to be found out which numbers could be changed now; where it is not, all are said to be.
    editable_asked: bool = True
    #: Id -> E.164 of identifiers that should be gone: fewer calls may tell that they are.
    e164: Mapping[str, str] = field(default_factory=dict)
    #: Whether :attr:`Snapshot.doubt` is asked for, as far as the provider shows what it says in.
    doubts_asked: bool = False

    @property
    def size(self) -> int:
        """How many numbers were named."""
        return len(self.identifiers)
