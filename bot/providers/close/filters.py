"""The filters for numbers at Close, in one table: how each is requested, and what shows that it was applied.

Two of Close's own filters are requested, which saves pages, and every returned row is still checked against them: an
ignored filter would select every number. The API cannot express the other two conditions, so we drop the rows that do
not meet them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from bot.changes.model.filter_fields import Condition, FilterField
from bot.changes.model.kinds import Kind
from bot.changes.model.settings import Choice, Shape
from bot.changes.model.values import JSON
from bot.errors import BadRequest
from bot.providers.listing import Conditions, digits, searchable

Row: TypeAlias = Mapping[str, JSON]

NUMBER: Final = "number"
PARTICIPANT: Final = "participant"
SORT: Final = "sort"
LABEL: Final = "label"

FILTERS: Final = (
    digits(NUMBER),
    FilterField(
        name=PARTICIPANT,
        label="Participant",
        shape=Shape.LOOKUP,
        lookup="participants",
        help="Numbers that ring this person, by name or through a group.",
    ),
    FilterField(
        name=SORT,
        label="Group or personal",
        only="that are group or personal ones",
        shape=Shape.CHOICE,
        choices=(Choice("group", "Group numbers"), Choice("personal", "Personal numbers")),
        help="Numbers that people share, or that are one person's own.",
    ),
    FilterField(
        name=LABEL,
        label="Label",
        only="with this in the label",
        shape=Shape.TEXT,
        verb="contains",
        help="Part of the label; capitals do not matter.",
    ),
)


@dataclass(frozen=True, slots=True)
class FilterContext:
    """Data besides the row that is needed to see whether the row meets a condition."""

    #: Groups of the participant asked for.
    groups_of_participant: frozenset[str] = frozenset()


def _has_digits(row: Row, condition: Condition, _context: FilterContext) -> bool:
    return str(condition.value) in str(row.get("number") or "")


def _has_label(row: Row, condition: Condition, _context: FilterContext) -> bool:
    return str(condition.value).casefold() in str(row.get("label") or "").casefold()


def _is_of_sort(row: Row, condition: Condition, _context: FilterContext) -> bool:
    return row.get("is_group_number") is (condition.value == "group")


def _rings(row: Row, condition: Condition, context: FilterContext) -> bool:
    """Tell whether the person is on the number: as its owner, as a participant, or through a group."""
    groups = row.get("participant_groups")
    return (
        condition.value == row.get("user_id")
        or condition.value in _listed(row.get("participants"))
        or bool(context.groups_of_participant & _listed(groups))
    )


def _listed(value: JSON) -> frozenset[str]:
    return frozenset(str(each) for each in value) if isinstance(value, list) else frozenset()


@dataclass(frozen=True, slots=True)
class _Rule:
    """The handling of one filter."""

    #: Whether a row shows that the condition holds.
    shows: Callable[[Row, Condition, FilterContext], bool]
    #: The query that asks Close for it; None where only we can check it.
    query: Callable[[Condition], dict[str, str]] | None = None


_RULES: Final[Mapping[str, _Rule]] = {
    NUMBER: _Rule(_has_digits),
    LABEL: _Rule(_has_label),
    # Deprecated since July 2026 as a filter and as a field (API.md, "Finding numbers"). Once both are gone, no row
    # shows it, and that is an error rather than a match of every number.
    SORT: _Rule(
        _is_of_sort,
        lambda condition: {"is_group_number": "true" if condition.value == "group" else "false"},
    ),
    PARTICIPANT: _Rule(
        _rings,
        lambda condition: {"participant_user_id": str(condition.value)},
    ),
}


@dataclass(frozen=True, slots=True)
class Search:
    """Conditions, all of which must hold."""

    conditions: Conditions

    @classmethod
    def of(cls, conditions: Iterable[Condition], kind: Kind) -> Search:
        """Return the search for ``conditions``; raises :class:`bot.errors.BadRequest` for an unknown one."""
        return cls(searchable(conditions, kind, _RULES, title="Close"))

    @property
    def participant(self) -> str:
        """The id of the participant asked for; empty without one."""
        return next((str(c.value) for _, c in self.conditions if c.field == PARTICIPANT), "")

    def query(self) -> dict[str, str]:
        """Return the parameters for the conditions that Close accepts."""
        query: dict[str, str] = {}
        for _, condition in self.conditions:
            if ask := _RULES[condition.field].query:
                query |= ask(condition)
        return query

    def holds(self, row: Row, context: FilterContext) -> bool:
        """Tell whether a listed row meets all conditions.

        Raises :class:`bot.errors.BadRequest` when the row does not show a condition that Close was asked for.
        """
        wanted = True
        for field, condition in self.conditions:
            rule = _RULES[condition.field]
            if rule.shows(row, condition, context):
                continue
            if rule.query is not None:
                raise BadRequest(
                    f"Close did not apply the filter “{field.label}”: it listed {row.get('number') or 'a number'}, "
                    "which does not show that it matches; nothing was planned.",
                    pointer=f"/{next(iter(rule.query(condition)))}",
                )
            wanted = False
        return wanted
