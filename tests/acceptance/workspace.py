"""The people and the channels of the workspace in which the stories are played."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: Where commands are given.
OPS: Final = "C0OPS"
#: Where approval is asked for, and where failures are told.
APPROVALS: Final = "C0APPROVALS"
FAILURES: Final = "C0FAILURES"
CHANNELS: Final = (OPS, APPROVALS, FAILURES)

#: Ana requests, and Max decides.
EVERYBODY: Final[Mapping[str, str]] = {"U0ANA": "Ana", "U0MAX": "Max"}
