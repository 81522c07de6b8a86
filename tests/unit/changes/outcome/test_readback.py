"""What reading a number back shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.changes.model.encryption import Encryption
from bot.changes.model.kinds import Kind
from bot.changes.model.lifecycle import OperationState
from bot.changes.model.snapshots import Snapshot
from bot.changes.model.values import Secret
from bot.changes.outcome.outcomes import (
    ALSO_CHANGED,
    DIFFERS,
    GIVEN_UP,
    GONE,
    NOT_IN_EFFECT,
    NOT_SHOWN,
    STILL_ACTIVATING,
)
from bot.changes.outcome.readback import AwaitedNumber, Doubt, Patience, ReadBack, comparable, judge
from bot.changes.planning.plan import payload
from bot.providers.telnyx.kinds import kinds

FORWARDING = "voice.call_forwarding.call_forwarding_enabled"
FORWARDS_TO = "voice.call_forwarding.forwards_to"
FORWARDING_TYPE = "voice.call_forwarding.forwarding_type"
CNAM = "voice.cnam_listing.cnam_listing_enabled"
CNAM_NAME = "voice.cnam_listing.cnam_listing_details"
NUMBER = AwaitedNumber(position=7, batch=1)
SETTINGS = kinds(secrets=True)[0]


def read(kind: Kind, sent: dict[str, Any], found: dict[str, Any] | None, *, last: bool = True, **more: Any) -> ReadBack:
    """Return what it shows to find ``found`` on a number that was sent ``sent``."""
    snapshot = None if found is None else Snapshot(id="1", e164="+13035550100", values=found)
    number, labels = more.get("number", NUMBER), more.get("labels", {})
    patience = Patience(last=last, overdue=more.get("overdue", False))
    return judge(kind, number, comparable(kind, sent), snapshot, labels, patience=patience)


def test_a_number_with_everything_that_was_sent_is_verified(settings_kind: Kind) -> None:
    """As soon as it has it, whatever casing a tag comes back in and however an empty text is written."""
    sent = {"tags": ("Denver",), FORWARDS_TO: "", "hd_voice_enabled": False}

    reading = read(settings_kind, sent, {"tags": ("denver",), FORWARDS_TO: None, "hd_voice_enabled": False}, last=False)

    assert reading.state is OperationState.VERIFIED
    assert (reading.position, reading.code, reading.reason) == (7, "", "")
    assert reading.found == {"tags": ("denver",), FORWARDS_TO: None, "hd_voice_enabled": False}


def test_a_difference_says_what_was_wanted_and_what_was_found(settings_kind: Kind) -> None:
    """With the names of ids, where they are known, and a pointer to the first setting that differs."""
    sent = {"connection_id": "2", "tags": ("a", "b"), "customer_reference": "R"}
    labels = {"connection_id": {"1": "Dallas", "2": "Denver"}}

    reading = read(
        settings_kind, sent, {"connection_id": "1", "tags": ("a",), "customer_reference": "R"}, labels=labels
    )

    assert (reading.state, reading.code) == (OperationState.DIFFERS, DIFFERS)
    assert reading.reason == "Connection is Dallas (1) instead of Denver (2); Tags is a instead of a, b"
    assert reading.pointer == "/connection_id"


def test_equal_lists_make_equal_sentences(settings_kind: Kind) -> None:
    """Numbers that differ alike are counted together, in whatever order the carrier tells their tags."""
    found = [{"tags": tags} for tags in (("b", "a"), ("a", "b"))]

    reasons = {read(settings_kind, {"tags": ("c",)}, each).reason for each in found}

    assert reasons == {"Tags is a, b instead of c"}


def test_what_differs_is_not_decided_on_before_the_last_time(settings_kind: Kind) -> None:
    """A provider may show a change late; what was found so far is noted all the same."""
    reading = read(settings_kind, {"customer_reference": "R"}, {"customer_reference": None}, last=False)

    assert (reading.state, reading.found) == (None, {"customer_reference": None})


def test_a_sibling_that_was_reset_is_a_difference(settings_kind: Kind) -> None:
    """A nested object goes out whole, so whatever of it is not as it went out was changed without being asked for."""
    before = {FORWARDING: True, FORWARDS_TO: "+17205550000", FORWARDING_TYPE: "always"}
    sent = payload(settings_kind, before, {FORWARDING_TYPE: "on-failure"})

    reading = read(settings_kind, sent, {**before, FORWARDING_TYPE: "on-failure", FORWARDS_TO: ""})

    assert reading.state is OperationState.DIFFERS
    assert reading.reason == "Forward to is (empty) instead of +17205550000"


def test_what_was_not_sent_may_become_anything(settings_kind: Kind, emergency_kind: Kind) -> None:
    """A listed name beside a listing that is off, and the address of a service that is switched off, are not sent."""
    listing = read(settings_kind, {CNAM: False, CNAM_NAME: "ACME"}, {CNAM: False, CNAM_NAME: ""})
    off = {"emergency_enabled": False, "emergency_address_id": "1"}
    gone = {"emergency_enabled": False, "emergency_address_id": None, "emergency_status": "disabled"}
    service = read(emergency_kind, off, gone, number=AwaitedNumber(position=7, batch=1, known=off))

    assert [listing.state, service.state] == [OperationState.VERIFIED] * 2


def test_a_number_that_is_gone_differs(settings_kind: Kind) -> None:
    """What is not in the account any more has not what was wanted; before the last time it may only be late."""
    gone = read(settings_kind, {"customer_reference": "R"}, None)

    assert (gone.state, gone.code, gone.found) == (OperationState.DIFFERS, GONE, None)
    assert read(settings_kind, {"customer_reference": "R"}, None, last=False).state is None


@pytest.mark.parametrize(
    ("status", "state"),
    [
        pytest.param(None, OperationState.VERIFIED, id="no longer there"),
        pytest.param("deleted", OperationState.VERIFIED, id="still listed as deleted"),
        pytest.param("active", OperationState.DIFFERS, id="still there"),
    ],
)
def test_a_number_that_was_to_be_deleted_is_gone_or_called_deleted(status: str | None, state: OperationState) -> None:
    """A list may go on showing a number that is gone; one that is there as before was not deleted."""
    kind = next(each for each in kinds(secrets=True) if each.removes)
    shown = None if status is None else Snapshot(id="1", e164="+13035550100", values={}, status=status)

    found = judge(kind, NUMBER, comparable(kind, {}), shown, {}, patience=Patience(last=True, overdue=False))

    assert found.state is state


def test_a_pin_is_compared_without_being_kept(settings_kind: Kind, encryption: Encryption) -> None:
    """The same PIN is recognised under another sealing; another one is told as such and shown to nobody."""
    same = read(settings_kind, {"external_pin": encryption.seal("4711")}, {"external_pin": encryption.seal("4711")})
    other = read(settings_kind, {"external_pin": encryption.seal("4711")}, {"external_pin": encryption.seal("0815")})

    assert same.state is OperationState.VERIFIED
    assert (other.state, other.reason) == (OperationState.DIFFERS, "External PIN is not the one that was sent")
    for reading in (same, other):
        assert reading.found is not None
        kept = reading.found["external_pin"]
        assert isinstance(kept, Secret)
        assert kept.sealed == ""


@pytest.mark.parametrize("secrets", [True, False], ids=["not told", "not offered any more"])
def test_a_pin_that_cannot_be_read_back_is_never_called_verified(encryption: Encryption, secrets: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """It is not compared, and that is said, although everything else is as it was sent."""
    kind = kinds(secrets=secrets)[0]
    sent = {"external_pin": encryption.seal("4711"), "customer_reference": "R"}

    reading = read(kind, sent, {"customer_reference": "R"})

    assert (reading.state, reading.code) == (OperationState.UNVERIFIED, NOT_SHOWN)
    assert "cannot be read back, so it was not compared" in reading.reason
    assert read(kind, sent, {"customer_reference": "R"}, last=False).state is None
    assert read(kind, sent, {"customer_reference": "X"}).state is OperationState.DIFFERS


DOUBT = Doubt(code=GIVEN_UP, reason="An operator gave up on its job.")


def test_a_number_of_unknown_fate_is_what_it_is_read_as(settings_kind: Kind) -> None:
    """With what was sent it is verified; otherwise it differs, and why nobody knew stays beside what was found."""
    unsure = AwaitedNumber(position=7, batch=1, doubt=DOUBT)

    there = read(settings_kind, {"customer_reference": "R"}, {"customer_reference": "R"}, number=unsure, last=False)
    other = read(settings_kind, {"customer_reference": "R"}, {"customer_reference": "X"}, number=unsure)
    gone = read(settings_kind, {"customer_reference": "R"}, None, number=unsure)

    assert (there.state, there.code, there.reason) == (OperationState.VERIFIED, "", "")
    assert (other.state, other.code) == (OperationState.DIFFERS, GIVEN_UP)
    assert other.reason == "Customer reference is X instead of R. An operator gave up on its job."
    assert gone.reason == "The number is no longer in the account. An operator gave up on its job."


TECH = "voice.tech_prefix_enabled"
TRANSLATED = "voice.translated_number"


def test_what_was_not_sent_and_changed_is_named(settings_kind: Kind) -> None:
    """A number that has what was sent and lost something else is not verified: a job may reset more than it got."""
    known = {TECH: False, FORWARDING: True, FORWARDS_TO: "+17205550000", TRANSLATED: None}
    number = AwaitedNumber(position=7, batch=1, known=known)
    wiped = {TECH: True, FORWARDING: True, FORWARDS_TO: "", TRANSLATED: "4711"}

    reading = read(settings_kind, {TECH: True}, wiped, number=number)
    both = read(settings_kind, {TECH: True}, {**wiped, TECH: False}, number=number)
    whole = read(settings_kind, {TECH: True}, {**known, TECH: True, TRANSLATED: "4711"}, number=number)

    assert (reading.state, reading.code) == (OperationState.DIFFERS, ALSO_CHANGED)
    assert reading.reason.startswith("Forward to was +17205550000 and is (empty); what was sent is there, but")
    assert reading.found == {TECH: True, FORWARDS_TO: ""}
    assert reading.pointer == "/voice/call_forwarding/forwards_to"
    assert (both.state, both.code) == (OperationState.DIFFERS, DIFFERS)
    assert both.reason == "Tech prefix is off instead of on; Forward to was +17205550000 and is (empty)"
    assert whole.state is OperationState.VERIFIED  # what was not set had nothing to lose


ON = {"emergency_enabled": True, "emergency_address_id": "1"}
OFF = {"emergency_enabled": False}


@pytest.mark.parametrize(
    ("sent", "status", "told"),
    [
        (ON, "active", ["verified", "verified", "verified"]),
        (ON, "provisioning", ["", "", STILL_ACTIVATING]),
        (ON, "provisioning-failed", [NOT_IN_EFFECT, NOT_IN_EFFECT, NOT_IN_EFFECT]),
        (ON, "disabled", ["", NOT_IN_EFFECT, NOT_IN_EFFECT]),
        (ON, "pondering", ["", NOT_SHOWN, NOT_SHOWN]),
        (ON, None, ["", NOT_SHOWN, NOT_SHOWN]),
        (OFF, "disabled", ["verified", "verified", "verified"]),
        (OFF, "deprovisioning", ["", "", STILL_ACTIVATING]),
        (OFF, "active", ["", NOT_IN_EFFECT, NOT_IN_EFFECT]),
    ],
)
def test_what_is_accepted_is_not_taken_for_done(
    emergency_kind: Kind, sent: dict[str, Any], status: str | None, told: list[str]
) -> None:
    """What is under way is waited for beyond the last time, what failed is told at once; only "active" is verified."""
    shown = {**sent, "emergency_status": status}
    number = replace(NUMBER, known={"emergency_status": "active" if sent is OFF else "disabled"})
    readings = [
        read(emergency_kind, sent, shown, last=last, overdue=overdue, number=number)
        for last, overdue in ((False, False), (True, False), (True, True))
    ]

    assert ["" if each.state is None else each.code or each.state.value for each in readings] == told
    assert all(each.found and each.found["emergency_status"] == status for each in readings)


@pytest.mark.parametrize(
    ("before", "seen", "at_once"),
    [
        ("disabled", None, True),
        ("active", None, True),
        ("provisioning-failed", None, False),
        ("provisioning-failed", "provisioning-failed", False),
        ("provisioning-failed", "provisioning", True),
        ("provisioning-failed", "active", True),
        ("provisioning", None, False),
        (None, None, False),
    ],
)
def test_a_failure_that_may_be_an_earlier_ones_is_told_after_a_few_looks(
    emergency_kind: Kind, before: str | None, seen: str | None, *, at_once: bool
) -> None:
    """It is told at once when the number was seen in another state since, and in any case at the last look."""
    shown = {**ON, "emergency_status": "provisioning-failed"}
    number = replace(NUMBER, known={"emergency_status": before}, seen={"emergency_status": seen} if seen else {})
    first, last = (read(emergency_kind, ON, shown, last=last, number=number) for last in (False, True))

    assert (first.state, last.state) == (OperationState.DIFFERS if at_once else None, OperationState.DIFFERS)
    assert last.code == NOT_IN_EFFECT


values = st.fixed_dictionaries(
    {
        "customer_reference": st.sampled_from(["", "A", "B", None]),
        "tags": st.sampled_from([(), ("a",), ("A",), ("a", "b"), None]),
        FORWARDING: st.sampled_from([True, False, None]),
        FORWARDS_TO: st.sampled_from(["", "+17205550000", None]),
        FORWARDING_TYPE: st.sampled_from(["always", "on-failure", None]),
    }
)


@given(values, values, values)
def test_what_was_sent_is_verified_exactly_when_it_is_found(
    before: dict[str, Any], wanted: dict[str, Any], found: dict[str, Any]
) -> None:
    """Found as sent is verified; one value off, wanted or beside what was wanted, is not."""
    wanted = {name: value for name, value in wanted.items() if value is not None}
    sent = comparable(SETTINGS, payload(SETTINGS, before, wanted)).values

    assert read(SETTINGS, sent, {**found, **sent}).state is OperationState.VERIFIED
    for name, value in sent.items():
        other = not value if isinstance(value, bool) else ("c",) if isinstance(value, tuple) else f"{value}0"
        assert read(SETTINGS, sent, {**found, **sent, name: other}).state is OperationState.DIFFERS
