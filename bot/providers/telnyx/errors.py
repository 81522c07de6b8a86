"""The meaning of a refusal by Telnyx: classified first by status, then by code, pointer and detail.

One code has several meanings (10015 is a malformed request and also the limit of jobs in flight; 10006 and 10010 have
different titles on different pages), so a code alone decides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pydantic import ValidationError

from bot.changes.model.values import JSON
from bot.errors import BadRequest, Forbidden, ProviderError, ProviderNotFound, TooManyJobs, Unauthorised
from bot.providers.answers import clean, refusal_type
from bot.providers.telnyx.wire import Complaint, Complaints

#: "You can have at most 20 pending or in progress jobs", at ``/base``; 500 for emergency jobs.
_TOO_MANY: Final = re.compile(r"at most (\d+) pending or in progress jobs", re.IGNORECASE)
#: Part of the detail of a refused job -> what to do about it.
_ADVICE: Final = (
    ("own every number", "At least one number has left the account or cannot be changed now; start a new change."),
    ("either all phone numbers in the e164", "Ids and phone numbers were mixed in one call; please report this."),
    ("numbers is the maximum", "Too many numbers were sent in one call; please report this."),
    ("billing group", "Choose another billing group."),
    ("connection", "Choose another connection."),
    ("address", "Choose another address."),
)
_OPENING: Final[dict[type[ProviderError], str]] = {
    Unauthorised: "Telnyx does not accept Linesman's API key. The operators are told in the failure channel.",
    Forbidden: "Telnyx does not allow this for the API key.",
    ProviderNotFound: "Telnyx did not find it.",
    BadRequest: "Telnyx refused the request.",
}
#: What operators read when Telnyx rejects the key.
_REMEDY: Final = "Telnyx does not accept the API key; set TELNYX_API_KEY to a valid one."


def refusal(status: int, body: JSON) -> ProviderError | None:
    """Return the error for an answer with ``status`` (400 to 499) and ``body`` (decoded, None if it was not JSON).

    None when the body is not in the form of Telnyx's error documents, ``{"errors": [{"code", "title", "detail",
    ...}]}``. Every member may be missing (API.md, "Errors"), but an entry without any content does not count.
    """
    complaints = [each for each in _complaints(body) if each.code or each.title or each.detail]
    if not complaints:
        return None
    for complaint in complaints:
        if (found := _TOO_MANY.search(complaint.detail)) and complaint.pointer in {"/base", ""}:
            return TooManyJobs(
                f"Telnyx has {found[1]} jobs of this account pending or in progress, which is its limit; "
                "this one has to wait.",
                code=complaint.code,
                pointer=complaint.pointer,
                status=status,
            )
    kind = refusal_type(status)
    first = complaints[0]
    if kind is Unauthorised:
        remedy = " ".join([_REMEDY, *_quoted(complaints)])
        return Unauthorised(
            _OPENING[kind], code=clean(first.code), pointer=clean(first.pointer), status=status, remedy=remedy
        )
    sentence = " ".join([_OPENING[kind], *_advice(complaints), *_quoted(complaints)])
    return kind(sentence, code=clean(first.code), pointer=clean(first.pointer), status=status)


def reason(complaints: Sequence[Complaint]) -> Complaint:
    """Return why one number failed, as one complaint: the first one's code and pointer, and all details."""
    if not complaints:
        return Complaint(detail="Telnyx gave no reason.")
    first = complaints[0]
    details = dict.fromkeys(clean(complaint.detail or complaint.title) for complaint in complaints)
    return Complaint(
        code=clean(first.code),
        detail=" ".join(detail for detail in details if detail) or "Telnyx gave no reason.",
        source=clean(first.pointer),
    )


def _complaints(body: JSON) -> list[Complaint]:
    try:
        return Complaints.model_validate(body).errors
    except ValidationError:
        return []


def _advice(complaints: Sequence[Complaint]) -> list[str]:
    said = " ".join(complaint.detail for complaint in complaints).lower()
    return [advice for part, advice in _ADVICE if part in said][:1]


def _quoted(complaints: Sequence[Complaint]) -> list[str]:
    details = dict.fromkeys(clean(complaint.detail or complaint.title) for complaint in complaints)
    quotes = [detail for detail in details if detail][:3]
    if not quotes:
        return []
    said = "; ".join(f"“{quote}”" for quote in quotes)
    places = list(dict.fromkeys(clean(c.pointer, 60) for c in complaints if c.pointer))[:3]
    return [f"It says: {said}" + (f" (at {', '.join(places)})." if places else ".")]
