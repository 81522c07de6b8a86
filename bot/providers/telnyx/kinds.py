"""What can be changed at Telnyx: the one table of settings for each kind, and the rules between values.

Fields and their limits are those of the requests that create the jobs, ``POST`` to
``/phone_numbers/jobs/update_phone_numbers`` and ``.../update_emergency_settings``. A setting's name is the path of
the field in the request body.

On emptying values (API.md, "Emptying a value"): only a blank ``forwards_to`` is documented ("not forwarded when
blank"), so it alone is clearable. No field of the update request is nullable, and nothing says what an empty text does
to a reference, a PIN, a translated number, a connection or a billing group; tags are replaced whole, but an empty list
is not mentioned either. Guessing there could leave thousands of numbers in a state that nobody asked for. The emergency
address is emptied by switching the service off, never by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.changes.model.kinds import EffectState, Kind
from bot.changes.model.settings import Choice, Setting, Shape
from bot.changes.model.values import Values
from bot.providers.telnyx.filters import FILTERS, UPDATE_FILTERS

SETTINGS: Final = "telnyx.settings"
EMERGENCY: Final = "telnyx.emergency"
DELETE: Final = "telnyx.delete"

EXTERNAL_PIN: Final = "external_pin"
EMERGENCY_ENABLED: Final = "emergency_enabled"
EMERGENCY_ADDRESS: Final = "emergency_address_id"
EMERGENCY_STATUS: Final = "emergency_status"
FORWARDING_ENABLED: Final = "voice.call_forwarding.call_forwarding_enabled"
FORWARDS_TO: Final = "voice.call_forwarding.forwards_to"
FORWARDING_TYPE: Final = "voice.call_forwarding.forwarding_type"
CNAM_ENABLED: Final = "voice.cnam_listing.cnam_listing_enabled"
DELETION_LOCK: Final = "deletion_lock_enabled"
CNAM_DETAILS: Final = "voice.cnam_listing.cnam_listing_details"

_FORWARDING: Final = "voice.call_forwarding"
_CNAM: Final = "voice.cnam_listing"
_MEDIA: Final = "voice.media_features"
_RECORDING: Final = "voice.call_recording"

_NUMBER: Final = (
    Setting(
        name="tags",
        label="Tags",
        shape=Shape.TAGS,
        help="Separate tags with commas. The list replaces the tags that a number has now.",
    ),
    Setting(
        name=EXTERNAL_PIN,
        label="External PIN",
        shape=Shape.SECRET,
        help="Asked for when somebody tries to port a number away. It is never shown again.",
    ),
    Setting(
        name="customer_reference",
        label="Customer reference",
        shape=Shape.TEXT,
        help="Your own reference, by which numbers can be looked up.",
    ),
    Setting(
        name="connection_id",
        label="Connection",
        shape=Shape.LOOKUP,
        help="Where inbound calls are delivered.",
    ),
    Setting(
        name="billing_group_id",
        label="Billing group",
        shape=Shape.LOOKUP,
        help="Which group the charges are reported under.",
    ),
    Setting(
        name="hd_voice_enabled",
        label="HD voice",
        shape=Shape.BOOL,
        help="Wideband audio. It is charged for, and not every number can have it.",
        paid=True,
    ),
    Setting(
        name="deletion_lock_enabled",
        label="Deletion lock",
        shape=Shape.BOOL,
        help="While it is on, the number cannot be deleted through the API or the portal.",
    ),
)

_VOICE: Final = (
    Setting(
        name="voice.tech_prefix_enabled",
        label="Tech prefix",
        shape=Shape.BOOL,
        help="Whether a technical prefix is used with this number.",
    ),
    Setting(
        name="voice.translated_number",
        label="Translated number",
        shape=Shape.TEXT,
        help="Takes the place of the dialled number when a call is handed to you.",
        pattern=r"\+?[A-Za-z0-9]+",
        pattern_help="may hold only letters and digits, with a + in front if you like",
    ),
    Setting(
        name="voice.caller_id_name_enabled",
        label="Caller ID name",
        shape=Shape.BOOL,
        help="Look up the caller's name for inbound calls.",
    ),
    Setting(
        name="voice.usage_payment_method",
        label="Usage billing",
        shape=Shape.CHOICE,
        help="Pay for each minute, or use your concurrent channels.",
        choices=(Choice("pay-per-minute", "Per minute"), Choice("channel", "Channels")),
    ),
    Setting(
        name="voice.inbound_call_screening",
        label="Inbound call screening",
        shape=Shape.CHOICE,
        help="What happens to calls that look fraudulent. Rejecting or flagging has a monthly price per number.",
        choices=(
            Choice("disabled", "Off"),
            Choice("reject_calls", "Reject calls"),
            Choice("flag_calls", "Flag calls"),
        ),
        paid=True,
    ),
    Setting(
        name=FORWARDING_ENABLED,
        label="Call forwarding",
        shape=Shape.BOOL,
        help="Takes effect once there is a number to forward to.",
        group=_FORWARDING,
    ),
    Setting(
        name=FORWARDS_TO,
        label="Forward to",
        shape=Shape.PHONE,
        help="One number in international form. Leave it blank and calls are not forwarded.",
        clearable=True,
        group=_FORWARDING,
    ),
    Setting(
        name=FORWARDING_TYPE,
        label="Forward when",
        shape=Shape.CHOICE,
        help="Forward every call, or only those that could not be delivered.",
        choices=(Choice("always", "Always"), Choice("on-failure", "On failure")),
        group=_FORWARDING,
    ),
    Setting(
        name=CNAM_ENABLED,
        label="CNAM listing",
        shape=Shape.BOOL,
        help="List a name for calls made from this number. It needs the listed name as well.",
        group=_CNAM,
    ),
    Setting(
        name=CNAM_DETAILS,
        label="CNAM listed name",
        shape=Shape.TEXT,
        help="Up to 15 letters, digits and spaces.",
        max_length=15,
        pattern=r"[A-Za-z0-9 ]+",
        pattern_help="may hold only letters, digits and spaces",
        group=_CNAM,
    ),
    Setting(
        name="voice.media_features.rtp_auto_adjust_enabled",
        label="RTP auto-adjust",
        shape=Shape.BOOL,
        help="Send audio to wherever your audio comes from.",
        group=_MEDIA,
    ),
    Setting(
        name="voice.media_features.accept_any_rtp_packets_enabled",
        label="Accept RTP from anywhere",
        shape=Shape.BOOL,
        help="Take audio from addresses other than the one that audio is sent to.",
        group=_MEDIA,
    ),
    Setting(
        name="voice.media_features.t38_fax_gateway_enabled",
        label="T.38 fax gateway",
        shape=Shape.BOOL,
        help="Accept a call's switch to T.38 fax; Telnyx never asks for it itself.",
        group=_MEDIA,
    ),
    Setting(
        name="voice.call_recording.inbound_call_recording_enabled",
        label="Record inbound calls",
        shape=Shape.BOOL,
        help="Every inbound call is recorded. Make sure that the law where you are allows it.",
        group=_RECORDING,
    ),
    Setting(
        name="voice.call_recording.inbound_call_recording_format",
        label="Recording format",
        shape=Shape.CHOICE,
        help="The file format of recordings.",
        choices=(Choice("wav", "WAV"), Choice("mp3", "MP3")),
        group=_RECORDING,
    ),
    Setting(
        name="voice.call_recording.inbound_call_recording_channels",
        label="Recording channels",
        shape=Shape.CHOICE,
        help="One track, or one for each side of the call.",
        choices=(Choice("single", "Single"), Choice("dual", "Dual")),
        group=_RECORDING,
    ),
)

_EMERGENCY: Final = (
    Setting(
        name=EMERGENCY_ENABLED,
        label="Emergency service",
        shape=Shape.BOOL,
        help="Whether emergency calls can be made from the number. It is charged for by the month.",
        paid=True,
        always=True,
    ),
    Setting(
        name=EMERGENCY_ADDRESS,
        label="Emergency address",
        shape=Shape.LOOKUP,
        help="Where help is sent. Needed to switch the service on; leave it empty to switch it off.",
        always=True,
    ),
)


#: What people have to see before numbers go for good. The lock keeps Telnyx from deleting a number
#: (API.md, "Creating a job").
_BEFORE_DELETION: Final = (
    *(setting for setting in _NUMBER if setting.name in {"tags", "customer_reference", "connection_id"}),
    Setting(name=EMERGENCY_ENABLED, label="Emergency service", shape=Shape.BOOL),
    Setting(name=EMERGENCY_ADDRESS, label="Emergency address", shape=Shape.LOOKUP),
    Setting(name=DELETION_LOCK, label="Deletion lock", shape=Shape.BOOL),
)


def kinds(*, secrets: bool) -> tuple[Kind, ...]:
    """Return what can be changed at Telnyx; ``secrets`` tells whether there is a key to seal secret settings with."""
    table = _NUMBER + _VOICE
    return (
        Kind(
            name=SETTINGS,
            provider="telnyx",
            title="Update settings",
            command="update",
            settings=table if secrets else tuple(setting for setting in table if not setting.secret),
            withheld=() if secrets else tuple(setting for setting in table if setting.secret),
            rule=settings_rule,
            result_rule=settings_result_rule,
            caution=settings_caution,
            left_out=left_out,
            batch_size=1000,
            jobs_in_flight=20,
            filters=UPDATE_FILTERS,
        ),
        Kind(
            name=EMERGENCY,
            provider="telnyx",
            title="Update emergency service",
            command="emergency",
            settings=_EMERGENCY,
            statuses=(Setting(name=EMERGENCY_STATUS, label="Emergency status", shape=Shape.TEXT),),
            stands=emergency_stands,
            jeopardy="emergency calls may not work",
            rule=emergency_rule,
            left_out=left_out,
            batch_size=1000,
            jobs_in_flight=500,
            filters=FILTERS,
        ),
        Kind(
            name=DELETE,
            provider="telnyx",
            title="Delete numbers",
            command="delete",
            settings=(),
            batch_size=1000,
            jobs_in_flight=20,
            filters=FILTERS,
            removes=True,
            observed=_BEFORE_DELETION,
            barred=deletion_bar,
        ),
    )


def left_out(values: Values) -> frozenset[str]:
    """Return the fields that are not sent because the switch beside them is off, for Telnyx takes them only when on.

    They are the emergency address, and the listed name of CNAM, which may come along from the snapshot.
    """
    switches = {EMERGENCY_ENABLED: EMERGENCY_ADDRESS, CNAM_ENABLED: CNAM_DETAILS}
    return frozenset(name for switch, name in switches.items() if values.get(switch) is False)


def settings_rule(values: Values) -> Mapping[str, str]:
    """Return what is wrong between the values that are being set; what a number has already is not known here."""
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
    """Return what is wrong between the values that a number would have afterwards, all of its objects known."""
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
    """Return what is allowed and may leave calls unforwarded: Telnyx forwards by switch, number and type together."""
    if not values.get(FORWARDS_TO):
        return {}
    if values.get(FORWARDING_ENABLED) is False:
        return {FORWARDS_TO: "*Forward to* is set while *Call forwarding* is off, so nothing is forwarded yet"}
    if not values.get(FORWARDING_TYPE):
        # Whichever of the two the change sets: switched on without a type, a number that has one goes nowhere either.
        why = "*Forward to* is set without *Forward when*, and Telnyx needs both to forward"
        return {FORWARDS_TO: why, FORWARDING_ENABLED: why}
    return {}


def deletion_bar(values: Values) -> str:
    """Return why a number cannot be deleted; what Telnyx does not say is left for Telnyx to refuse."""
    return (
        "the deletion lock is on, and must first be switched off by a separate change"
        if values.get(DELETION_LOCK) is True
        else ""
    )


def emergency_stands(sent: Values, found: Values) -> EffectState:
    """Tell how far switching the emergency service on or off is (API.md, "Emergency service").

    ``emergency_enabled`` says what was asked for and ``emergency_status`` whether it is so: an address may be taken
    by the job and turned down by the emergency service afterwards.
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
    "provisioning-failed": EffectState.DONE,  # what is left of an attempt to switch it on; it is off
    "deprovisioning": EffectState.UNDER_WAY,
    "active": EffectState.CONTRARY,
    "provisioning": EffectState.CONTRARY,
}


def emergency_rule(values: Values) -> Mapping[str, str]:
    """Return what is wrong: to switch the service on takes an address, to switch it off takes none."""
    enabled = values.get(EMERGENCY_ENABLED)
    address = values.get(EMERGENCY_ADDRESS)
    if enabled is None:
        return {EMERGENCY_ENABLED: "Say whether the emergency service is to be on or off."}
    if enabled and not address:
        return {EMERGENCY_ADDRESS: "Choose the address that help is sent to; the service cannot be on without one."}
    if not enabled and address:
        return {EMERGENCY_ADDRESS: "Leave the address empty; Telnyx takes none when the service is switched off."}
    return {}
