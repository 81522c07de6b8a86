"""The number filters: which ones each endpoint has, and what they demand of a number."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from bot.sandbox.telnyx.account import Account
from bot.sandbox.telnyx.errors import bad_filter
from bot.sandbox.telnyx.query import Query
from bot.sandbox.telnyx.records import Number
from bot.sandbox.telnyx.voice import CHOICES

Predicate = Callable[[Number], bool]

#: The nine statuses that can be filtered by; numbers can have four more.
STATUS_FILTER = (
    "purchase-pending",
    "purchase-failed",
    "port-pending",
    "active",
    "deleted",
    "port-failed",
    "emergency-only",
    "ported-out",
    "port-out-pending",
)
NUMBER_TYPES = ("local", "national", "toll_free", "mobile", "shared_cost")
SOURCES = {"ported": "port_request", "purchased": "number_order"}
NUMBER_SORTS = ("purchased_at", "phone_number", "connection_name", "usage_payment_method")

LIST_FILTERS = (
    "tag",
    "phone_number",
    "status",
    "country_iso_alpha2",
    "connection_id",
    "voice.connection_name",
    "voice.usage_payment_method",
    "billing_group_id",
    "emergency_address_id",
    "customer_reference",
    "number_type",
    "source",
    "without_tags",
)
SLIM_FILTERS = tuple(name for name in LIST_FILTERS if name != "without_tags")
VOICE_FILTERS = ("phone_number", "connection_name", "customer_reference", "voice.usage_payment_method")
JOB_FILTERS = (
    "has_bundle",
    "tag",
    "connection_id",
    "phone_number",
    "status",
    "voice.connection_name",
    "voice.usage_payment_method",
    "billing_group_id",
    "emergency_address_id",
    "customer_reference",
)


def read_number_filters(
    query: Query,
    account: Account,
    names: Iterable[str],
    *,
    statuses: Collection[str] = STATUS_FILTER,
) -> list[Predicate]:
    """Read the number filters that an endpoint has, and return what each of them demands of a number."""
    found: list[Predicate | None] = []
    for name in names:
        parameter = f"filter[{name}]"
        if name in _EXACT:
            found.append(_exact(query, parameter, name))
        elif name == "status":
            found.append(_status(query, parameter, statuses))
        elif name.endswith("connection_name"):
            found.extend(_connection_name(query, account, parameter, all_patterns=name.startswith("voice.")))
        else:
            found.append(_SPECIAL[name](query, parameter))
    return [predicate for predicate in found if predicate is not None]


def select(numbers: Sequence[Number], predicates: Sequence[Predicate]) -> Sequence[Number]:
    """Return the numbers that satisfy every predicate, in the given order."""
    if not predicates:
        return numbers
    return [number for number in numbers if all(holds(number) for holds in predicates)]


#: Filter name -> may be the text ``null``, meaning "has none".
_EXACT = {
    "connection_id": False,
    "billing_group_id": True,
    "emergency_address_id": True,
    "customer_reference": False,
}


def _exact(query: Query, parameter: str, name: str) -> Predicate | None:
    wanted = query.one(parameter)
    if wanted is None:
        return None
    target = None if wanted == "null" and _EXACT[name] else wanted
    return lambda number: getattr(number, name) == target


def _tag(query: Query, parameter: str) -> Predicate | None:
    """Tags are compared without regard to case: their casing is whatever was used first."""
    wanted = query.one(parameter)
    if wanted is None:
        return None
    folded = wanted.casefold()
    return lambda number: any(tag.casefold() == folded for tag in number.tags)


def _phone_number(query: Query, parameter: str) -> Predicate | None:
    """Match digits anywhere in the number; anything but digits matches nothing, as documented."""
    wanted = query.one(parameter)
    if wanted is None:
        return None
    if sum(mark.isdigit() for mark in wanted) < 3:
        raise bad_filter(parameter, "The filter requires at least three digits.")
    if not wanted.isdigit():
        return lambda _number: False
    return lambda number: wanted in number.phone_number


def _status(query: Query, parameter: str, statuses: Collection[str]) -> Predicate | None:
    wanted = query.one(parameter, statuses)
    if wanted is None:
        return None
    status = wanted.replace("_", "-")
    return lambda number: number.status == status


def _country(query: Query, parameter: str) -> Predicate | None:
    wanted = set(query.many(parameter, scalar=True))
    return (lambda number: number.country_iso_alpha2 in wanted) if wanted else None


def _number_type(query: Query, parameter: str) -> Predicate | None:
    wanted = query.one(f"{parameter}[eq]", NUMBER_TYPES)
    return (lambda number: number.phone_number_type == wanted) if wanted else None


def _source(query: Query, parameter: str) -> Predicate | None:
    wanted = query.one(parameter, SOURCES)
    return (lambda number: number.source_type == SOURCES[wanted]) if wanted else None


def _without_tags(query: Query, parameter: str) -> Predicate | None:
    wanted = query.one(parameter, ("true", "false"))
    return (lambda number: not number.tags) if wanted == "true" else None


def _has_bundle(query: Query, parameter: str) -> Predicate | None:
    """Take ``true`` and ``false``; which values there are is unknown (providers/telnyx/API.md, "Filters")."""
    wanted = query.one(parameter, ("true", "false"))
    return (lambda number: number.has_bundle == (wanted == "true")) if wanted else None


def _payment_method(query: Query, parameter: str) -> Predicate | None:
    wanted = query.one(parameter, CHOICES["usage_payment_method"])
    return (lambda number: number.voice.usage_payment_method == wanted) if wanted else None


_SPECIAL: dict[str, Callable[[Query, str], Predicate | None]] = {
    "tag": _tag,
    "phone_number": _phone_number,
    "country_iso_alpha2": _country,
    "number_type": _number_type,
    "source": _source,
    "without_tags": _without_tags,
    "has_bundle": _has_bundle,
    "voice.usage_payment_method": _payment_method,
}

_PATTERNS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda name, part: part in name,
    "starts_with": lambda name, part: name.startswith(part),
    "ends_with": lambda name, part: name.endswith(part),
}


def _connection_name(
    query: Query,
    account: Account,
    parameter: str,
    *,
    all_patterns: bool,
) -> list[Predicate]:
    """``eq`` is exact; the other patterns need three characters and ignore case."""
    found: list[Predicate] = []
    exact = query.one(f"{parameter}[eq]") if all_patterns else None
    if exact is not None:
        found.append(lambda number: account.connection_name(number) == exact)
    for pattern in _PATTERNS if all_patterns else ("contains",):
        part = query.pattern(f"{parameter}[{pattern}]")
        if part is not None:
            found.append(_name_matches(account, _PATTERNS[pattern], part.casefold()))
    return found


def _name_matches(account: Account, matches: Callable[[str, str], bool], part: str) -> Predicate:
    return lambda number: matches((account.connection_name(number) or "").casefold(), part)
