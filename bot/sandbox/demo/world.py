"""The world that the story plays in: who is there, what the account holds, and what is going to go wrong."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, fields
from typing import Final

from bot.sandbox.slack import SlackStandIn, SlackUser
from bot.sandbox.telnyx import Number, TelnyxStandIn

OPS: Final = "C0NUMBEROPS"
#: Where the second act is played.
SALES: Final = "C0SALESOPS"
APPROVALS: Final = "C0APPROVALS"
FAILURES: Final = "C0FAILURES"
CHANNELS: Final[Mapping[str, str]] = {
    OPS: "number-ops",
    SALES: "sales-ops",
    APPROVALS: "number-approvals",
    FAILURES: "number-failures",
}

#: How many numbers the story changes: two jobs of the largest size and a half one.
CHOSEN: Final = 2_500
#: How many more the account holds.
OTHERS: Final = 12
#: How long one job takes, in seconds.
JOB_SECONDS: Final = 5.0

#: A number's values, by dotted field path; what the provider itself writes at every change is left out.
Values = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class World:
    """Everything that exists before the story begins, and what must be true when it ends."""

    slack: SlackStandIn
    telnyx: TelnyxStandIn
    #: Works in operations, asks for the change; may approve changes too, only not her own.
    ana: SlackUser
    #: Manages, approves.
    max: SlackUser
    #: The E.164 numbers that Ana changes.
    chosen: tuple[str, ...]
    #: Dotted field path -> new value.
    wanted: Values
    #: E.164 -> the provider's words for why its change fails.
    failing: Mapping[str, str]
    #: E.164 -> dotted path of the field that the provider silently does not change.
    dropped: Mapping[str, str]
    #: E.164 -> the values of every number of the account before the story.
    before: Mapping[str, Values]


def stand_ins() -> tuple[SlackStandIn, TelnyxStandIn]:
    """Return an empty workspace and an empty account, with secrets that exist for this story only."""
    slack = SlackStandIn(
        signing_secret=secrets.token_hex(16),
        bot_token=f"xoxb-{secrets.token_hex(16)}",
        app_token=f"xapp-{secrets.token_hex(16)}",
    )
    return slack, TelnyxStandIn(api_key=f"KEY{secrets.token_hex(16).upper()}", job_seconds=JOB_SECONDS)


def furnish(slack: SlackStandIn, telnyx: TelnyxStandIn) -> World:
    """Fill the workspace and the account."""
    ana, boss = slack.add_person("U0ANA", name="Ana"), slack.add_person("U0MAX", name="Max")
    for identifier, name in CHANNELS.items():
        slack.add_channel(identifier, name=name, members=[ana.id, boss.id])

    dallas, denver = telnyx.add_connection("Dallas PBX"), telnyx.add_connection("Denver PBX")
    telnyx.add_connection("Denver fax gateway")
    numbers = telnyx.add_numbers(CHOSEN, start="+13035550000", tags=["dallas"], connection_id=dallas.id)
    telnyx.add_numbers(OTHERS, start="+13035559000", tags=["dallas"], connection_id=dallas.id)
    chosen = tuple(number.phone_number for number in numbers)
    failing = _spoil(telnyx, chosen)

    return World(
        slack=slack,
        telnyx=telnyx,
        ana=ana,
        max=boss,
        chosen=chosen,
        wanted={"connection_id": denver.id, "tags": ["denver"], "voice.inbound_call_screening": "flag_calls"},
        failing=failing,
        dropped=_drop(telnyx, chosen),
        before=account(telnyx),
    )


def _spoil(telnyx: TelnyxStandIn, chosen: tuple[str, ...]) -> Mapping[str, str]:
    """Let seven numbers fail for three reasons, spread over the three jobs; return their reasons."""
    leaving = "The phone number is not in an editable state."
    for each in (17, 480, 1311, 2204):
        telnyx.fail(chosen[each], code="10015", detail=leaving, pointer="/status")
    refused = "This feature is not enabled for your account."
    for each in (766, 1900):
        telnyx.fail(
            chosen[each],
            code="10038",
            title="Feature not permitted",
            detail=refused,
            pointer="/voice/inbound_call_screening",
        )
    broken = "An unexpected error occured."  # the real service spells it like this
    telnyx.fail(chosen[2417], code="10007", title="Unexpected error", detail=broken)
    reasons = {17: leaving, 480: leaving, 1311: leaving, 2204: leaving, 766: refused, 1900: refused, 2417: broken}
    return {chosen[each]: reason for each, reason in reasons.items()}


def _drop(telnyx: TelnyxStandIn, chosen: tuple[str, ...]) -> Mapping[str, str]:
    """Let the provider report success for one number and leave one of its settings as it was."""
    number, field = chosen[1234], "voice.inbound_call_screening"
    telnyx.misbehave(None, "silently_dropped", field=field, numbers=[number])
    return {number: field}


def account(telnyx: TelnyxStandIn) -> Mapping[str, Values]:
    """Return a copy of every number's values, by E.164, as the account has them now."""
    return {number.phone_number: _values(number) for number in telnyx.numbers.values()}


def _values(number: Number) -> Values:
    values: dict[str, object] = {}
    for field in fields(Number):
        if field.name == "voice":
            values |= {
                f"voice.{leaf.name}": deepcopy(getattr(number.voice, leaf.name)) for leaf in fields(number.voice)
            }
        elif field.name != "updated_at":
            values[field.name] = deepcopy(getattr(number, field.name))
    return values
