"""What ``/numbers help`` answers."""

from __future__ import annotations

from collections.abc import Sequence

from bot.changes.kinds import Kind


def help_text(kinds: Sequence[Kind]) -> str:
    """Return what can be said after ``/numbers``, in mrkdwn."""
    starts = [
        f"• `/numbers {kind.command}` - {kind.provider.title()}: {kind.title[0].lower()}{kind.title[1:]}"
        for kind in kinds
    ]
    return "\n".join(
        [
            (
                "*Linesman changes the settings of many phone numbers.* You say what, you see exactly what will "
                "happen, somebody else approves, and every number is accounted for."
            ),
            *starts,
            "• `/numbers new` - the same form; choose in it what to change",
            "• `/numbers status CHG-42` - where a change is and what happened to it",
            "• `/numbers cancel CHG-42` - stop what is not sent yet; its requester and operators can",
            "• `/numbers list` - the newest changes; `/numbers list mine` only yours",
            "• `/numbers template update` - an empty sheet to fill in and upload in the form",
            "• `/numbers values` - a sheet with today's values of numbers, to edit and upload again",
            "• `/numbers locks` - who holds which numbers; operators release them with `/numbers unlock CHG-42`",
            "• `/numbers freeze REASON`, `/numbers unfreeze` - operators stop all submissions, and let them go on",
            "• `/numbers help` - this",
            (
                "Numbers may follow at once: `/numbers update +13035550100 +13035550101`. In a thread, where slash "
                "commands do not work, use the message shortcut “Change these numbers”."
            ),
        ]
    )
