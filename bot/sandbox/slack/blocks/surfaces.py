"""Which blocks and elements may stand in a message, a modal and the Home tab.

Source: Slack's surface table, and where live tests were stricter than it, those: cards do not show in modals, tables
show in messages only (slack/API.md, "Which block where").
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bot.sandbox.slack.blocks.rules import SurfaceName

EVERYWHERE: frozenset[SurfaceName] = frozenset({"message", "modal", "home"})
MESSAGE: frozenset[SurfaceName] = frozenset({"message"})

BLOCKS: Mapping[str, frozenset[SurfaceName]] = MappingProxyType(
    {
        "actions": EVERYWHERE,
        "alert": frozenset({"modal"}),
        "card": frozenset({"message", "home"}),
        "carousel": frozenset({"message", "home"}),
        "container": MESSAGE,
        "context": EVERYWHERE,
        "context_actions": MESSAGE,
        "data_table": MESSAGE,
        "data_visualization": MESSAGE,
        "divider": EVERYWHERE,
        "header": EVERYWHERE,
        "image": EVERYWHERE,
        "input": EVERYWHERE,
        "markdown": MESSAGE,
        "plan": MESSAGE,
        "rich_text": EVERYWHERE,
        "section": EVERYWHERE,
        "table": MESSAGE,
        "task_card": MESSAGE,
        "video": EVERYWHERE,
    }
)

#: elements that are not for every surface; all others are
ELEMENTS: Mapping[str, frozenset[SurfaceName]] = MappingProxyType(
    {
        "datetimepicker": frozenset({"message", "modal"}),
        "email_text_input": frozenset({"modal"}),
        "feedback_buttons": MESSAGE,
        "file_input": frozenset({"modal"}),
        "icon_button": MESSAGE,
        "number_input": frozenset({"modal"}),
        "rich_text_input": frozenset({"modal", "home"}),
        "url_text_input": frozenset({"modal"}),
        "workflow_button": MESSAGE,
    }
)

#: the most blocks on each surface
MOST_BLOCKS: Mapping[SurfaceName, int] = MappingProxyType({"message": 50, "modal": 100, "home": 100})
