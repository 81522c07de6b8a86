"""The program that ``python -m bot serve`` is forked from, with the bot's modules imported already.

Most of the time of a start goes into imports, and tests that end the process need more than a thousand starts. What
runs in a forked process is what ``python -m bot serve`` runs, in its own environment and with its own log.

It listens on a Unix socket, whose path is its argument. Requests are lines of JSON, ``{"id", "env", "log"}``; answers
are ``{"id", "pid"}`` at the start of a process and ``{"id", "status"}`` at its end. When a connection ends, so do its
processes.
"""

from __future__ import annotations

import json
import os
import runpy
import select
import signal
import socket
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

import aiosqlite  # noqa: F401 - SQLAlchemy imports it with the first connection
import asyncpg  # noqa: F401 - the same
import sqlalchemy.dialects.postgresql.asyncpg
import sqlalchemy.dialects.sqlite.aiosqlite  # noqa: F401 - the same

import bot.commands.serve  # noqa: F401 - so that nobody who is forked has to import it
from tests.acceptance.faults import hooks


class ForkServer:
    """Forks whoever is asked for, and tells of each end."""

    def __init__(self, path: str) -> None:
        self._ends, self._alarm = os.pipe()
        os.set_blocking(self._alarm, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._alarm)
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(path)
        self._door.listen()
        #: What each connection has sent of a line that is not complete.
        self._unread: dict[socket.socket, bytes] = {}
        #: Process -> whose it is, and under which number.
        self._living: dict[int, tuple[socket.socket, int]] = {}

    def run(self) -> None:
        """Do what is asked for until SIGTERM."""
        while True:
            ready, _, _ = select.select([self._ends, self._door, *self._unread], [], [])
            if self._ends in ready:
                os.read(self._ends, 4096)
                self._tell_ends()
            if self._door in ready:
                self._unread[self._door.accept()[0]] = b""
            for connection in [each for each in ready if each in self._unread]:
                self._listen(connection)

    def _listen(self, connection: socket.socket) -> None:
        piece = connection.recv(65536)
        if not piece:
            del self._unread[connection]
            connection.close()
            for pid in [pid for pid, (owner, _) in self._living.items() if owner is connection]:
                os.kill(pid, signal.SIGKILL)
            return
        *lines, self._unread[connection] = (self._unread[connection] + piece).split(b"\n")
        for line in lines:
            request = json.loads(line)
            pid = self._fork(request)
            self._living[pid] = (connection, request["id"])
            _say(connection, id=request["id"], pid=pid)

    def _tell_ends(self) -> None:
        while self._living:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            connection, number = self._living.pop(pid)
            if connection in self._unread:
                _say(connection, id=number, status=os.waitstatus_to_exitcode(status))

    def _fork(self, request: Mapping[str, Any]) -> int:
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for descriptor in (self._ends, self._alarm):
                os.close(descriptor)
            for each in (self._door, *self._unread):
                each.close()
            _serve(request["env"], request["log"])
        return pid


def _say(connection: socket.socket, **answer: int) -> None:
    connection.sendall(json.dumps(answer).encode() + b"\n")


def _serve(env: Mapping[str, str], log: str) -> NoReturn:
    """Become ``python -m bot serve``."""
    written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for given, own in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(given, own)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["bot", "serve"]
    if hooks.PLAN in os.environ:
        hooks.install()
    status: object = 1
    try:
        runpy.run_module("bot", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        status = ended.code or 0
    except BaseException:  # noqa: BLE001 - the interpreter would print it and end with 1 as well
        sys.excepthook(*sys.exc_info())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else 1)


if __name__ == "__main__":
    ForkServer(sys.argv[1]).run()
