"""The program that `python -m bot serve` is forked from, with the bot's modules imported already.

Most of the time of a start goes into imports, and the faults need more than a thousand starts. What runs in a forked
process is what ``python -m bot serve`` runs, on its own environment and log; only the hooks of
:mod:`tests.acceptance.faults.hooks` are put around it first.

Requests are lines of JSON on standard input, ``{"id", "env", "log"}``; answers are ``{"id", "pid"}`` at the start of a
process and ``{"id", "status"}`` at its end. When the input ends, so does everything.
"""

from __future__ import annotations

import json
import os
import runpy
import select
import signal
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

import aiosqlite  # noqa: F401 - SQLAlchemy imports it with the first connection
import sqlalchemy.dialects.sqlite.aiosqlite  # noqa: F401 - the same

import bot.cli  # noqa: F401 - so that nobody who is forked has to import it
from tests.acceptance.faults import hooks


def main() -> None:
    """Fork whoever is asked for, and tell of each end."""
    ends, alarm = os.pipe()
    os.set_blocking(alarm, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(alarm)
    living: dict[int, int] = {}
    unread = b""
    while True:
        ready, _, _ = select.select([0, ends], [], [])
        if ends in ready:
            os.read(ends, 4096)
            _tell_ends(living)
        if 0 in ready:
            piece = os.read(0, 65536)
            if not piece:
                break
            *lines, unread = (unread + piece).split(b"\n")
            for line in lines:
                request = json.loads(line)
                pid = _fork(request, close=(ends, alarm))
                living[pid] = request["id"]
                _say(id=request["id"], pid=pid)
    for pid in living:
        os.kill(pid, signal.SIGKILL)


def _tell_ends(living: dict[int, int]) -> None:
    while living:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        _say(id=living.pop(pid), status=os.waitstatus_to_exitcode(status))


def _say(**answer: int) -> None:
    os.write(1, json.dumps(answer).encode() + b"\n")


def _fork(request: Mapping[str, Any], close: tuple[int, ...]) -> int:
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for descriptor in close:
            os.close(descriptor)
        _serve(request["env"], request["log"])
    return pid


def _serve(env: Mapping[str, str], log: str) -> NoReturn:
    """Become ``python -m bot serve``."""
    written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for given, own in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(given, own)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["bot", "serve"]
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
    main()
