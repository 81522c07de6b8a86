"""The migrations are one line: two that name the same one before them leave a database that cannot be opened."""

from __future__ import annotations

from pathlib import Path

from alembic.script import ScriptDirectory

from bot.store import migrations


def test_there_is_one_newest_migration() -> None:
    """Whoever adds one names the newest before it."""
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))

    assert len(scripts.get_heads()) == 1
