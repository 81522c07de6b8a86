"""Which values go together for a number at Telnyx, and how far a request has taken effect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.changes.model.kinds import EffectState
from bot.changes.model.values import Values
from bot.providers.telnyx.settings import (
    CNAM_DETAILS,
    CNAM_ENABLED,
    DELETION_LOCK,
    EMERGENCY_ADDRESS,
    EMERGENCY_ENABLED,
    EMERGENCY_STATUS,
    FORWARDING_ENABLED,
    FORWARDING_TYPE,
    FORWARDS_TO,
)


def left_out(values: Values) -> frozenset[str]:
    """Return the fields that are not sent because their switch is off; Telnyx accepts them only when it is on.

    They are the emergency address and the listed name of CNAM, which may come along from the snapshot.
    """
    switches = {EMERGENCY_ENABLED: EMERGENCY_ADDRESS, CNAM_ENABLED: CNAM_DETAILS}
    return frozenset(name for switch, name in switches.items() if values.get(switch) is False)


def settings_rule(values: Values) -> Mapping[str, str]:
    """Return the conflicts between the values being set; the number's current values are not known here."""
    problems: dict[str, str] = {}
    if values.get(FORWARDS_TO) == "":
        if values.get(FORWARDING_ENABLED) is True:
            problems[FORWARDS_TO] = (
                "Call forwarding is being switched on: give the number to forward to, or leave forwarding off."
            )
        elif values.get(FORWARDING_TYPE):
            problems[FORWARDS_TO] = "“Forward when” needs a number to forward to: give one, or leave that setting out."
    if values.get(CNAM_ENABLED) is False and values.get(CNAM_DETAILS):
        problems[CNAM_DETAILS] = "A listed name needs the CNAM listing on: switch it on, or leave the name out."
    if values.get(CNAM_ENABLED) is True and values.get(CNAM_DETAILS) == "":
        problems[CNAM_DETAILS] = "The CNAM listing is being switched on: give the name to list."
    return problems


def settings_result_rule(values: Values) -> Mapping[str, str]:
    """Return the conflicts between the values that a number would have afterwards, with all its objects known."""
    problems: dict[str, str] = {}
    if values.get(FORWARDING_ENABLED) is True and not values.get(FORWARDS_TO):
        problems[FORWARDING_ENABLED] = "call forwarding would be on without a number to forward to"
    if values.get(CNAM_ENABLED) is False and values.get(CNAM_DETAILS):
        problems[CNAM_DETAILS] = (
            "a listed name would be given while the CNAM listing is off, and Telnyx drops it; switch the listing on too"
        )
    if values.get(CNAM_ENABLED) is True and not values.get(CNAM_DETAILS):
        problems[CNAM_ENABLED] = "the CNAM listing would be on without a name to list"
    return problems


def settings_caution(values: Values) -> Mapping[str, str]:
    """Return a caution for values that may leave calls unforwarded: Telnyx needs switch, number and type together."""
    if not values.get(FORWARDS_TO):
        return {}
    if values.get(FORWARDING_ENABLED) is False:
        return {FORWARDS_TO: "*Forward to* is set while *Call forwarding* is off, so nothing is forwarded yet"}
    if not values.get(FORWARDING_TYPE):
        # Whichever of the two the change sets: switched on without a type, even an existing number does not forward.
        why = "*Forward to* is set without *Forward when*, and Telnyx needs both to forward"
        return {FORWARDS_TO: why, FORWARDING_ENABLED: why}
    return {}


def deletion_bar(values: Values) -> str:
    """Return why a number cannot be deleted; reasons that Telnyx does not show are left for it to refuse."""
    return (
        "the deletion lock is on, and must first be switched off by a separate change"
        if values.get(DELETION_LOCK) is True
        else ""
    )


def emergency_stands(sent: Values, found: Values) -> EffectState:
    """Tell how far switching the emergency service on or off has come (API.md, "Emergency service").

    ``emergency_enabled`` is the request and ``emergency_status`` the result: the job may accept an address that the
    emergency service rejects afterwards.
    """
    enabled, status = sent.get(EMERGENCY_ENABLED), found.get(EMERGENCY_STATUS)
    table = _WHEN_ON if enabled is True else _WHEN_OFF
    return table.get(status, EffectState.UNTOLD) if isinstance(status, str) else EffectState.UNTOLD


_WHEN_ON: Final = {
    "active": EffectState.DONE,
    "provisioning": EffectState.UNDER_WAY,
    "provisioning-failed": EffectState.FAILED,
    "disabled": EffectState.CONTRARY,
    "deprovisioning": EffectState.CONTRARY,
}
_WHEN_OFF: Final = {
    "disabled": EffectState.DONE,
    "provisioning-failed": EffectState.DONE,  # left over from an attempt to switch it on; it is off
    "deprovisioning": EffectState.UNDER_WAY,
    "active": EffectState.CONTRARY,
    "provisioning": EffectState.CONTRARY,
}


def emergency_rule(values: Values) -> Mapping[str, str]:
    """Return the conflicts: switching the service on takes an address, switching it off takes none."""
    enabled = values.get(EMERGENCY_ENABLED)
    address = values.get(EMERGENCY_ADDRESS)
    if enabled is None:
        return {EMERGENCY_ENABLED: "Say whether the emergency service is to be on or off."}
    if enabled and not address:
        return {EMERGENCY_ADDRESS: "Choose the address that help is sent to; the service cannot be on without one."}
    if not enabled and address:
        return {EMERGENCY_ADDRESS: "Leave the address empty; Telnyx takes none when the service is switched off."}
    return {}


def emergency_result_rule(values: Values) -> Mapping[str, str]:
    """Return the conflicts between the values that a number would have afterwards: switching it on needs an address."""
    if values.get(EMERGENCY_ENABLED) is True and not values.get(EMERGENCY_ADDRESS):
        return {EMERGENCY_ENABLED: "the emergency service would be on without an address"}
    return {}
