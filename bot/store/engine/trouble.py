"""The current trouble of a database, as far as work on it has shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from bot.errors import DatabaseDamaged, DatabaseRefused, DatabaseUnavailable, StoreError
from bot.store.engine.driver_errors import DRIVER_ERRORS, meaning

log = structlog.get_logger(__name__)


class DatabaseTrouble:
    """Remembers the database's trouble, and logs it once.

    ``file`` means an SQLite file and no server; ``quiet`` is for commands, which report it themselves and end.
    """

    def __init__(self, *, file: bool, quiet: bool) -> None:
        self._file = file
        self._quiet = quiet
        #: Why it accepts no writes, for people; empty when it does, as far as anybody has tried.
        self.present = ""
        #: The problems already logged; some troubles alternate.
        self._logged: set[str] = set()
        #: The damage found; it stays until another process opens a restored file.
        self.damage = ""

    def over(self) -> None:
        """Note that it accepts writes again."""
        if self.present:
            log.warning("the database takes writes again")
        self.present = ""
        self._logged.clear()

    @contextmanager
    def explained(self, *, writing: bool = False) -> Iterator[None]:
        """Raise driver errors about the database as StoreError; other driver errors are ours, and pass."""
        try:
            yield
        except DatabaseRefused as error:
            self._notice(error, error.message, writing=writing)
            raise
        except DRIVER_ERRORS as error:
            if self._file and isinstance(error, OSError):
                raise  # there is no network between us and a file
            if (told := meaning(error)) is None:
                raise
            self._notice(told, str(getattr(error, "orig", error)), writing=writing)
            raise told from error

    def _notice(self, told: StoreError, cause: str, *, writing: bool) -> None:
        if isinstance(told, DatabaseDamaged):
            if not self.damage and not self._quiet:
                log.error("the database is damaged", cause=cause)
            self.damage = told.message
        elif writing and isinstance(told, DatabaseUnavailable):
            if told.message not in self._logged and not self._quiet:
                log.error("the database takes no writes", why=told.message, cause=cause)
            self._logged.add(told.message)
            self.present = told.message
