"""Reading the environment for commands, and their logs."""

from __future__ import annotations

import getpass
import os
from collections.abc import Collection
from pathlib import Path

from sqlalchemy import make_url

from bot.clients import known_kinds
from bot.config import Settings, Storage, load, load_storage
from bot.errors import ConfigurationError, InputError
from bot.process import replica_name
from bot.store.engine.sqlite_file import path_of
from bot.telemetry import logs


def settings(replica: str | None = None) -> Settings:
    """Return the whole configuration; raises :class:`bot.errors.ConfigurationError`.

    The logs carry the name ``replica``, by default a new one.
    """
    found = load(os.environ, known_kinds())
    _log(found, replica=replica or replica_name())
    return found


def storage(url: str | None = None, *, called: str = "DATABASE_URL", also: Collection[str] = ()) -> Storage:
    """Return the settings of commands that use only the database: no secret of Slack's or of a provider's.

    ``url`` replaces DATABASE_URL, and is named ``called`` in messages. ``also`` are more secrets for the logs.
    """
    try:
        found = load_storage(os.environ if url is None else {**os.environ, "DATABASE_URL": url})
    except ConfigurationError as error:
        raise ConfigurationError([problem.replace("DATABASE_URL", called) for problem in error.problems]) from None
    _log(found, also, replica=replica_name())
    return found


def _log(found: Settings | Storage, also: Collection[str] = (), *, replica: str) -> None:
    logs.configure(
        found.log_level,
        found.log_format,
        libraries=found.log_libraries,
        secrets={*found.secrets(), *also},
        replica=replica,
    )


def sqlite_path(otherwise: str) -> Path:
    """Return the file of the database; raises InputError, with the advice ``otherwise``, if it is not SQLite's."""
    url = make_url(storage().database_url.get_secret_value())
    if (path := path_of(url)) is None:
        what = "is PostgreSQL" if url.get_backend_name() == "postgresql" else "is in memory"
        raise InputError(
            {
                "file": f"The database {what}, and this works only on SQLite files: {otherwise}, "
                "see .github/OPERATING.md."
            }
        )
    return path


def who() -> str:
    """Return the user of this machine, as the audit log's actor."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        name = str(os.getuid())
    return f"shell:{name}"[:32]
