"""The answer to ``/numbers find``: one number as it is now, who holds it, and its history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bot.changes.model.kinds import Kind
from bot.changes.model.lifecycle import OperationState
from bot.changes.model.list_rows import HistoryRow
from bot.changes.model.messages import MessageRef
from bot.changes.model.public_ids import public_id
from bot.changes.model.settings import show_value
from bot.changes.model.values import MASK, Secret, Value
from bot.changes.planning.plan import same
from bot.slack.views.elements import (
    Block,
    before_and_after,
    clip,
    code,
    escape,
    header,
    listed,
    paragraphs,
    person,
    section,
    short_until,
    when,
)
from bot.slack.views.fragments import kind_words, pager, state_word
from bot.workflow.queries.number_lookup import CurrentValues, NumberDetails, ProviderNumber

PAGES: Final = "find"
#: Longest value in a line, in characters: all settings of a number must fit into one message.
_VALUE: Final = 80
#: Longest line of history, in characters; Slack accepts about 13,200 in all blocks of a message (API.md, "Lengths of
#: texts and elements").
_LINE: Final = 1200

#: State of the number in a change -> what people read.
_OUTCOMES: Final = {
    OperationState.WAITING: "not sent",
    OperationState.SUBMITTED: "being changed",
    OperationState.SUCCEEDED: "✅ changed",
    OperationState.VERIFIED: "✅ changed and verified",
    OperationState.DIFFERS: "⚠️ differs from what was sent",
    OperationState.UNVERIFIED: "⚠️ sent, not verified",
    OperationState.UNKNOWN: "⚠️ sent, no response yet",
    OperationState.FAILED: "❌ failed",
    OperationState.NOT_ATTEMPTED: "not attempted",
}


def number_details(found: NumberDetails, permalinks: Mapping[MessageRef, str]) -> tuple[str, list[Block]]:
    """Return text and blocks; ``permalinks`` lead to the cards."""
    name = found.e164 or found.asked
    blocks = [header(name)]
    for holding in found.holdings:
        blocks += _holding(holding, found.asked)
    if found.holdings or found.history.entries:
        blocks.append(section("*Earlier changes*" if found.further else "*Changes of this number*"))
    blocks += [section(_past(past, found.kinds.get(past.change.kind), permalinks)) for past in found.history.entries]
    if not found.history.entries:
        blocks.append(section("No changes have been requested for it."))
    blocks += pager(PAGES, found.history, found.asked)
    return f"{name}: current values and history", blocks


def _holding(holding: ProviderNumber, asked: str) -> list[Block]:
    title, snapshot, held = escape(holding.provider), holding.snapshot, holding.held
    lock = (
        (
            f"🔒 Locked by *{public_id(held.change)}*, requested by {person(held.requester)}, since "
            f"{when(held.since)}{short_until(held.until)}."
        )
        if held
        else "Not locked."
    )
    if holding.problem:
        problem = escape(clip(holding.problem, 500))
        return paragraphs([f"⚠️ *{title}*: its current values cannot be read. {problem}", lock])
    if snapshot is None:
        return paragraphs(
            [f"*{title}*: `{asked}` is not in the {title} account, or cannot be changed there now.", lock]
        )
    status = f" · {code(snapshot.status, 60)}" if snapshot.status else ""
    editable = "" if snapshot.editable else " · cannot be changed there now"
    lines = [f"*{title}, now*: id {code(snapshot.id, 70)}{status}{editable}"]
    for sheet in holding.sheets:
        lines += _sheet(sheet)
    return paragraphs([*lines, lock])


def _sheet(sheet: CurrentValues) -> list[str]:
    """Return a line for every setting of the kind; a secret one is never read, let alone shown."""
    lines = []
    for setting in sheet.kind.settings:
        if setting.secret:
            lines.append(f"• *{setting.label}*: never shown")
            continue
        value = sheet.values.get(setting.name)
        shown = show_value(setting, value, sheet.labels.get(setting.name))
        lines.append(f"• *{setting.label}*: {code(shown, _VALUE)}")
    return lines


def _past(past: HistoryRow, kind: Kind | None, permalinks: Mapping[MessageRef, str]) -> str:
    """Return one change of the number: which, when, its result, and the values before and after."""
    change, operation = past.change, past.operation
    name = change.public_id
    shown = f"<{permalinks[change.card]}|{name}>" if change.card in permalinks else name
    what = _OUTCOMES[operation.state]
    if operation.state is OperationState.WAITING and not change.state.over:
        what = "not sent yet"
    lines = [
        f"*{shown}* · {state_word(change)} · {kind_words(kind, change.kind)}",
        f"{person(change.requester)}, {when(change.created_at)}: {code(change.reason, 120)}",
        f"This number: {what}{f'. {code(operation.reason, 200)}' if operation.reason else ''}",
    ]
    lines += [_difference(past, kind, name, value) for name, value in operation.after.items()]
    gone = kind.taken_away(operation.before, operation.after) if kind else ()
    lines += [_difference(past, kind, name, None) for name in sorted(gone)]
    return listed(lines, _LINE)


def _difference(past: HistoryRow, kind: Kind | None, name: str, after: Value) -> str:
    setting = kind.by_name.get(name) if kind else None
    before = past.operation.before.get(name)
    label = setting.label if setting else escape(name)
    old, new = (_value(past, kind, name, value) for value in (before, after))
    stays = setting is not None and name in past.operation.before and same(setting, before, after)
    return f"• {label}: {before_and_after(old, new, _VALUE, stays=stays)}"


def _value(past: HistoryRow, kind: Kind | None, name: str, value: Value) -> str:
    setting = kind.by_name.get(name) if kind else None
    if isinstance(value, Secret) or (setting is not None and setting.secret):
        return MASK
    if setting is None:
        return ", ".join(value) if isinstance(value, tuple) else str(value)
    return show_value(setting, value, past.labels.get(name))


def places(found: NumberDetails) -> Sequence[MessageRef]:
    """Return the places of the cards that the history links to."""
    return [past.change.card for past in found.history.entries]
