"""What is wrong with a database just now, as far as work on it has shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from bot.errors import DatabaseDamaged, DatabaseRefused, DatabaseUnavailable, StoreError
from bot.store.engine.driver_errors import DRIVER_ERRORS, meaning

log = structlog.get_logger(__name__)


class DatabaseTrouble:
    """Remembers what is wrong with the database, and logs it once.

    ``file`` tells that it is one, and no server; ``quiet`` that a command says it, and ends.
    """

    def __init__(self, *, file: bool, quiet: bool) -> None:
        self._file = file
        self._quiet = quiet
        #: Why it takes no writes, for people; empty when it does, as far as anybody has tried.
        self.present = ""
        #: What was logged of it; some troubles take turns in showing themselves.
        self._logged: set[str] = set()
        #: What was found to be damaged; it stays so until another process opens a restored file.
        self.damage = ""

    def over(self) -> None:
        """Note that it takes writes again."""
        if self.present:
            log.warning("the database takes writes again")
        self.present = ""
        self._logged.clear()

    @contextmanager
    def explained(self, *, writing: bool = False) -> Iterator[None]:
        """Raise what the driver says about the database as StoreError; its other errors are ours."""
        try:
            yield
        except DatabaseRefused as error:
            self._notice(error, error.message, writing=writing)
            raise
        except DRIVER_ERRORS as error:
            if self._file and isinstance(error, OSError):
                raise  # nobody's network is between us and a file
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
