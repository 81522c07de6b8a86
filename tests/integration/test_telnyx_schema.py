"""What the judge of the stand-in and of the provider's requests refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.telnyx_schema import Exchange

JOB = "/phone_numbers/jobs/update_phone_numbers"


def asked(
    method: str, path: str, body: Any = None, *, query: tuple[tuple[str, str], ...] = (), answer: Any = None
) -> Exchange:
    """Return an exchange that went well."""
    return Exchange(method, path, query, body, 202 if method == "POST" else 200, answer)


@pytest.mark.parametrize(
    ("exchange", "fault"),
    [
        (asked("GET", "/phone_numbers", query=(("filter[colour]", "red"),)), "takes no parameter filter[colour]"),
        (asked("GET", "/phone_numbers", query=(("filter[status]", "asleep"),)), "does not take 'asleep'"),
        (asked("POST", JOB, {"phone_numbers": "1"}), "'1' is not of type 'array'"),
        (asked("POST", JOB, {"phone_numbers": ["1"], "tags": "vip"}), "'vip' is not of type 'array'"),
    ],
)
def test_a_request_that_telnyx_does_not_know_is_seen(exchange: Exchange, fault: str) -> None:
    """A parameter, a value or a type that its description does not have."""
    assert [fault in told for told in exchange.wrong_in_the_request()] == [True]


def test_an_answer_that_telnyx_would_not_give_is_seen() -> None:
    """A status or a type that its description does not have; null it gives anywhere."""
    row = {"id": 7, "external_pin": None}

    told = [*asked("GET", "/phone_numbers/7", answer={"data": row}).wrong_in_the_answer()]

    assert any("$.data.id 7 is not of type 'string'" in each for each in told)
    assert not any("external_pin" in each for each in told)


def test_an_endpoint_that_telnyx_does_not_have_is_seen() -> None:
    """It is no fault of a parameter: there is nothing to ask."""
    with pytest.raises(LookupError, match="Telnyx has no GET /phone_numbers/1/2"):
        list(asked("GET", "/phone_numbers/1/2").wrong_in_the_request())
