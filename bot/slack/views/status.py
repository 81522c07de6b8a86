"""The answers to ``/numbers status`` and ``/numbers list``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.changes.audit.events import Event
from bot.changes.input.list_query import ListQuery
from bot.changes.model.kinds import Kind
from bot.changes.model.lifecycle import ChangeState
from bot.changes.model.list_rows import ListPage, ListRow
from bot.changes.text.counts import counted
from bot.slack.views.approval_card import may_approve_line
from bot.slack.views.card import card, card_text
from bot.slack.views.elements import (
    Block,
    View,
    code,
    context,
    listed,
    modal,
    person,
    section,
    short_until,
    when,
)
from bot.slack.views.events import event_line
from bot.slack.views.fragments import counts_text, kind_words, pager, state_word
from bot.slack.views.plan_lines import sample_lines, warning_lines
from bot.slack.views.times import start_line
from bot.workflow.ports import ChangeDetails, ScheduledChange

PAGES: Final = "list"
#: Most changes in a list of waiting ones.
SCHEDULED: Final = 20


def status(details: ChangeDetails, history: Sequence[Event]) -> tuple[str, list[dict[str, Any]]]:
    """Return one change as on its card, with the newest lines of its history."""
    blocks = [*card(details), section(f"*Recent history*\n{history_lines(history, limit=8)}")]
    return card_text(details), blocks


def listing(page: ListPage[ListRow], wanted: ListQuery, kinds: Mapping[str, Kind], me: str) -> tuple[str, list[Block]]:
    """Return a page of changes, newest first, a few lines each."""
    asked = _asked(wanted)
    if not page.entries:
        mine = wanted == ListQuery(people=(me,))
        none = "You have not requested any changes yet" if mine else "There are no changes yet"
        text = f"No changes match: {asked}." if asked and not mine else f"{none}. Start one with `/numbers update`."
        return text, [section(text)]
    blocks: list[Block] = [section(f"*Changes, newest first*{': ' if asked else ''}{asked}")]
    blocks += [section(entry(list_row, kinds.get(list_row.kind))) for list_row in page.entries]
    blocks += pager(PAGES, page, str(wanted))
    blocks.append(context("`/numbers status CHG-42` shows one in full."))
    return f"{len(page.entries)} changes", blocks


def schedule(waiting: Sequence[ScheduledChange]) -> tuple[str, list[dict[str, Any]]]:
    """Return the changes that wait for their time, the next one first."""
    if not waiting:
        text = "No changes are scheduled. Set a start in the form: `/numbers update`."
        return text, [section(text)]
    blocks: list[Block] = [section("*Scheduled changes*")]
    blocks += [section(_waiting(each)) for each in waiting[:SCHEDULED]]
    more = "There are more than these. " if len(waiting) > SCHEDULED else ""
    blocks.append(context(f"{more}`/numbers cancel CHG-42` cancels one. Its numbers stay locked until it is over."))
    return f"{len(waiting)} changes", blocks


def _waiting(each: ScheduledChange) -> str:
    """Return a change that waits for its time, in three lines."""
    change = each.change
    return (
        f"*{change.public_id}* · {state_word(change)} · {kind_words(each.kind, change.kind)} · "
        f"{counted(change.size, 'number')}\n{person(change.requester)}, "
        f"{when(change.created_at)}: "
        f"{code(change.draft.reason, 120)}\n{start_line(each) or '🕒 Starts as soon as possible.'}"
    )


def _asked(wanted: ListQuery) -> str:
    """Return the query, for people."""
    words = [sort.word for sort in wanted.sorts] + [person(user) for user in wanted.people[:10]]
    words += [f"kind {kind}" for kind in wanted.kinds]
    words += [f"since {wanted.since}"] if wanted.since else []
    words += [f"until {wanted.until}"] if wanted.until else []
    return ", ".join(words)


def entry(list_row: ListRow, kind: Kind | None) -> str:
    """Return one change in two lines."""
    counts = f" · {counts_text(list_row)}" if list_row.started_at else f" · {counted(list_row.numbers, 'number')}"
    until = short_until(list_row.until) if list_row.state is ChangeState.IN_EFFECT else ""
    stage = f" in the stage {code(list_row.stage, 60)}" if list_row.stage else ""
    return (
        f"*{list_row.public_id}* · {state_word(list_row)}{stage}{until} · {kind_words(kind, list_row.kind)}{counts}\n"
        f"{person(list_row.requester)}, {when(list_row.created_at)}: {code(list_row.reason, 120)}"
    )


#: Most events shown, the newest ones.
EVENTS: Final = 25


def details(change_details: ChangeDetails, history: Sequence[Event]) -> View:
    """Return the card, a sample of the plan, and the audit log."""
    blocks = card(change_details)
    summary = change_details.change.summary
    if summary is not None:
        if summary.sample:
            sample = sample_lines(change_details.kind, summary, limit=5)
            blocks.append(section(f"*Before and after, for example*\n{sample}"))
        if warnings := warning_lines(change_details.kind, summary):
            blocks.append(section(f"*Before you approve*\n{warnings}"))
    if change_details.change.state is ChangeState.AWAITING_APPROVAL:
        blocks.append(context(may_approve_line(change_details)))
    blocks.append(section(f"*History*\n{history_lines(history)}"))
    return modal("details", change_details.change.public_id, blocks)


def history_lines(history: Sequence[Event], limit: int = EVENTS) -> str:
    """Return the newest events, oldest first."""
    return listed([f"{when(event.at)} · {event_line(event)}" for event in history[-limit:]]) or "Nothing yet."
