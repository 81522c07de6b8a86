"""``linesman check``: whether everything that Linesman needs is in place and, if not, what to do.

status = await check(settings, sys.stdout.write)      # 0 when nothing fails, else 1
"""

from __future__ import annotations

from bot.checks.run import check

__all__ = ["check"]
