"""The documented error envelope, and every refusal whose words Telnyx's documents give.

Telnyx answers errors as ``{"errors": [{code, title, detail, source, meta}]}``. The same entry, without
``meta``, stands in a job's ``failed_operations``. Texts, codes and pointers are those of the examples in
Telnyx's OpenAPI document (providers/telnyx/API.md, "Sources"); where it has none, the nearest general code of
the errors page is used and the function says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.sandbox.provider.errors import JsonObject, RefusedError


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One entry of an ``errors`` list."""

    code: str
    title: str
    detail: str
    #: JSON pointer into the body; a few paging errors carry it without the leading slash, as documented.
    pointer: str | None = None
    #: Name of the query parameter that caused the error.
    parameter: str | None = None

    def as_json(self, *, meta: bool = True) -> JsonObject:
        """Return the entry as Telnyx writes it; failed operations come without ``meta``."""
        entry: JsonObject = {"code": self.code, "title": self.title, "detail": self.detail}
        source = {"pointer": self.pointer, "parameter": self.parameter}
        if given := {key: value for key, value in source.items() if value is not None}:
            entry["source"] = given
        if meta:
            entry["meta"] = {"url": f"https://developers.telnyx.com/docs/overview/errors/{self.code}"}
        return entry


class TelnyxRefusedError(RefusedError):
    """The stand-in refuses a request with one problem in the documented envelope."""

    def __init__(self, status: int, problem: Problem) -> None:
        super().__init__(status, {"errors": [problem.as_json()]})
        self.problem = problem


def bad_request(detail: str, pointer: str, *, status: int = 422, title: str = "Bad Request") -> TelnyxRefusedError:
    """Return the 10015 refusal that most rules of the jobs endpoints use."""
    return TelnyxRefusedError(status, Problem(code="10015", title=title, detail=detail, pointer=pointer))


def invalid(pointer: str) -> TelnyxRefusedError:
    """Return the refusal of one body field, in the words of the documented failed operation."""
    return bad_request("The field is invalid.", pointer)


def missing(pointer: str) -> TelnyxRefusedError:
    """Return the refusal of a body without a required field."""
    return bad_request("must be present", pointer)


def too_few_numbers() -> TelnyxRefusedError:
    """Return the refusal of an empty list of numbers."""
    return bad_request("You must provide at least 1 phone number.", "/phone_numbers")


def too_many_numbers() -> TelnyxRefusedError:
    """Return the refusal of more than 1000 numbers."""
    return bad_request("1000 numbers is the maximum allowed.", "/phone_numbers")


def mixed_numbers() -> TelnyxRefusedError:
    """Return the refusal of ids and E.164 numbers in one list."""
    return bad_request(
        "You must specify either all phone numbers in the e164 format or all as phone number ids",
        "/phone_numbers",
    )


def not_owned() -> TelnyxRefusedError:
    """Return the refusal of a list with a foreign number; it does not say which one."""
    return bad_request("You must own every number in the bulk request", "/phone_numbers")


def nothing_to_update() -> TelnyxRefusedError:
    """Return the refusal of an update without any setting."""
    return bad_request("You must provide at least 1 updateable field.", "/updateable_fields")


def too_many_jobs(limit: int) -> TelnyxRefusedError:
    """Return the refusal of one more job than may be pending or in progress."""
    return bad_request(f"You can have at most {limit} pending or in progress jobs", "/base")


def foreign_billing_group() -> TelnyxRefusedError:
    """Return the refusal of a billing group that the account does not have (403)."""
    detail = "The specified billing group either does not exist or is not part of your account"
    problem = Problem(code="10010", title="Authorization Failed", detail=detail, pointer="/billing_group_id")
    return TelnyxRefusedError(403, problem)


def bad_page(part: str, *, status: int = 422) -> TelnyxRefusedError:
    """Return the refusal of ``page[number]`` or ``page[size]``; ``part`` is ``number`` or ``size``."""
    detail = (
        "The provided 'page' parameter is invalid. "
        "It must be an object with 'size' and/or 'number' with numeric values."
    )
    return bad_request(detail, f"page/{part}", status=status, title="Invalid pagination")


def bad_sort(*, status: int = 422) -> TelnyxRefusedError:
    """Return the refusal of an unknown sort order."""
    detail = "The value provided for sorting is not valid. Check the value used and try again."
    return bad_request(detail, "/sort", status=status, title="Invalid sorting value")


def bad_filter(parameter: str, detail: str, *, status: int = 422) -> TelnyxRefusedError:
    """Return the 10031 refusal of a filter; code and title are the error table's, the detail is ours."""
    problem = Problem(code="10031", title="Invalid request filter", detail=detail, parameter=parameter)
    return TelnyxRefusedError(status, problem)


def unauthenticated() -> TelnyxRefusedError:
    """Return the refusal of a missing or wrong API key (401)."""
    detail = "Could not understand the provided credentials."
    return TelnyxRefusedError(401, Problem(code="10009", title="Authentication failed", detail=detail))


def not_authorized() -> TelnyxRefusedError:
    """Return the refusal of a key without the right to a resource (403)."""
    detail = "You are not authorized to access the requested resource."
    return TelnyxRefusedError(403, Problem(code="10006", title="Not authorized", detail=detail))


def not_found(pointer: str = "/base") -> TelnyxRefusedError:
    """Return the refusal of an unknown URL or resource (404); connections use ``/`` as the pointer."""
    detail = "The requested resource or URL could not be found."
    return TelnyxRefusedError(404, Problem(code="10005", title="Resource not found", detail=detail, pointer=pointer))


def rate_limited() -> TelnyxRefusedError:
    """Return the refusal of a call too many (429)."""
    detail = "You have exceeded the maximum number of allowed requests."
    return TelnyxRefusedError(429, Problem(code="10011", title="Too many requests", detail=detail))


def not_json(status: int = 400) -> TelnyxRefusedError:
    """Return the refusal of a body that does not parse; code and title are the error table's."""
    detail = "The request body is not valid JSON."
    return TelnyxRefusedError(status, Problem(code="10023", title="Invalid JSON", detail=detail, pointer="/"))


def not_json_type() -> TelnyxRefusedError:
    """Return the refusal of another content type; code and title are the error table's."""
    detail = "The request must have the content type application/json."
    return TelnyxRefusedError(400, Problem(code="10029", title="Expected JSON Content-Type", detail=detail))


def not_well_formed() -> TelnyxRefusedError:
    """Return the refusal of a JSON body that is not an object (400)."""
    return bad_request("The request failed because it was not well-formed.", "/", status=400)


def not_e164(pointer: str) -> TelnyxRefusedError:
    """Return the refusal of a number that is not in E.164; code and title are the error table's."""
    title = "Phone number must be in +E.164 format"
    return TelnyxRefusedError(422, Problem(code="10016", title=title, detail=title, pointer=pointer))


def feature_not_permitted(parameter: str) -> TelnyxRefusedError:
    """Return the refusal of a feature the account does not have; the code is the error table's."""
    detail = "This feature is not enabled for your account."
    problem = Problem(code="10038", title="Feature not permitted", detail=detail, parameter=parameter)
    return TelnyxRefusedError(403, problem)


def server_trouble(status: int, detail: str | None = None) -> TelnyxRefusedError:
    """Return what a failing service answers: any of 401, 403, 404, 429, 500, 502, 503 and 504.

    ``detail`` takes the place of the usual words.

    Raises:
        ValueError: for another status.

    """
    documented = {401: unauthenticated, 403: not_authorized, 404: not_found, 429: rate_limited}
    troubles = {
        500: ("10007", "Unexpected error", "An unexpected error occured."),
        502: ("10007", "Unexpected error", "An unexpected error occured."),
        503: ("10037", "Service unavailable", "The service is unavailable at the moment."),
        504: ("10008", "Request timeout", "The request took too long."),
    }
    if status in documented:
        problem = documented[status]().problem
    elif status in troubles:
        code, title, words = troubles[status]
        problem = Problem(code=code, title=title, detail=words)
    else:
        raise ValueError(f"the stand-in has no documented answer for status {status}")
    return TelnyxRefusedError(status, problem if detail is None else replace(problem, detail=detail))
