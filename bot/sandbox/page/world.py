"""The world of the sandbox page: who is there, where they talk, and what the accounts hold."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bot.sandbox.close import CloseStandIn
from bot.sandbox.close import furnish as furnish_close
from bot.sandbox.slack import SlackStandIn
from bot.sandbox.telnyx import TelnyxStandIn

ANA: Final = "U0ANA"
MAX: Final = "U0MAX"
MIA: Final = "U0MIA"
LEO: Final = "U0LEO"
GUS: Final = "U0GUS"
SAM: Final = "U0SAM"
MANAGERS: Final = "S0MANAGERS"
OPS: Final = "C0NUMBEROPS"
APPROVALS: Final = "C0APPROVALS"
FAILURES: Final = "C0FAILURES"
SAFETY: Final = "C0SAFETY"
#: Where approval is requested.
REQUESTS: Final = (APPROVALS, SAFETY)

#: Who is there, and what the page calls them.
ROLES: Final[Mapping[str, str]] = {
    ANA: "engineer",
    MAX: "manager",
    MIA: "manager",
    LEO: "colleague",  # is in no list: a manager may lend him the right to approve
    GUS: "guest",
    SAM: "stranger",
}
#: What the policy file says: deletions are off where no rule allows them, and the visitor is to see one, approved in
#: stages; changes of emergency service are asked for elsewhere; and those at Close have fallback approvers.
POLICY: Final = f"""\
[[rule]]
name = "deletions"
kinds = ["telnyx.delete"]
allow = true
stages = [
  {{ name = "safety", approvers = ["{MIA}"] }},
  {{ name = "network", approvers = ["{MAX}"] }},
]

[[rule]]
name = "emergency"
kinds = ["telnyx.emergency"]
approval_channel = "{SAFETY}"
mention = ["{MIA}"]

[[rule]]
name = "Close"
kinds = ["close.*"]
approvers = ["{MAX}"]
fallback_approvers = ["{MIA}"]
fallback_after = "1m"
"""
#: Seconds that a job takes: long enough to watch, short enough to wait for.
JOB_SECONDS: Final = 4.0
#: Numbers of the Dallas office, which the guide has moved, and of the Denver office.
DALLAS: Final = 40
DENVER: Final = 20
#: Of how many Denver numbers one is in a bundle, which only a file of Telnyx's tells.
BUNDLED: Final = 4
#: Numbers of both teams at Close; with them come the acting user's own and one of each other user.
SHARED: Final = 8


@dataclass(frozen=True, kw_only=True)
class StandIns:
    """The three services, furnished."""

    slack: SlackStandIn
    telnyx: TelnyxStandIn
    close: CloseStandIn


def new_stand_ins() -> StandIns:
    """Return an empty workspace and two empty accounts, with secrets that exist for this sandbox only."""
    return StandIns(
        slack=SlackStandIn(
            signing_secret=secrets.token_hex(16),
            bot_token=f"xoxb-{secrets.token_hex(16)}",
            app_token=f"xapp-{secrets.token_hex(16)}",
        ),
        telnyx=TelnyxStandIn(api_key=f"KEY{secrets.token_hex(16).upper()}", job_seconds=JOB_SECONDS),
        close=CloseStandIn(api_key=f"api_{secrets.token_hex(16)}"),
    )


def furnish(world: StandIns) -> tuple[str, ...]:
    """Fill the workspace and the accounts; return the numbers that the guide is about."""
    _people(world.slack)
    furnish_close(world.close, shared=SHARED, own=1)
    return _numbers(world.telnyx)


def _people(slack: SlackStandIn) -> None:
    for user, name in ((ANA, "Ana"), (MAX, "Max"), (MIA, "Mia"), (LEO, "Leo")):
        slack.add_person(user, name=name)
    slack.add_person(GUS, name="Gus", guest=True)
    slack.add_person(SAM, name="Sam", foreign_team="T0ELSEWHERE", stranger=True)
    slack.add_channel(OPS, name="number-ops", members=ROLES)
    for channel, name in ((APPROVALS, "number-approvals"), (FAILURES, "number-failures"), (SAFETY, "number-safety")):
        slack.add_channel(channel, name=name, members=[ANA, MAX, MIA, LEO])
    slack.add_usergroup(MANAGERS, handle="managers", members=[MAX, MIA])


def _numbers(telnyx: TelnyxStandIn) -> tuple[str, ...]:
    """Give the account its numbers; two of the Dallas ones make trouble, one of them only once."""
    dallas, denver = telnyx.add_connection("Dallas PBX"), telnyx.add_connection("Denver PBX")
    telnyx.add_connection("Denver fax gateway")
    telnyx.add_billing_group("Operations")
    telnyx.add_address("1600 Broadway", business_name="Denver office")
    chosen = telnyx.add_numbers(DALLAS, start="+13035550100", tags=["dallas"], connection_id=dallas.id)
    for place, number in enumerate(
        telnyx.add_numbers(DENVER, start="+17205550100", tags=["denver"], connection_id=denver.id)
    ):
        number.has_bundle = place % BUNDLED == 0
    names = tuple(number.phone_number for number in chosen)
    refused = "This feature is not enabled for your account."
    telnyx.fail(names[11], code="10038", title="Feature not permitted", detail=refused)
    broken = "An unexpected error occured."  # the real service spells it like this
    telnyx.fail(names[27], code="10007", title="Unexpected error", detail=broken, times=1)
    return names
