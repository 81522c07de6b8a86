"""What can be proved when the story is over: plain records, all of them taken from the stand-ins or the process."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.sandbox.bot_process import Ending
from bot.sandbox.demo.fixtures import DemoFixtures, FixturesSeen, look
from bot.sandbox.demo.world import APPROVALS, FAILURES, OPS, Values, World, account
from bot.sandbox.slack import Call, Delivery, File, Message
from bot.sandbox.telnyx import Call as ProviderCall
from bot.sandbox.telnyx import Job


@dataclass(frozen=True, kw_only=True)
class Clicks:
    """The clicks on Approve."""

    #: Ana's, on her own change.
    refused: Delivery
    #: Max's.
    approved: Delivery
    #: Max's in the second act; None before it was played.
    team: Delivery | None = None


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the world was to become, and what both services and the process saw."""

    chosen: tuple[str, ...]
    wanted: Values
    failing: Mapping[str, str]
    dropped: Mapping[str, str]
    requester: str
    approver: str
    #: E.164 -> values, before the story and after it.
    before: Mapping[str, Values]
    after: Mapping[str, Values]
    jobs: Sequence[Job]
    provider_calls: Sequence[ProviderCall]
    clicks: Clicks
    #: Top-level messages of the three channels.
    cards: Sequence[Message]
    requests: Sequence[Message]
    notices: Sequence[Message]
    #: Replies below the card.
    thread: Sequence[Message]
    #: What only the requester was shown.
    whispers: Sequence[Message]
    #: Address of the card; empty when there is none.
    link: str
    sheets: Sequence[File]
    #: What the second act came to.
    team: FixturesSeen
    slack_calls: Sequence[Call]
    deliveries: Sequence[Delivery]
    complaints: Sequence[str]
    secrets: Sequence[str]
    log: str
    ending: Ending

    def rows(self) -> list[dict[str, str]]:
        """Return the rows of the results sheet; none when there is not exactly one sheet."""
        return read_sheet(self.sheets[0]) if len(self.sheets) == 1 else []

    def said(self) -> Iterator[tuple[str, str]]:
        """Yield a name for and the text of everything that the bot sent to Slack or wrote into its log."""
        for call in self.slack_calls:
            yield call.method, json.dumps(call.params, default=str)
        for file in self.sheets:
            yield file.name, file.content.decode(errors="replace")
        yield "the log", self.log


def gather(
    world: World, team: DemoFixtures, clicks: Clicks, *, secrets: Sequence[str], log: str, ending: Ending
) -> Evidence:
    """Return the evidence; to be called when the bot has stopped. The second act plays in a channel of its own."""
    slack, telnyx = world.slack, world.telnyx
    cards = slack.messages(OPS)
    card = cards[0] if cards else None
    return Evidence(
        chosen=world.chosen,
        wanted=world.wanted,
        failing=world.failing,
        dropped=world.dropped,
        requester=world.ana.id,
        approver=world.max.id,
        before=world.before,
        after=account(telnyx),
        jobs=telnyx.jobs,
        provider_calls=telnyx.calls,
        clicks=clicks,
        cards=cards,
        requests=[request for request in slack.messages(APPROVALS) if "CHG-2" not in request.text],
        notices=slack.messages(FAILURES),
        thread=slack.thread(OPS, card.ts)[1:] if card else [],
        whispers=slack.ephemerals(world.ana.id),
        link=f"/archives/{OPS}/p{card.ts.replace('.', '')}" if card else "",
        sheets=[file for file in slack.files if file.name.endswith("results.csv") and file.channel == OPS],
        team=look(team, clicks.team or clicks.approved),
        slack_calls=slack.calls,
        deliveries=slack.deliveries,
        complaints=slack.complaints,
        secrets=secrets,
        log=log,
        ending=ending,
    )


def read_sheet(file: File) -> list[dict[str, str]]:
    """Return the rows of a results sheet, by column."""
    return list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"), newline="")))
