"""What keeps Linesman from its work just now, for those who run it."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

log = structlog.get_logger(__name__)


class Health:
    """Standing troubles, by where they are. ``/readyz`` and ``/metrics`` tell them until they are over.

    The database knows its own (:attr:`bot.store.database.Database.trouble`).
    """

    #: The Slack token does not work any more, or Slack refuses messages everywhere.
    SLACK = "slack"

    def __init__(self) -> None:
        self._present: dict[str, str] = {}

    def begin(self, where: str, what: str) -> None:
        """Note a trouble; it is logged when it is news."""
        if self._present.get(where) != what:
            log.error("trouble", where=where, what=what)
        self._present[where] = what

    def end(self, where: str) -> None:
        """Note that a recovered; harmless when there was none."""
        if self._present.pop(where, None) is not None:
            log.warning("recovered", where=where)

    @property
    def present(self) -> Mapping[str, str]:
        """Where there is trouble now, and what."""
        return dict(self._present)
