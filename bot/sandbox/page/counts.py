"""The strip: what was approved, what became of it, and whether a number was lost or changed twice.

What happened to numbers is told by the providers' own records, what was approved and what was said of it by what people
can see in Slack. The bot's database is not asked.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Final

from bot.sandbox.page.world import REQUESTS, StandIns
from bot.sandbox.slack import File, SlackStandIn
from bot.sandbox.slack.records import Json
from bot.sandbox.slack.workspace import BOT_USER

#: A plan that took the place of another one has the beginning of its digest in its name; the last one counts.
_SHEET: Final = re.compile(r"(CHG-\d+)-(plan|results)(?:-[0-9a-f]{12})?\.csv")
_CHANGE: Final = re.compile(r"\bCHG-\d+\b")
#: What the request of a change says that has all the approvals it needs: "1 of 1: <@U0MAX> approved".
_APPROVED: Final = re.compile(r"^(\d+) of \1: .*<@\w+> approved", re.MULTILINE)
#: What it says before, when one approval is all that it needs; and of whom it is, who cannot give that one.
_PENDING: Final = re.compile(r"\brequested by <@(\w+)>.*^0 of 1$", re.MULTILINE | re.DOTALL)
#: The button that gives it. The bot acknowledges the click once the approval is kept.
_APPROVE: Final = "approve"
#: What it says of a temporary change, which is approved together with its way back.
_TEMPORARY: Final = "⏲️"
#: What the plan says of a number that has its new values already.
_UNCHANGED: Final = "unchanged"


class Counts:
    """Counts again at every call; sheets, which do not change, are read once."""

    def __init__(self, world: StandIns) -> None:
        self._world = world
        self._read: dict[str, Mapping[str, str]] = {}

    def part(self) -> Json:
        """Return the four counts, each of numbers once for every change that they are part of."""
        planned, told = self._sheets("plan", "action"), self._sheets("results", "outcome")
        approved = {change: planned[change] for change in approved_changes(self._world.slack) if change in planned}
        allowed = Counter(number for rows in approved.values() for number in rows)
        changed = writes(self._world)
        back = Counter(
            number for change in _temporary(self._world.slack) & approved.keys() for number in approved[change]
        )
        verified = Counter(n for rows in told.values() for n, outcome in rows.items() if outcome == "verified")
        silent = sum(
            number not in told[change] for change, rows in approved.items() if change in told for number in rows
        )
        return {
            "approved": allowed.total(),
            "changed": changed.total(),
            "doubled": (changed - allowed - back).total(),
            # Nobody was told what became of it, or people were told that it is changed and it is not.
            "lost": silent + (verified - changed).total(),
        }

    def _sheets(self, kind: str, column: str) -> dict[str, Mapping[str, str]]:
        """Return for each change with such a sheet what it says of every number that is to change.

        Only the bot's own: a visitor may upload anything under such a name, also a sheet that came from here.
        """
        found: dict[str, Mapping[str, str]] = {}
        for file in self._world.slack.files:
            name = _SHEET.fullmatch(file.name)
            if name is not None and name[2] == kind and file.user == BOT_USER:
                found[name[1]] = self._rows(file, column)
        return found

    def _rows(self, file: File, column: str) -> Mapping[str, str]:
        if file.id not in self._read:
            table = csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"), newline=""))
            self._read[file.id] = {row["number"]: row[column] for row in table if row[column] != _UNCHANGED}
        return self._read[file.id]


def approved_changes(slack: SlackStandIn) -> set[str]:
    """Return the names of the changes that have their approvals: the request says so, or somebody gave the last one.

    From the click to the word a moment passes, and a long one while Slack or the bot is down.
    """
    approved = [text for text in _requests(slack) if _APPROVED.search(text)]
    return {name[0] for text in (*approved, *_clicked(slack)) if (name := _CHANGE.search(text))}


def _temporary(slack: SlackStandIn) -> set[str]:
    """Return the names of the changes whose numbers are changed once more, at their end."""
    return {name[0] for text in _requests(slack) if _TEMPORARY in text and (name := _CHANGE.search(text))}


def _requests(slack: SlackStandIn) -> Iterator[str]:
    """Yield what the requests for approval say."""
    for message in (each for channel in REQUESTS for each in slack.messages(channel)):
        if message.user == BOT_USER:
            yield "\n".join(_texts(message.blocks))


def _clicked(slack: SlackStandIn) -> Iterator[str]:
    """Yield what the requests said on which somebody other than the requester pressed the button."""
    for each in slack.deliveries:
        if each.kind != "block_actions" or each.status != HTTPStatus.OK:
            continue
        text = "\n".join(_texts(each.payload.get("message", {}).get("blocks")))
        pending = _PENDING.search(text)
        pressed = [action["action_id"] for action in each.payload["actions"]]
        if pressed == [_APPROVE] and pending is not None and pending[1] != each.payload["user"]["id"]:
            yield text


def _texts(blocks: object) -> Iterator[str]:
    """Yield every text of blocks, however deep it lies."""
    if isinstance(blocks, dict):
        if isinstance(text := blocks.get("text"), str):
            yield text
        blocks = list(blocks.values())
    if isinstance(blocks, list):
        for each in blocks:
            yield from _texts(each)


def writes(world: StandIns) -> Counter[str]:
    """Return how often each number was changed, as the providers know."""
    jobs = Counter(
        operation.phone_number
        for job in world.telnyx.jobs
        for operation in job.operations
        if operation.state == "successful" and not operation.dropped
    )
    return jobs + Counter(update.number for update in world.close.updates if update.settings)
