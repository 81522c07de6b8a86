"""Block Kit, checked as Slack checks it: lengths, counts, ids, and what may stand where."""

from bot.sandbox.slack.blocks.inspect import (
    attachment_problems,
    message_problems,
    option_problems,
    total_characters,
    view_problems,
)
from bot.sandbox.slack.blocks.rules import BlockProblem

__all__ = [
    "BlockProblem",
    "attachment_problems",
    "message_problems",
    "option_problems",
    "total_characters",
    "view_problems",
]
