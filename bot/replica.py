"""The name of this process among those that work on one database."""

from __future__ import annotations

import os
import socket
import uuid


def replica_name() -> str:
    """Return a name that no other process has, nor had: claims, logs and metrics tell by it who did what."""
    return f"{socket.gethostname()[:24]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
