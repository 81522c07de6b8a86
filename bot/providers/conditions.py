"""What the providers' ways to resolve a filter have in common."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TypeAlias

from bot.changes.model.filter_fields import Condition, FilterField
from bot.changes.model.kinds import Kind
from bot.changes.model.settings import Shape
from bot.errors import BadRequest

#: All of them must hold.
Conditions: TypeAlias = tuple[tuple[FilterField, Condition], ...]


def searchable(conditions: Iterable[Condition], kind: Kind, known: Collection[str], *, title: str) -> Conditions:
    """Return the conditions with their fields.

    Raises :class:`bot.errors.BadRequest` for a field that the kind does not have, or that is not among the ``known``
    ones, for which there is a way to see in a row whether it holds.
    """
    fields = {field.name: field for field in kind.filters}
    found = []
    for condition in conditions:
        field = fields.get(condition.field)
        if field is None or condition.field not in known:
            label = field.label if field else condition.field
            raise BadRequest(f"{title} cannot list numbers by “{label}”; nothing was planned.")
        found.append((field, condition))
    return tuple(found)


def digits(name: str) -> FilterField:
    """Return the filter ``name`` that finds numbers by some of their digits."""
    return FilterField(
        name=name,
        label="Phone number",
        only="with these digits",
        shape=Shape.TEXT,
        verb="contains",
        help="Three or more digits that are adjacent in the number, such as 1303.",
        min_length=3,
        digits_only=True,
    )
