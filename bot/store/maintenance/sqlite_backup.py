"""Copying an SQLite database while Linesman runs, and putting such a copy back in place."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.locks import Freeze
from bot.errors import StoreError
from bot.store.database import Database
from bot.store.engine.sqlite import BUSY_TIMEOUT
from bot.store.engine.sqlite_file import PRIVATE, HeldFile, is_held, parts_of, private, refuse_no_file
from bot.store.migrations import differs, migrate

#: States in which a change waits for its requester to request approval: nothing continues without that click.
_REQUESTERS_TURN: Final = frozenset({ChangeState.PLANNING, ChangeState.PLANNED, ChangeState.CHANGES_REQUESTED})
#: States from which a change may continue by itself: all others that are not final. The current rule may require no
#: more approvals than a request has. A change from yesterday's copy may have ended or been cancelled since.
_GOING_ON: Final = frozenset(state for state in ChangeState if not state.over) - _REQUESTERS_TURN
#: What to do where SQLite may not write: to read a database that was written, it takes a log beside it.
_MAY_NOT: Final = ". Run this as the user who runs Linesman, or let this user write the file and its folder"


def back_up(path: Path, target: Path) -> None:
    """Copy the database ``path``, as of one moment, to ``target``, which must not exist; nobody has to wait.

    Raises :class:`bot.errors.StoreError`; then there is no ``target``.
    """
    refuse_no_file(path)
    if not path.exists():
        raise StoreError(f"There is no database {path}: check DATABASE_URL.")
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE))  # this reserves the name
    except FileExistsError:
        raise StoreError(f"{target} exists, and a backup overwrites nothing: choose another name.") from None
    except OSError as error:
        raise StoreError(f"Cannot write {target}: {error.strerror}.") from error
    part = target.with_name(f"{target.name}.part")
    try:
        with _emptied(part, source=path, target=target), _explained(path):
            # mode=rw never makes the file, and unlike mode=ro it can read a log that nobody has open.
            source = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_TIMEOUT / 1000)
            with closing(source), closing(sqlite3.connect(part)) as copy:
                source.backup(copy)  # all pages in one step: one moment, and writers do not restart it
            _check(part, f"The database {path}")
            _put(part, target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def restore(copy: Path, path: Path, *, by: str, now: datetime) -> tuple[Path | None, bool]:
    """Put the database in the file ``copy`` in place of ``path``.

    It is checked, upgraded to this version and proven before ``path`` is touched. Submissions are frozen in it if any
    change could continue by itself, as nobody knows what became of it since. Returns the new path of the database that
    was at ``path``, None if there was none, and whether submissions are frozen now.

    Raises :class:`bot.errors.DatabaseInUse`, and other :class:`bot.errors.StoreError`; then nothing is changed.
    """
    refuse_no_file(path)
    try:
        if not copy.is_file():
            raise StoreError(f"There is no backup {copy}.")
        if path.exists() and path.samefile(copy):
            raise StoreError(f"{copy} is the database itself: give the file of a backup.")
    except OSError as error:
        raise StoreError(f"Cannot read {copy}: {error.strerror}. Nothing was changed.") from error
    if is_held(copy):
        raise StoreError(f"A running Linesman uses {copy}: make a backup of it with `linesman backup`.")
    existed = path.exists()
    held = HeldFile(path)
    part = path.with_name(f"{path.name}.part")
    try:
        with _emptied(part, source=copy, target=path), _explained(copy):
            shutil.copyfile(copy, part)
            if (log := copy.with_name(f"{copy.name}-wal")).exists():  # a copy of a whole folder has a log
                shutil.copyfile(log, part.with_name(f"{part.name}-wal"))
            _check(part, f"The backup {copy}")
            if not _has_revision(part):
                raise StoreError(f"{copy} is not a database of Linesman's. Nothing was changed.")
            frozen = asyncio.run(_prepare(part, copy, by=by, now=now))
            before = _set_aside(path, now)
            _put(part, path)
    finally:
        held.close()
        if not existed and not path.stat().st_size:
            path.unlink()
    return before, frozen


@contextmanager
def _emptied(part: Path, *, source: Path, target: Path) -> Iterator[None]:
    """Give the name ``part`` an empty file that nobody else may read, and leave nothing of it behind.

    All errors are reported about ``source`` and ``target``, as nobody asked for a ``part``.
    """
    try:
        _remove(part)
        with open(part, "xb", opener=private):
            pass
        yield
    except IsADirectoryError as error:
        raise StoreError(f"Cannot write {target}: first remove the folder {error.filename}.") from error
    except OSError as error:
        raise StoreError(f"Cannot copy {source} to {target}: {error.strerror}. Nothing was changed.") from error
    finally:
        with suppress(OSError):  # it was reported already, or is an empty file
            _remove(part)


def _remove(file: Path) -> None:
    for part in parts_of(file):
        part.unlink(missing_ok=True)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        advice = _MAY_NOT if error.sqlite_errorname.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")) else ""
        raise StoreError(f"The database {path} cannot be copied: {error}{advice}. Nothing was changed.") from error


def _check(file: Path, whose: str) -> None:
    """Raise unless SQLite finds every page and every reference of ``file``, the copy of ``whose``, correct."""
    try:
        with closing(sqlite3.connect(file)) as connection:
            said = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            strays = connection.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{whose} is damaged ({error}). Nothing was changed.") from error
    if said != ["ok"] or strays is not None:
        why = said[0] if said != ["ok"] else f"table {strays[0]} refers to a row that is missing"
        raise StoreError(f"{whose} is damaged ({why}). Nothing was changed.")


async def _prepare(part: Path, copy: Path, *, by: str, now: datetime) -> bool:
    """Upgrade the copy, prove its audit log, note in it that it was restored, and freeze it if needed."""
    async with Database(f"sqlite+aiosqlite:///{part}") as database:
        await migrate(database)
        async with database.connection() as connection:
            if await connection.run_sync(differs):
                raise StoreError(f"{copy} does not have the structure that Linesman gave it. Nothing was changed.")
        async with database.transaction() as tx:
            await tx.events.verify()
            counts = await tx.changes.count()
            frozen = any(counts.get(state, 0) for state in _GOING_ON)
            await tx.events.add(None, "restored", at=now, actor=by)
            if frozen and await tx.freezes.current() is None:
                reason = "restored from a backup: check what was sent since, then unfreeze"
                await tx.freezes.add(Freeze(by=by, reason=reason, at=now))
                await tx.events.add(None, "frozen", at=now, actor=by, reason=reason)
    return frozen


def _has_revision(file: Path) -> bool:
    with closing(sqlite3.connect(file)) as connection:
        wanted = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
        return bool(connection.execute(wanted).fetchone()[0])


def _set_aside(path: Path, now: datetime) -> Path | None:
    """Give the database at ``path`` a second name, which stays; None without a database."""
    log = path.with_name(f"{path.name}-wal")
    if not path.stat().st_size and not log.exists():
        return None
    before = path.with_name(f"{path.name}.before-{now:%Y%m%dT%H%M%SZ}")
    kept = before.with_name(f"{before.name}-wal")
    if log.exists():
        shutil.copyfile(log, kept)
        kept.chmod(PRIVATE)
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        kept.unlink(missing_ok=True)  # everything is in the one file now
    except sqlite3.DatabaseError:  # it is damaged, which may be the reason for the restore
        log.unlink(missing_ok=True)
        path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    os.link(path, before)
    return before


def _put(part: Path, target: Path) -> None:
    """Give ``part`` the name ``target``, atomically and durably."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
