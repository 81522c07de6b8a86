"""The emergency service behind Telnyx: a job only asks for it, and whether it is active shows later."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.sandbox.provider.clock import Clock
from bot.sandbox.telnyx.records import Number


class Provisioning:
    """Switches the emergency service of numbers on and off in its own time.

    Until then a number shows the switch as it was before, and a status that says what is being done.

    Attributes:
        seconds: what it takes; ``None`` for ever.
        lag: seconds for which a number goes on showing its status from before once it is taken on.
        turned_down: numbers (E.164 or ids) for which it cannot be switched on, whatever the job reported.

    """

    def __init__(self, clock: Clock) -> None:
        self.seconds: float | None = 0.0
        self.lag = 0.0
        self.turned_down: set[str] = set()
        self._clock = clock
        self._under_way: dict[str, tuple[datetime, Number, bool]] = {}
        self._unshown: dict[str, tuple[datetime, Number, bool]] = {}

    def begin(self, number: Number, *, enabled: bool) -> None:
        """Take on to switch the service of a number."""
        shown = self._clock.now() + timedelta(seconds=self.lag)
        self._unshown[number.id] = (shown, number, enabled)
        self._under_way.pop(number.id, None)
        if self.seconds is not None:
            self._under_way[number.id] = (shown + timedelta(seconds=self.seconds), number, enabled)
        self.settle()

    def settle(self) -> None:
        """Bring to its end what is due."""
        now = self._clock.now()
        for id_, (shown, number, enabled) in list(self._unshown.items()):
            if shown <= now:
                del self._unshown[id_]
                number.emergency_status = "provisioning" if enabled else "deprovisioning"
        for id_, (due, number, enabled) in list(self._under_way.items()):
            if due > now:
                continue
            del self._under_way[id_]
            if enabled and {number.id, number.phone_number} & self.turned_down:
                number.emergency_status = "provisioning-failed"
            else:
                number.emergency_enabled = enabled
                number.emergency_status = "active" if enabled else "disabled"
