"""The people and the channels of the workspace in which the stories are played."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: Where commands are given.
OPS: Final = "C0OPS"
#: Where approval is asked for and where failures are told, unless a rule of the policy names other channels.
APPROVALS: Final = "C0APPROVALS"
FAILURES: Final = "C0FAILURES"
#: The channels that a rule names.
SAFETY: Final = "C0SAFETY"
ALARMS: Final = "C0ALARMS"
CHANNELS: Final = (OPS, APPROVALS, FAILURES, SAFETY, ALARMS)

#: Ana requests, and Max decides.
EVERYBODY: Final[Mapping[str, str]] = {"U0ANA": "Ana", "U0MAX": "Max"}
