"""Knowing in advance who may pull the brake, as Slack may not answer at that moment."""

from __future__ import annotations

from typing import Final

import structlog

from bot.errors import DeliveryError
from bot.workflow.emergency_brake import EmergencyBrake

log = structlog.get_logger(__name__)

#: Seconds between two reads of the operators: a third of the time for which they are remembered.
PAUSE: Final = 300.0


class OperatorRefresh:
    """Reads the operators from Slack every few minutes."""

    def __init__(self, brake: EmergencyBrake) -> None:
        self._brake = brake

    async def refresh(self) -> float:
        """Read them once; return the seconds until the next time."""
        try:
            await self._brake.remember_operators()
        except DeliveryError as error:
            log.info("operators not refreshed", why=error.message)
        return PAUSE
