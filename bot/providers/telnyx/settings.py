"""The settings of a number at Telnyx, each declared once, in one table for each kind of change.

Fields and their limits are those of the job-creating requests, ``POST`` to ``/phone_numbers/jobs/update_phone_numbers``
and ``.../update_emergency_settings``. A setting's name is the path of the field in the request body.

On emptying values (API.md, "Emptying a value"): only a blank ``forwards_to`` is documented ("not forwarded when
blank"), so only that is clearable. No field of the update request is nullable, and nothing says what an empty text does
to a reference, a PIN, a translated number, a connection or a billing group; tags are replaced whole, but an empty list
is not mentioned either. Guessing could leave thousands of numbers in a state that nobody asked for. The emergency
address is emptied by switching the service off, never by itself.
"""

from __future__ import annotations

from typing import Final

from bot.changes.model.settings import Choice, Setting, Shape

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

NUMBER_SETTINGS: Final = (
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

VOICE_SETTINGS: Final = (
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

EMERGENCY_SETTINGS: Final = (
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

#: What people must see before numbers are removed permanently. The lock keeps Telnyx from deleting a number (API.md,
#: "Creating a job").
BEFORE_DELETION: Final = (
    *(setting for setting in NUMBER_SETTINGS if setting.name in {"tags", "customer_reference", "connection_id"}),
    Setting(name=EMERGENCY_ENABLED, label="Emergency service", shape=Shape.BOOL),
    Setting(name=EMERGENCY_ADDRESS, label="Emergency address", shape=Shape.LOOKUP),
    Setting(name=DELETION_LOCK, label="Deletion lock", shape=Shape.BOOL),
)
