"""The Home tab: requests waiting for me, running changes, my requests, failures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.changes.model.list_rows import ListRow
from bot.changes.text.counts import counted
from bot.slack.views.approval_card import decision_buttons, numbers_of
from bot.slack.views.elements import (
    Block,
    View,
    actions,
    bar,
    button,
    code,
    context,
    divider,
    escape,
    header,
    listed,
    person,
    section,
    when,
    words,
)
from bot.slack.views.plan_lines import filter_lines, wanted_lines, warning_lines
from bot.slack.views.rollout import rollout_line
from bot.slack.views.stages import waits_text
from bot.slack.views.status import entry
from bot.slack.views.temporary import extension_line, until_line
from bot.slack.views.times import slack_line, start_line
from bot.workflow.ports import ChangeDetails
from bot.workflow.queries.home import HomeContents, NoHomeContents

#: The button that opens the form.
START: Final = "home_start"


def home(contents: HomeContents | NoHomeContents) -> View:
    """Return the Home tab of the person with these contents."""
    if isinstance(contents, NoHomeContents):
        return {"type": "home", "blocks": [section(f"🚫 {escape(contents.why)}")]}
    blocks: list[Block] = [actions(START, [button("New number change", START, "new", style="primary")])]
    blocks.append(section(_freeze(contents)))
    if held := slack_line(contents.slack_waits):
        blocks.append(section(held))
    blocks += [divider(), header("Waiting for your decision")]
    for details in contents.waiting:
        blocks += [section(_request(details)), _decide(details)]
    if contents.more_waiting:
        blocks.append(context(f"{contents.more_waiting:,} more: `/numbers list waiting` shows them."))
    if not contents.waiting:
        blocks.append(section("No requests are waiting for you."))
    blocks += _part(
        "Running now", [_running(list_row, contents) for list_row in contents.running], ("Nothing is running.")
    )
    mine = [entry(list_row, contents.kinds.get(list_row.kind)) for list_row in contents.mine]
    blocks += _part("Your changes", mine, "You have not requested any changes yet. Start with “New number change”.")
    failures = [entry(list_row, contents.kinds.get(list_row.kind)) for list_row in contents.failures]
    blocks += _part("Recent failures", failures, "No recent failures.")
    blocks.append(
        context("`/numbers list` shows more: add `running`, `mine` or `failed`. `/numbers help` lists all commands.")
    )
    return {"type": "home", "blocks": blocks}


def _decide(details: ChangeDetails) -> Block:
    return decision_buttons(details)


def _part(title: str, texts: Sequence[str], none: str) -> list[Block]:
    return [divider(), header(title), *[section(text) for text in texts or [none]]]


def _freeze(contents: HomeContents) -> str:
    freeze = contents.freeze
    if freeze is None:
        return "Submissions are not frozen."
    return (
        f"❄️ *Submissions are frozen* by {person(freeze.by)} since {when(freeze.at)}: "
        f"{words(freeze.reason)} Nothing more is sent until an operator lifts the freeze. Jobs already at "
        "the provider continue."
    )


def _request(details: ChangeDetails) -> str:
    """Return a request with all that an approval from here is for; Details has the rest."""
    change, summary = details.change, details.change.summary
    changing = f", of which {summary.numbers - summary.unchanged:,} change" if summary and summary.unchanged else ""
    numbers = numbers_of(change, details.tally.total) + changing
    until = f" · decide until {when(change.expires_at)}" if change.expires_at else ""
    lines = [
        f"*{change.public_id}* · {details.provider}: {details.kind.title} · {numbers}{until}",
        f"{person(change.requester)}: {code(change.draft.reason, 300)}",
    ]
    if until := extension_line(details) or until_line(details):
        lines.append(until)
    if summary is not None:
        lines += filter_lines(summary).splitlines() if summary.conditions else []
        lines += wanted_lines(details.kind, summary, details.change.draft).splitlines()
        lines += [waves] if (waves := rollout_line(details)) else []
        lines += warning_lines(details.kind, summary).splitlines()
    if begins := start_line(details):
        lines.insert(2, begins)
    if waits := waits_text(details):
        lines.insert(2, waits)
    return listed(lines, 2000)


def _running(list_row: ListRow, contents: HomeContents) -> str:
    tally = list_row.tally
    done = tally.total - tally.pending
    shown = f"{code(bar(done, tally.total))} {done:,} of {counted(tally.total, 'number')}"
    return f"{entry(list_row, contents.kinds.get(list_row.kind))}\n{shown}"
