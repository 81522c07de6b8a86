"""Telnyx's documents, read leniently: every field may be missing, unknown ones are ignored, ids may be integers.

Rows of numbers are not modelled here: the kinds' tables determine which of their fields matter (``values.py``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, TypeAlias, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bot.changes.model.values import JSON
from bot.clock_skew import believable
from bot.errors import Unavailable
from bot.providers.answers import unasked

#: Every documented word for the state of a job, of a number or of its emergency service (API.md, "Jobs";
#: API.md, "Lists of numbers"; API.md, "Emergency service").
STATES: Final = frozenset(
    {
        *("pending", "in_progress", "completed", "failed", "expired", "active", "deleted", "ported-out"),
        *("purchase-pending", "purchase-failed", "port-pending", "port_pending", "port-failed", "port-out-pending"),
        *("emergency-only", "requirement-info-pending", "requirement-info-under-review"),
        *("requirement-info-exception", "provision-pending"),
        *("disabled", "provisioning", "deprovisioning", "provisioning-failed"),
    }
)


def _listed(value: object) -> object:
    return [] if value is None else value


def _texted(value: object) -> object:
    return "" if value is None else value


def e164(value: object) -> str:
    """Return a phone number with its plus, which a document may leave out; empty when it is missing or null."""
    text = "" if value is None else str(value)
    return f"+{text}" if text.isdecimal() else text


def _dated(value: object) -> datetime | None:
    """Return an ISO 8601 time as aware UTC, or None for an invalid one: no job is lost over a date."""
    if not isinstance(value, str):
        return None
    try:
        return believable(datetime.fromisoformat(value))
    except ValueError:
        return None


def _pointed(value: object) -> object:
    """Return the pointer of an error. Older documents have the pointer itself instead of an object around it."""
    if isinstance(value, dict):
        return value.get("pointer") or value.get("parameter") or ""
    return _texted(value)


#: A text that may be missing, null, or written as a number: ids come as both.
Text: TypeAlias = Annotated[str, BeforeValidator(_texted)]
Moment: TypeAlias = Annotated[datetime | None, BeforeValidator(_dated)]


class _Lenient(BaseModel):
    """The common parts of all of Telnyx's documents."""

    # Input texts stay out of the text of a validation error: a job's parameters hold the external PIN.
    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True, frozen=True, hide_input_in_errors=True)


class Complaint(_Lenient):
    """One error of the ``errors`` list of an answer or of a failed operation."""

    code: Text = ""
    title: Text = ""
    detail: Text = ""
    pointer: Annotated[str, BeforeValidator(_pointed)] = Field(default="", alias="source")


class Complaints(_Lenient):
    """The body of a refusal."""

    errors: Annotated[list[Complaint], BeforeValidator(_listed)] = []


class JobNumber(_Lenient):
    """One number of a job: as given, done or pending."""

    id: Text = ""
    phone_number: Annotated[str, BeforeValidator(e164)] = ""


class FailedNumber(JobNumber):
    """One number that a job could not change."""

    errors: Annotated[list[Complaint], BeforeValidator(_listed)] = []


class Job(_Lenient):
    """One background job. ``etc`` is the estimated time of completion."""

    id: Text = ""
    status: Text = ""
    type: Text = ""
    etc: Moment = None
    created_at: Moment = None
    phone_numbers: Annotated[list[JobNumber], BeforeValidator(_listed)] = []
    successful_operations: Annotated[list[JobNumber], BeforeValidator(_listed)] = []
    pending_operations: Annotated[list[JobNumber], BeforeValidator(_listed)] = []
    failed_operations: Annotated[list[FailedNumber], BeforeValidator(_listed)] = []


class OwnedNumber(_Lenient):
    """One number that the account owns and may change now."""

    id: Text = ""
    number_val_e164: Text = ""


class Ownership(_Lenient):
    """The answer to an ownership check. A missing list is an error: read as "none", the whole account would be gone."""

    found: Annotated[list[OwnedNumber], BeforeValidator(_listed)]


class Download(_Lenient):
    """One file that Telnyx makes of a list of numbers."""

    id: Text = ""
    status: Text = ""
    url: Text = ""


class Connection(_Lenient):
    """Where calls are delivered."""

    id: Text = ""
    connection_name: Text = ""


class BillingGroup(_Lenient):
    """What charges are grouped by."""

    id: Text = ""
    name: Text = ""
    deleted_at: Text = ""


class UserTags(_Lenient):
    """The tags in use, of numbers and of other things."""

    number_tags: Annotated[list[Text], BeforeValidator(_listed)] = []


class Address(_Lenient):
    """A postal address; the emergency service uses these too."""

    id: Text = ""
    business_name: Text = ""
    first_name: Text = ""
    last_name: Text = ""
    street_address: Text = ""
    extended_address: Text = ""
    locality: Text = ""
    administrative_area: Text = ""
    postal_code: Text = ""
    country_code: Text = ""


Document = TypeVar("Document", bound=BaseModel)


def parse(model: type[Document], value: JSON) -> Document:
    """Return ``value`` as ``model``; raises :class:`bot.errors.Unavailable` when it is of another type."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise Unavailable(f"Telnyx answered with a {model.__name__} that cannot be read.") from error


def data(answer: JSON) -> JSON:
    """Return the content of ``data``; raises :class:`bot.errors.Unavailable` when it is missing."""
    if isinstance(answer, dict) and "data" in answer:
        return answer["data"]
    raise Unavailable("Telnyx answered without the data that was asked for.")


def one(answer: JSON, id_: str) -> dict[str, JSON]:
    """Return the requested object ``id_``.

    Every object has its id, so ``{"data": {}}`` is not an object without settings. Raises
    :class:`bot.errors.Unavailable` without an object, and :class:`bot.errors.UnrequestedData` for another one.
    """
    found = data(answer)
    if not isinstance(found, dict) or not found.get("id"):
        raise Unavailable("Telnyx was asked for one object and answered with something else.")
    if str(found["id"]) != id_:
        raise unasked("Telnyx", str(found.get("phone_number") or found["id"]))
    return found


def rows(answer: JSON) -> list[dict[str, JSON]]:
    """Return the objects of a list answer; raises :class:`bot.errors.Unavailable` when it is not a list."""
    listed = data(answer)
    if not isinstance(listed, list):
        raise Unavailable("Telnyx was asked for a list and answered with something else.")
    return [row for row in listed if isinstance(row, dict)]


def total(answer: JSON) -> int | None:
    """Return how many rows all pages have together (``meta.total_results``), or None if that is missing."""
    meta = answer.get("meta") if isinstance(answer, dict) else None
    count = meta.get("total_results") if isinstance(meta, dict) else None
    return count if isinstance(count, int) and not isinstance(count, bool) else None
