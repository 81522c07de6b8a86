"""What the errors of the database drivers mean for people."""

from __future__ import annotations

from typing import Final

from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError

from bot.errors import DatabaseDamaged, DatabaseUnavailable, StoreError

#: What SQLite says when pages of its file are not what they should be (SQLITE_CORRUPT, SQLITE_NOTADB).
_DAMAGED: Final = ("malformed", "not a database")
#: What the drivers say when a table or a column is missing, or there unexpectedly: SQLite in words, PostgreSQL by
#: SQLSTATE.
_OTHERWISE: Final = ("no such table", "no such column", "has no column", "already exists")
_OTHERWISE_STATES: Final = frozenset({"42P01", "42703", "42P07"})
#: Classes of SQLSTATE with which PostgreSQL turns everybody away, whatever is asked: no connection, no right to come
#: in, no such database, no resources, a shutdown, a fault of the machine (postgresql.org, "PostgreSQL Error Codes").
_TURNED_AWAY: Final = frozenset({"08", "28", "3D", "53", "57", "58"})
_SAFE: Final = "Nothing was decided or sent, and what was decided before is safe."


def meaning(error: DBAPIError) -> StoreError | None:
    """Return what ``error`` says about the database itself; None when the fault is in what was asked."""
    said, state = str(error.orig).lower(), str(getattr(error.orig, "sqlstate", None) or "")
    if any(word in said for word in _OTHERWISE) or state in _OTHERWISE_STATES:
        return StoreError(
            f"The database does not have the structure that Linesman gave it: {_cause(error)}. Restore a backup."
        )
    if state[:2] in _TURNED_AWAY:
        return DatabaseUnavailable(
            f"The database refuses Linesman ({_cause(error)}): check DATABASE_URL and that its "
            f"server is well, then try again. {_SAFE}"
        )
    if isinstance(error, OperationalError | InterfaceError):
        return DatabaseUnavailable(f"{_advice(said)}, then try again. {_SAFE}")
    if isinstance(error, DatabaseError) and any(word in said for word in _DAMAGED):
        return DatabaseDamaged()
    return None


def unreachable(error: OSError) -> DatabaseUnavailable:
    """Return what it means that there is nobody to connect to."""
    return DatabaseUnavailable(
        f"The database cannot be reached ({error.strerror or type(error).__name__}): check DATABASE_URL "
        f"and that its server runs, then try again. {_SAFE}"
    )


def _advice(said: str) -> str:
    """Return what is wrong and what to do; SQLite's own words are in sqlite3's errors."""
    if "full" in said:
        return "The disk of the database is full: free some space"
    if "locked" in said or "busy" in said:
        return "The database is locked by another program: end it"
    if "readonly" in said or "unable to open" in said:
        return "The database file cannot be opened for writing: give this user the right to it and to its folder"
    return "The database accepts nothing right now: see the log"


def _cause(error: DBAPIError) -> str:
    """Return the driver's own words, without the class that SQLAlchemy puts before asyncpg's."""
    return str(error.orig).partition(">: ")[2] or str(error.orig)
