"""What can be changed at Telnyx."""

from __future__ import annotations

from typing import Final

from bot.changes.model.kinds import Kind
from bot.changes.model.settings import Setting, Shape
from bot.providers.telnyx.filters import FILTERS, UPDATE_FILTERS
from bot.providers.telnyx.rules import (
    deletion_bar,
    emergency_result_rule,
    emergency_rule,
    emergency_stands,
    left_out,
    settings_caution,
    settings_result_rule,
    settings_rule,
)
from bot.providers.telnyx.settings import (
    BEFORE_DELETION,
    EMERGENCY_SETTINGS,
    EMERGENCY_STATUS,
    NUMBER_SETTINGS,
    VOICE_SETTINGS,
)

SETTINGS: Final = "telnyx.settings"
EMERGENCY: Final = "telnyx.emergency"
DELETE: Final = "telnyx.delete"


def kinds(*, secrets: bool) -> tuple[Kind, ...]:
    """Return what can be changed at Telnyx; ``secrets`` tells whether there is a key for secret settings."""
    table = NUMBER_SETTINGS + VOICE_SETTINGS
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
            settings=EMERGENCY_SETTINGS,
            statuses=(Setting(name=EMERGENCY_STATUS, label="Emergency status", shape=Shape.TEXT),),
            stands=emergency_stands,
            jeopardy="emergency calls may not work",
            rule=emergency_rule,
            result_rule=emergency_result_rule,
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
            observed=BEFORE_DELETION,
            barred=deletion_bar,
        ),
    )
