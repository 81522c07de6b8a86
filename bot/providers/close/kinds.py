"""What can be changed at Close: the one table of settings, and the rules between values.

Fields and their limits are those of ``PUT /phone_number/{id}/`` (API.md, "Settings of a number"). ``number`` is not
included: Close changes a number's settings, never its digits.

On emptying values: the voicemail greeting is documented to accept null. The three lists are arrays without a minimum
length, and Close shows ``[]`` for numbers that have nobody on them, so ``[]`` can be sent. Nothing empties ``label`` or
``forward_to``, which are plain strings; forwarding is switched off instead. A ring duration that reads as null means
Close's default and cannot be written back, as the field accepts only whole numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.changes.model.kinds import Kind
from bot.changes.model.settings import Setting, Shape
from bot.changes.model.values import Values
from bot.providers.close.filters import FILTERS

SETTINGS: Final = "close.settings"

LABEL: Final = "label"
FORWARD_TO: Final = "forward_to"
FORWARDING: Final = "forward_to_enabled"
RING: Final = "inbound_ring_duration"
PARTICIPANTS: Final = "participants"
GROUPS: Final = "participant_groups"
EXTERNAL: Final = "phone_numbers"
PRESS_1: Final = "press_1_to_accept"
GREETING: Final = "voicemail_greeting_url"

#: What belongs together: one of them does nothing without the other.
FORWARDING_PAIR: Final = frozenset({FORWARD_TO, FORWARDING})
#: Most groups on one number (API.md, "Settings of a number").
MOST_GROUPS: Final = 40
#: Numbers of one run. Close has no limit, as it knows no runs; this many numbers share one line of progress.
BATCH: Final = 1000
#: Runs that are open at once. They share one pace, so more of them would not end sooner.
IN_FLIGHT: Final = 20

_TABLE: Final = (
    Setting(
        name=LABEL,
        label="Label",
        shape=Shape.TEXT,
        help="What the number is called in Close.",
    ),
    Setting(
        name=FORWARD_TO,
        label="Forward to",
        shape=Shape.PHONE,
        help="One number in international form. To stop forwarding, switch forwarding off.",
    ),
    Setting(
        name=FORWARDING,
        label="Forwarding",
        shape=Shape.BOOL,
        help="Whether calls are forwarded. It needs a number to forward to.",
    ),
    Setting(
        name=RING,
        label="Ring duration",
        shape=Shape.INTEGER,
        help="Seconds that an inbound call rings before it moves on, from 15 to 90.",
        bounds=(15, 90),
        unset="30 s, Close's default",
    ),
    Setting(
        name=PARTICIPANTS,
        label="Participants",
        shape=Shape.LOOKUPS,
        help="The people whom a group number rings.",
        clearable=True,
    ),
    Setting(
        name=GROUPS,
        label="Participant groups",
        shape=Shape.LOOKUPS,
        help="The groups whose members a group number rings; at most 40.",
        clearable=True,
    ),
    Setting(
        name=EXTERNAL,
        label="External numbers",
        shape=Shape.NUMBERS,
        help="Numbers outside Close that a group number rings as well, in international form.",
        clearable=True,
    ),
    Setting(
        name=PRESS_1,
        label="Press 1 to accept",
        shape=Shape.BOOL,
        help="Whether whoever answers a forwarded call has to press 1 to take it.",
    ),
    Setting(
        name=GREETING,
        label="Voicemail greeting",
        shape=Shape.URL,
        help="Address of an MP3 recording, beginning with https://. Leave it blank for Close's own greeting.",
        max_length=2000,
        clearable=True,
    ),
)


def kinds() -> tuple[Kind, ...]:
    """Return what can be changed at Close."""
    return (
        Kind(
            name=SETTINGS,
            provider="close",
            title="Update settings",
            command="close",
            settings=_TABLE,
            rule=settings_rule,
            result_rule=settings_result_rule,
            caution=settings_caution,
            batch_size=BATCH,
            jobs_in_flight=IN_FLIGHT,
            filters=FILTERS,
        ),
    )


def settings_rule(values: Values) -> Mapping[str, str]:
    """Return the conflicts between the values being set; the number's current values are not known here."""
    groups = values.get(GROUPS)
    if isinstance(groups, tuple) and len(groups) > MOST_GROUPS:
        return {GROUPS: f"Close takes at most {MOST_GROUPS} groups on one number; {len(groups)} were given."}
    return {}


def settings_result_rule(values: Values) -> Mapping[str, str]:
    """Return the conflicts between the values that a number would have afterwards, as far as Close shows them.

    Whether Close takes this is unknown (API.md, "Settings of a number"); calls would go nowhere in any case.
    """
    if values.get(FORWARDING) is True and FORWARD_TO in values and not values[FORWARD_TO]:
        return {FORWARDING: "forwarding would be on without a number to forward to"}
    return {}


def settings_caution(values: Values) -> Mapping[str, str]:
    """Return allowed values that may not work: Close may leave out which number there is to forward to."""
    if values.get(FORWARDING) is True and FORWARD_TO not in values:
        return {FORWARDING: "Close does not show whether there is a number to forward to, which *Forwarding* needs"}
    return {}
