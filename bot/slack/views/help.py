"""What ``/numbers help`` answers."""

from __future__ import annotations

from collections.abc import Sequence

from bot.changes.input.list_query import SORTS
from bot.changes.model.kinds import Kind


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
            "• `/numbers` or `/numbers new` - the same form; choose in it what to change",
            "• `/numbers status CHG-42` - where a change is and what happened to it",
            "• `/numbers status CHG-42 xlsx` - put its results into its thread as a workbook",
            "• `/numbers cancel CHG-42` - stop what is not sent yet; its requester and operators can",
            "• `/numbers retry CHG-42` - the form again, for the numbers that failed or were not attempted",
            "• `/numbers undo CHG-42` - a new change back to what its numbers had before",
            "• `/numbers list` - the newest changes; `/numbers list mine` only yours",
            f"   {list_help(kinds)}",
            "• `/numbers list scheduled` - what waits for its time, the next one first",
            "• `/numbers find +13035550100` - a number's values of today, who holds it, and every change of it",
            "• `/numbers template update` - an empty sheet to fill in and upload in the form",
            "• `/numbers values` - a sheet with today's values of numbers, to edit and upload again",
            "• `/numbers templates` - changes saved under a name, to run or delete; `/numbers run NAME` opens one",
            "• `/numbers locks` - who holds which numbers; operators release them with `/numbers unlock CHG-42`",
            "• `/numbers freeze REASON`, `/numbers unfreeze` - operators stop all submissions, and let them go on",
            "• `/numbers settle CHG-42` - operators settle a lost job creation, a stuck job, an endless read-back",
            "• `/numbers export 2026-11-01 2026-12-01 csv` - operators get the audit log of these days as a file",
            "• `/numbers help` - this",
            (
                "Numbers may follow at once: `/numbers update +13035550100 +13035550101`. In a thread, where slash "
                "commands do not work, use the message shortcut “Change these numbers”."
            ),
        ]
    )


def list_help(kinds: Sequence[Kind]) -> str:
    """Return what may follow ``/numbers list``, in mrkdwn."""
    words = ", ".join(f"`{sort.word}`" for sort in SORTS)
    named = " or ".join(f"`kind {kind.command}`" for kind in kinds)
    return (
        f"After `/numbers list`, in any order: where a change is ({words}), whose it is (`mine` or @somebody), "
        f"{named}, and days in UTC: `since 2026-11-01`, `until 2026-11-30`, `on today`. "
        "Several words of one sort mean any of them: `/numbers list failed stale @ana since 2026-11-01`."
    )
