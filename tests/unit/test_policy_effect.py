"""What a policy file says and this version cannot keep."""

from __future__ import annotations

from pathlib import Path

from bot.config import load
from bot.wiring import known_kinds

LEAST = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_APP_TOKEN": "xapp-1",
    "TELNYX_API_KEY": "KEY1",
    "LINESMAN_APPROVAL_CHANNEL": "C0APPROVALS",
}


def test_a_key_without_effect_is_said_to_have_none(tmp_path: Path) -> None:
    """Nobody believes that a term is in force which this version does not know how to keep."""
    file = tmp_path / "policy.toml"
    file.write_text('[[rule]]\nname = "bundles"\nunpreviewable_filters = true\n', encoding="utf-8")
    settings = load({**LEAST, "LINESMAN_POLICY_FILE": str(file)}, known_kinds())

    assert any("unpreviewable_filters has no effect" in warning for warning in settings.warnings())
