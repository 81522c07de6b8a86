"""How a filter is requested from Telnyx, and what proves that it was applied.

We resolve filters ourselves. An ignored filter returns every number of the account (API.md, "Filters"), so each
returned row is checked against the conditions, and a single row that does not meet them stops everything. The checks
are:

- tag, without tags: ``tags`` of the detail row, ignoring case, as Telnyx keeps the case of a tag's first use;
- connection, billing group, emergency address: their ids in the detail row, where "none" is null, blank or absent;
- phone number, customer reference (ignoring case): in the detail row and in the voice row;
- status, country, type and source: the detail row. Types from before July 2023 have older names there;
- usage billing: the voice row only, so voice rows are read whenever it is asked for;
- connection name: the detail row, ignoring case. A row with a connection's id but no name cannot be checked and passes;
- has bundle: no list accepts it and no row shows it, so a CSV download is requested with it (``downloads.py``), and the
numbers in its file are looked for in the list of the other conditions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from bot.changes.model.filter_fields import NONE, Condition
from bot.changes.model.kinds import Kind
from bot.changes.model.values import JSON
from bot.errors import BadRequest
from bot.providers.answers import clean
from bot.providers.listing import Conditions, searchable
from bot.providers.telnyx.values import Source

Row: TypeAlias = Mapping[str, JSON]
#: Query parameters; a list of texts is a repeated parameter.
Query: TypeAlias = "dict[str, str | int | list[str]]"
_Shows: TypeAlias = Callable[[Row, Condition], bool]

_BOTH: Final = frozenset(Source)
_DETAIL: Final = frozenset({Source.DETAIL})
_VOICE: Final = frozenset({Source.VOICE})
_NONE: Final = frozenset[Source]()

#: Filter -> possible values in rows: the words of the filter differ from those of the row.
_SOURCE_TYPES: Final = {"ported": "port_request", "purchased": "number_order"}
_OLDER_TYPES: Final = {
    "toll_free": frozenset({"toll_free", "tollfree"}),
    "local": frozenset({"local", "landline", "longcode"}),
    "national": frozenset({"national", "landline", "longcode"}),
    "mobile": frozenset({"mobile", "longcode"}),
    "shared_cost": frozenset({"shared_cost", "longcode"}),
}


def _text(row: Row, key: str) -> str:
    value = row.get(key)
    return "" if value is None else str(value)


def _folded(row: Row, key: str) -> str:
    return _text(row, key).casefold()


def _same(key: str) -> _Shows:
    """Return a check that the row's ``key`` is the condition's value, ignoring case; none is null, blank or absent."""

    def shows(row: Row, condition: Condition) -> bool:
        return _folded(row, key) == ("" if condition.value is None else str(condition.value).casefold())

    return shows


def _has_tag(row: Row, condition: Condition) -> bool:
    return str(condition.value).casefold() in {str(tag).casefold() for tag in _tags(row) or ()}


def _has_no_tags(row: Row, _condition: Condition) -> bool:
    return _tags(row) == []


def _tags(row: Row) -> list[JSON] | None:
    tags = row.get("tags")
    return tags if isinstance(tags, list) else None


def _is_shown_nowhere(_row: Row, _condition: Condition) -> bool:
    return True


def _has_digits(row: Row, condition: Condition) -> bool:
    return str(condition.value) in _text(row, "phone_number")


def _is_in_country(row: Row, condition: Condition) -> bool:
    wanted = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    return _text(row, "country_iso_alpha2") in wanted


def _is_of_type(row: Row, condition: Condition) -> bool:
    return _text(row, "phone_number_type") in _OLDER_TYPES.get(str(condition.value), ())


def _is_of_source(row: Row, condition: Condition) -> bool:
    return _text(row, "source_type") == _SOURCE_TYPES.get(str(condition.value))


def _is_on_connection(row: Row, condition: Condition) -> bool:
    name, part = _folded(row, "connection_name"), str(condition.value).casefold()
    if not name:
        return bool(_text(row, "connection_id"))
    match condition.operator:
        case "contains":
            return part in name
        case "starts_with":
            return name.startswith(part)
        case "ends_with":
            return name.endswith(part)
        case _:
            return name == part


@dataclass(frozen=True, slots=True)
class _Rule:
    """The handling of one filter."""

    #: Whether a row shows that the condition holds.
    shows: _Shows
    #: The lists that accept the filter (API.md, "Filters"); none where only a CSV download does.
    taken_by: frozenset[Source] = _DETAIL
    #: The lists whose rows show it.
    shown_by: frozenset[Source] = _DETAIL
    #: Whether a CSV download accepts it.
    downloadable: bool = True


_RULES: Final[Mapping[str, _Rule]] = {
    "tag": _Rule(_has_tag),
    "connection_id": _Rule(_same("connection_id")),
    "phone_number": _Rule(_has_digits, _BOTH, _BOTH),
    "status": _Rule(_same("status")),
    "billing_group_id": _Rule(_same("billing_group_id")),
    "emergency_address_id": _Rule(_same("emergency_address_id")),
    "customer_reference": _Rule(_same("customer_reference"), _BOTH, _BOTH),
    "voice.connection_name": _Rule(_is_on_connection),
    "voice.usage_payment_method": _Rule(_same("usage_payment_method"), _BOTH, _VOICE),
    "country_iso_alpha2": _Rule(_is_in_country, downloadable=False),
    "number_type": _Rule(_is_of_type, downloadable=False),
    "source": _Rule(_is_of_source, downloadable=False),
    "without_tags": _Rule(_has_no_tags, downloadable=False),
    "has_bundle": _Rule(_is_shown_nowhere, _NONE, _NONE),
}


@dataclass(frozen=True, slots=True)
class Search:
    """Conditions that Telnyx can be asked for, which must all hold."""

    conditions: Conditions

    @classmethod
    def of(cls, conditions: Iterable[Condition], kind: Kind) -> Search:
        """Return the search for ``conditions``; raises :class:`bot.errors.BadRequest` if one cannot be checked."""
        return cls(searchable(conditions, kind, _RULES, title="Telnyx"))

    def home(self, needed: Iterable[Source]) -> tuple[Source, frozenset[Source]]:
        """Return the list to search in, and the lists to read as well, for values in the ``needed`` lists.

        It is the choice with the fewest lists: each condition that one list does not show, another must show.
        """
        wanted = frozenset(needed)
        taken = [rule.taken_by for rule in self._rules if rule.taken_by]
        homes = [source for source in Source if all(source in lists for lists in taken)]
        return min(((home, (wanted | self._unshown(home)) - {home}) for home in homes), key=lambda way: len(way[1]))

    def _unshown(self, home: Source) -> frozenset[Source]:
        """Return the lists that must show the conditions which rows of ``home`` do not show."""
        return _NONE.union(*(rule.shown_by for rule in self._rules if home not in rule.shown_by))

    @property
    def _rules(self) -> list[_Rule]:
        return [_RULES[condition.field] for _, condition in self.conditions]

    def whole_in(self, source: Source) -> bool:
        """Tell whether the list accepts every condition."""
        return all(source in rule.taken_by for rule in self._rules)

    def query(self, source: Source) -> Query:
        """Return the parameters of those conditions that the list accepts."""
        query: Query = {}
        for _, condition in self.conditions:
            if source in _RULES[condition.field].taken_by:
                query |= parameter(condition)
        return query

    @property
    def unlisted(self) -> str:
        """Return the name of the first condition that no list accepts, so that it takes a CSV download; or ""."""
        return next((field.label for field, each in self.conditions if not _RULES[each.field].taken_by), "")

    def download(self) -> tuple[Query, bool]:
        """Return the parameters of the conditions that a CSV download accepts, and whether it accepts all of them."""
        query: Query = {}
        for _, condition in self.conditions:
            if _RULES[condition.field].downloadable:
                query |= parameter(condition)
        return query, all(rule.downloadable for rule in self._rules)

    def check(self, row: Row, source: Source, *, home: Source | None = None) -> None:
        """Raise :class:`bot.errors.BadRequest` when a row of the list does not meet the conditions.

        Conditions that rows of ``home`` have already shown for the same number are not checked again.
        """
        for field, condition in self.conditions:
            rule = _RULES[condition.field]
            if source in rule.shown_by and home not in rule.shown_by and not rule.shows(row, condition):
                listed = clean(_text(row, "phone_number"), 40) or "a number"
                raise BadRequest(
                    f"Telnyx did not apply the filter “{field.label}”: it listed {listed}, which does not match; "
                    "nothing was planned.",
                    pointer=f"filter[{field.name}]",
                )


def parameter(condition: Condition) -> Query:
    """Return the query parameter of ``condition``, in deepObject style; a dot in a name stays inside the brackets.

    Several values repeat ``name[]``. Joined with commas, as an SDK writes it, they would be one odd value.
    """
    operator = "eq" if condition.field == "number_type" else condition.operator
    name = f"filter[{condition.field}]" + (f"[{operator}]" if operator else "")
    value = condition.value
    if value is None:
        return {name: NONE}
    if isinstance(value, bool):
        return {name: "true" if value else "false"}
    if isinstance(value, tuple) and len(value) > 1:
        return {f"{name}[]": list(value)}
    return {name: str(value[0]) if isinstance(value, tuple) else str(value)}
