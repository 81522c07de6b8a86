"""The answer to ``/numbers help``."""

from __future__ import annotations

from collections.abc import Sequence

from bot.changes.input.list_query import SORTS
from bot.changes.model.kinds import Kind
from bot.slack.commands import COMMAND, COMMANDS, Command


def help_text(kinds: Sequence[Kind]) -> str:
    """Return the possible words after ``/numbers``, in mrkdwn."""
    starts = [
        f"• `{COMMAND} {kind.command}` - {kind.provider.title()}: {kind.title[0].lower()}{kind.title[1:]}"
        for kind in kinds
    ]
    everyone = [_line(command) for command in COMMANDS if not command.operators]
    operators = [_line(command) for command in COMMANDS if command.operators]
    return "\n".join(
        [
            (
                "*Linesman changes the settings of many phone numbers.* You say what to change and see a "
                "preview, somebody else approves, and Linesman accounts for every number."
            ),
            *starts,
            *everyone,
            "For operators:",
            *operators,
            list_help(kinds),
            (
                "You can add the numbers right away: `/numbers update +13035550100 +13035550101`. In a "
                "thread, where slash commands do not work, use the message shortcut “Change these "
                "numbers”."
            ),
        ]
    )


def _line(command: Command) -> str:
    return f"• `{COMMAND} {command.usage}` - {command.help}"


def list_help(kinds: Sequence[Kind]) -> str:
    """Return the possible words after ``/numbers list``, in mrkdwn."""
    words = ", ".join(f"`{sort.word}`" for sort in SORTS)
    named = " or ".join(f"`kind {kind.command}`" for kind in kinds)
    return (
        f"`/numbers list` takes, in any order: a state ({words}), a requester (`mine` or @somebody), "
        f"{named}, and days in UTC: `since 2026-11-01`, `until 2026-11-30`, `on today`. Several words of "
        "one type match any of them: `/numbers list failed stale @ana since 2026-11-01`."
    )
