"""The meaning of driver errors for people, and retries after conflicts between transactions.

SQLite reports errors in words, PostgreSQL by SQLSTATE (postgresql.org, "PostgreSQL Error Codes"), and asyncpg passes
network errors on unchanged. This is the only place that knows them.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

import structlog
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.errors import DatabaseConflict, DatabaseDamaged, DatabaseRefused, DatabaseUnavailable, StoreError
from bot.machine import chance

#: Driver errors about the database itself.
DRIVER_ERRORS: Final = (DBAPIError, PoolTimeout, OSError)

#: SQLite's words for damaged pages of its file (SQLITE_CORRUPT, SQLITE_NOTADB).
_DAMAGED: Final = ("malformed", "not a database")
_NO_DATABASE: Final = (
    "The file is not an SQLite database: check DATABASE_URL. If it was Linesman's, it is damaged: stop Linesman, "
    "keep a copy of the file, and restore a backup."
)
#: Driver errors about a table or a column that is missing, or unexpectedly there: SQLite in words, PostgreSQL by
#: SQLSTATE.
_OTHERWISE: Final = ("no such table", "no such column", "has no column", "already exists")
_OTHERWISE_STATES: Final = frozenset({"42P01", "42703", "42P07"})
#: States of a conflict with another transaction: a deadlock, or outdated reads.
_CONFLICTS: Final = frozenset({"40001", "40P01"})
#: States, or their class prefixes, in which PostgreSQL refuses Linesman until somebody acts -> the problem, and what to
#: do. The first match counts. ``{}`` is the driver's own text.
_REFUSED: Final = (
    ("28P01", "The database does not accept the user's password ({}): check it in DATABASE_URL"),
    ("28", "The database does not let Linesman in ({}): check DATABASE_URL and the server's pg_hba.conf"),
    ("3D", "The database of that name is not there ({}): check its name in DATABASE_URL, or create it"),
    ("3F", "The database has no schema to make tables in ({}): create it, or correct the user's search_path"),
    ("42501", "The database user lacks a right ({}): grant it, or use the user to whom the tables belong"),
    # A pooler shares one connection among many: prepared statements and settings are not kept apart there.
    ("26000", "A pooler before the database mixes up statements ({}): set its pool_mode to session or transaction"),
    ("42P05", "A pooler before the database mixes up statements ({}): set its pool_mode to session or transaction"),
)
#: The same for a pooler's own errors, always in a state of this class (PgBouncer 1.18, for example): by its words.
_POOLERS: Final = "08"
_OF_POOLERS: Final = (
    ("authentication failed", "The database does not accept the user's password ({}): check it in DATABASE_URL"),
    ("no such user", "The database does not accept the user ({}): check it in DATABASE_URL"),
    ("no such database", "The database of that name is not there ({}): check its name in DATABASE_URL, or create it"),
    ("pooling mode", "A pooler before the database splits transactions ({}): set its pool_mode to transaction"),
)
#: The same for temporary states, which pass by themselves or once somebody has repaired the server.
_UNAVAILABLE: Final = (
    ("25006", "The database is read-only, as a standby is ({}): have DATABASE_URL lead to the primary"),
    ("53100", "The disk of the database is full: free some space"),
    ("53300", "The database has no connection left ({}): close some, or raise max_connections"),
    ("53", "The database lacks resources ({}): see the log of its server"),
    ("55P03", "The database is locked by another program ({}): end it"),
    ("57014", "The database took too long ({}): see what else keeps it busy"),
    ("57", "The server of the database ended the connection ({}): check that it runs"),
    ("25P0", "The server of the database ended the transaction ({}): check what keeps it, or Linesman, busy"),
    ("08", "The connection to the database was lost ({}): check that its server runs"),
    ("58", "The server of the database has a fault ({}): see its log"),
    ("XX", "The server of the database has a fault ({}): see its log"),
    ("F0", "The server of the database has a fault ({}): see its log"),
)
#: States in which PostgreSQL found damaged pages of a table or an index.
_DAMAGED_STATES: Final = frozenset({"XX001", "XX002"})
_SAFE: Final = "Nothing was decided or sent, and what was decided before is safe."


def meaning(error: DBAPIError | PoolTimeout | OSError) -> StoreError | None:
    """Return what ``error`` says about the database itself; None when the fault is in our statement."""
    if isinstance(error, OSError):
        return _unreachable(error)
    if isinstance(error, PoolTimeout):
        return DatabaseUnavailable(
            f"Every connection to the database is busy: see what keeps it, then try again. {_SAFE}"
        )
    said, state = str(error.orig).lower(), str(getattr(error.orig, "sqlstate", None) or "")
    if state in _OTHERWISE_STATES or (not state and any(word in said for word in _OTHERWISE)):
        return DatabaseRefused(
            f"The database does not have the structure that Linesman gave it: {_cause(error)}. Restore a backup."
        )
    if state:
        return _by_state(state, _cause(error), asked=error.statement is not None)
    if error.connection_invalidated:
        return DatabaseUnavailable(
            f"The connection to the database was lost ({_cause(error)}): check that its server runs, then try again. "
            f"{_SAFE}"
        )
    if _asks_too_much(error):
        return DatabaseRefused(f"DATABASE_URL cannot be used ({_cause(error)}): correct it, then try again. {_SAFE}")
    if isinstance(error, OperationalError | InterfaceError):
        return DatabaseUnavailable(f"{_advice(said)}, then try again. {_SAFE}")
    if isinstance(error, DatabaseError) and any(word in said for word in _DAMAGED):
        return DatabaseDamaged(_NO_DATABASE) if "not a database" in said else DatabaseDamaged()
    return None


def _by_state(state: str, cause: str, *, asked: bool) -> StoreError | None:
    """Return the meaning of a SQLSTATE of PostgreSQL; if nothing was ``asked`` yet, it cannot be about a statement."""
    if state in _CONFLICTS:
        return DatabaseConflict()
    if state in _DAMAGED_STATES:
        return DatabaseDamaged(f"The database is damaged ({cause}): stop Linesman and restore a backup.")
    if text := _refusal(state, cause):
        return DatabaseRefused(f"{text.format(cause)}, then try again. {_SAFE}")
    for begin, text in _UNAVAILABLE:
        if state.startswith(begin):
            return DatabaseUnavailable(f"{text.format(cause)}, then try again. {_SAFE}")
    if not asked:
        return DatabaseUnavailable(
            f"The database does not take connections ({cause}): see the log of its server, then try again. {_SAFE}"
        )
    return None


def _refusal(state: str, cause: str) -> str:
    """Return the message for a state that does not pass by itself; empty for one that may."""
    if state.startswith(_POOLERS):
        return next((text for words, text in _OF_POOLERS if words in cause.lower()), "")
    return next((text for begin, text in _REFUSED if state.startswith(begin)), "")


def _unreachable(error: OSError) -> DatabaseUnavailable:
    """Return the meaning of a network error: the server cannot be reached, or does not answer."""
    if isinstance(error, TimeoutError):
        return DatabaseUnavailable(f"The database does not answer: check its server, then try again. {_SAFE}")
    if isinstance(error, socket.gaierror) and error.errno == socket.EAI_NONAME:
        return DatabaseRefused(
            f"The host of the database is not known ({error.strerror}): check it in DATABASE_URL, then try again. "
            f"{_SAFE}"
        )
    # asyncpg reports only in words that the server has no TLS; such a server has answered, so it can be reached.
    if isinstance(error, ssl.SSLError) or "SSL" in str(error):
        return DatabaseRefused(
            f"The database and Linesman do not agree about TLS ({error}): check sslmode in DATABASE_URL and the "
            f"server's certificate, then try again. {_SAFE}"
        )
    return DatabaseUnavailable(
        f"The database cannot be reached ({error.strerror or str(error) or type(error).__name__}): check DATABASE_URL "
        f"and that its server runs, then try again. {_SAFE}"
    )


def _advice(said: str) -> str:
    """Return the problem and what to do; SQLite's own words are in sqlite3's errors."""
    if "full" in said:
        return "The disk of the database is full: free some space"
    if "locked" in said or "busy" in said:
        return "The database is locked by another program: end it"
    if "readonly" in said or "unable to open" in said:
        return "The database file cannot be opened for writing: give this user the right to it and to its folder"
    return "The database accepts nothing right now: see the log"


def is_out_of_step(error: BaseException | None) -> bool:
    """Tell whether asyncpg lost track of a connection: the server sent its last message out of turn."""
    return type(getattr(error, "__cause__", None)).__name__ == "InternalClientError"


def _asks_too_much(error: DBAPIError) -> bool:
    """Tell whether asyncpg cannot do what the address requires, for example because its certificate is missing."""
    return type(getattr(error.orig, "__cause__", None)).__name__ == "ClientConfigurationError"


def _cause(error: DBAPIError) -> str:
    """Return the driver's own text, without the class that SQLAlchemy adds to asyncpg's."""
    return (str(error.orig).partition(">: ")[2] or str(error.orig)).partition("\n")[0].rstrip(".")


log = structlog.get_logger(__name__)

Given = ParamSpec("Given")
Result = TypeVar("Result")

#: Most tries. One of two conflicting transactions succeeds, so a few are plenty.
TRIES: Final = 5
#: Seconds of the longest pause between two tries: enough for two that began together to miss each other.
PAUSE: Final = 0.05


async def repeated(work: Callable[[], Awaitable[Result]], jitter: Callable[[], float] = chance) -> Result:
    """Do ``work`` and return its result, repeating it whenever one of its transactions lost a conflict.

    For work that reads from the database what is left to do, as every task does: its earlier commits stay, and the lost
    transaction has left nothing. ``jitter`` gives numbers from 0 to 1. Raises :class:`bot.errors.DatabaseConflict` at
    last.
    """
    for left in reversed(range(TRIES)):
        try:
            return await work()
        except DatabaseConflict as error:
            if not left:
                raise
            log.info("another transaction was in the way; once more", why=str(error.__cause__))
            await asyncio.sleep(PAUSE * jitter())
    raise RuntimeError("the last try returns or raises")


def repeatable(method: Callable[Given, Awaitable[Result]]) -> Callable[Given, Coroutine[Any, Any, Result]]:
    """Repeat a person's action when a transaction of it lost a conflict, as :func:`repeated` does.

    For every writing method that a click calls. It must write in one transaction, or find out what it wrote before; its
    caller tells the person the result after it has returned.
    """

    @wraps(method)
    async def anew(*given: Given.args, **named: Given.kwargs) -> Result:
        return await repeated(lambda: method(*given, **named))

    return anew
