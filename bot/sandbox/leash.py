"""``python -m bot.sandbox.leash serve``: the same as ``linesman serve``, and over as soon as whoever started it is.

Its standard input is a pipe that nobody writes to. A process that is killed cannot end the ones that it started; but
the system closes what it held, and that is read here.
"""

from __future__ import annotations

import os
import runpy
import threading
from typing import Final

#: Exit status, which nobody is left to read.
ABANDONED: Final = 1


def main() -> None:
    """Run the bot, and watch."""
    threading.Thread(target=_end_with_the_other_side, daemon=True).start()
    runpy.run_module("bot", run_name="__main__", alter_sys=True)


def _end_with_the_other_side() -> None:
    while os.read(0, 1):
        pass
    os._exit(ABANDONED)  # as a power cut: its Slack and its providers are gone already


if __name__ == "__main__":
    main()
