"""The file of an SQLite database: made for its owner alone, and held by one process at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final

from sqlalchemy import URL

from bot.errors import DatabaseInUse, StoreError

#: Permissions of new files: the owner may read and write, and nobody else. SQLite gives the files beside it (``-wal``,
#: ``-shm``, ``-journal``) the permissions of the database file.
PRIVATE: Final = 0o600
#: The byte of the database file that stands for "in use". It is beyond any page, as SQLite's largest file has 2**48
#: bytes, and beyond SQLite's own locks, which are the 512 bytes from 2**30 on (sqlite.org, "File Locking").
_BYTE: Final = 2**62
#: ``struct flock`` of Linux: type, whence, start, length, process (0, as the lock belongs to an open file).
_FLOCK: Final = "hhqqi0q"


def path_of(url: URL) -> Path | None:
    """Return the file in ``url``; None for a database in memory, and for one that is not SQLite's."""
    if url.get_backend_name() != "sqlite" or url.database in {None, "", ":memory:"}:
        return None
    return Path(str(url.database))


def private(path: str, flags: int) -> int:
    """Open ``path`` so that a new file is private to its owner; an opener for :func:`open`."""
    return os.open(path, flags, PRIVATE)


class HeldFile:
    """The database file ``path``, held until :meth:`close` or the end of the process, kill -9 included.

    Two locks: one on ``<path>.lock``, which also keeps out versions that know no other, and one on the database file
    itself, which stays when somebody deletes the first. The second belongs to the open file (OFD, which only Linux
    has): a lock of the process (POSIX) would end as soon as SQLite closes one of its connections. SQLite's own locks
    are of that sort, so our descriptor must not be closed either while SQLite has the file open: take it before the
    first connection is made, and close it after the last.

    Raises :class:`bot.errors.DatabaseInUse` when another process holds it, and :class:`bot.errors.StoreError` when it
    cannot be made or written.
    """

    def __init__(self, path: Path) -> None:
        refuse_no_file(path)
        with ExitStack() as stack:
            try:
                lock = stack.enter_context(open(_lock_path(path), "wb", opener=private))
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Not before the first lock is ours: this process may already have the database open.
                self._file = stack.enter_context(open(path, "ab", opener=private))
                _lock(self._file)
            except BlockingIOError as error:
                raise DatabaseInUse(
                    f"Another Linesman is using {path}; stop it first, or use PostgreSQL for several replicas."
                ) from error
            except OSError as error:
                raise _unusable(path, error) from error
            self._held = stack.pop_all()

    def close(self) -> None:
        """Release the file."""
        self._held.close()


def refuse_no_file(path: Path) -> None:
    """Raise :class:`bot.errors.StoreError` when ``path`` cannot be read, or is a folder, a device or a pipe."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:  # circular links, a name that is too long, a NUL in it
        raise _unusable(path, error) from error
    if stat.S_ISDIR(mode):
        raise StoreError(f"{path} is a folder, not a database: set DATABASE_URL to a file in it.")
    if not stat.S_ISREG(mode):
        raise StoreError(f"{path} is not a file: set DATABASE_URL to one.")
    if not os.access(path, os.R_OK):  # before the driver tries it, whose thread may outlast the loop
        raise _unusable(path, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def _unusable(path: Path, error: OSError | ValueError) -> StoreError:
    why = (error.strerror if isinstance(error, OSError) else None) or error
    return StoreError(
        f"Cannot use the database file {path}: {why}. Check DATABASE_URL, and that this user may write the file and "
        "its folder."
    )


def is_held(path: Path) -> bool:
    """Tell whether another process holds the database file, without making a file or keeping anybody out."""
    try:
        with _lock_path(path).open("rb") as lock:
            # Shared, so that two checks at once do not take each other for a running Linesman.
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass  # no Linesman was ever started there, or this user could not start one, which is reported elsewhere
    try:
        with path.open("rb") as file:
            return _is_locked(file)
    except OSError:
        return False


def parts_of(path: Path) -> tuple[Path, ...]:
    """Return the database file and all files that can be beside it during use, existing or not."""
    return tuple(path.with_name(path.name + part) for part in ("", "-wal", "-shm", "-journal", ".lock"))


def seen_by_others(path: Path) -> Path | None:
    """Return a file of the database that others on this machine may read or write; None without one."""
    *files, _ = parts_of(path)  # the lock file is empty
    for file in files:
        try:
            rights = stat.S_IMODE(file.stat().st_mode)
        except OSError:
            continue
        if rights & ~PRIVATE & 0o077:
            return file
    return None


def _lock_path(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


if sys.platform == "linux":

    def _lock(file: IO[bytes]) -> None:
        wanted = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, _BYTE, 1, 0)
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, wanted)

    def _is_locked(file: IO[bytes]) -> bool:
        wanted = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, _BYTE, 1, 0)
        found, *_ = struct.unpack(_FLOCK, fcntl.fcntl(file, fcntl.F_OFD_GETLK, wanted))
        return bool(found != fcntl.F_UNLCK)

else:  # the lock beside the file must be enough: a lock on the file itself would keep SQLite out there

    def _lock(file: IO[bytes]) -> None:
        """Do nothing."""

    def _is_locked(file: IO[bytes]) -> bool:  # noqa: ARG001 - the same
        return False
