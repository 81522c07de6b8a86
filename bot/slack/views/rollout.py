"""The canary or the waves: the plan, the progress, and the buttons that decide what follows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from bot.changes.model.change import Change
from bot.changes.model.lifecycle import BatchState, ChangeState
from bot.changes.model.rollout import PauseReason, Rollout, Threshold
from bot.changes.text.counts import counted, examples
from bot.slack.views.elements import Block, actions, button, confirmation, person, when
from bot.slack.views.fragments import count_parts
from bot.slack.views.times import whole_wave_waits
from bot.workflow.ports import ChangeDetails

CONTINUE: Final = "go_on"
STOP: Final = "stop_rest"

#: States in which nothing has been sent.
_AHEAD: Final = frozenset(
    {ChangeState.PLANNED, ChangeState.AWAITING_APPROVAL, ChangeState.CHANGES_REQUESTED, ChangeState.APPROVED}
)


def rollout_line(details: ChangeDetails) -> str:
    """Return the planned waves, or the current one; empty without waves, and for the last one."""
    change, sizes = details.change, _sizes(details)
    if len(sizes) < 2:
        return _unneeded(change.draft.canary) if change.draft.canary and change.state in _AHEAD else ""
    if change.state in _AHEAD:
        return _canary_ahead(details, sizes) if _is_canary(details) else _waves_ahead(details, sizes)
    if change.stopped_at is not None or change.state.over:
        return ""
    if change.state is ChangeState.PAUSED:
        return _paused(details, sizes)
    return _canary_now(details, sizes) if _is_canary(details) else _wave_now(details, sizes)


def _unneeded(typed: str) -> str:
    """Return what happens to a canary or waves whose first wave has all numbers."""
    what = (
        "🐤 *No canary*: the change has no more numbers than the canary"
        if typed.strip().isdigit()
        else "🌊 *No waves*: the first one would hold every number"
    )
    return f"{what}, so all numbers are sent at once."


def _sizes(details: ChangeDetails) -> list[int]:
    """Return how many numbers are in each wave."""
    sizes = dict.fromkeys(sorted(batch.wave for batch in details.batches), 0)
    for batch in details.batches:
        sizes[batch.wave] += batch.size
    return list(sizes.values())


def _rollout(change: Change) -> Rollout:
    return change.summary.rollout if change.summary else Rollout()


def _is_canary(details: ChangeDetails) -> bool:
    """Tell whether the waves are a canary and the rest, which follows by itself."""
    return len(_sizes(details)) == 2 and _rollout(details.change) == Rollout()


def _named(details: ChangeDetails, first: int) -> str:
    """Return the first few numbers of the first wave."""
    summary = details.change.summary
    return examples(summary.canary, first) if summary else ""


def _others(count: int) -> str:
    return f"the remaining {counted(count, 'number')}" if count > 1 else "the last number"


def _canary_ahead(details: ChangeDetails, sizes: list[int]) -> str:
    first, rest = sizes
    jobs = [sum(1 for batch in details.batches if batch.wave == wave) for wave in (1, 2)]
    return (
        f"🐤 *Canary: {counted(first, 'number')} first* ({_named(details, first)}), in {counted(jobs[0], 'job')}. If "
        f"all are verified, {_others(rest)} {'follow' if rest > 1 else 'follows'}, in {counted(jobs[1], 'job')}. If "
        "not, the change pauses, and its requester or an operator decides."
    )


def _waves_ahead(details: ChangeDetails, sizes: list[int]) -> str:
    """Return every wave with its numbers, what comes between waves, and what pauses the rollout."""
    rollout = _rollout(details.change)
    waves = [f"wave {wave}: {size:,}" for wave, size in enumerate(sizes[:-1], start=1)]
    waves[0] = f"wave 1: {counted(sizes[0], 'number')} ({_named(details, sizes[0])})"
    waves.append(f"rest: {sizes[-1]:,}")
    if rollout.pause.asks:
        between = "After each one, its requester or an operator continues or stops the rollout"
    elif rollout.pause.length:
        between = f"The next one starts {rollout.pause} after the previous one has been read back"
    else:
        between = "The next one starts when the previous one has been read back"
    some = f"more than {rollout.threshold}" if rollout.threshold != Threshold() else "any number"
    return (
        f"🌊 *{len(sizes)} waves*: {', '.join(waves)}. {between}. If {some} of a wave failed, differs or is not "
        "verified, the change pauses, and its requester or an operator decides."
    )


def _canary_now(details: ChangeDetails, sizes: list[int]) -> str:
    change, (first, rest) = details.change, sizes
    if change.wave > 1:
        return _waiting(details, f"{_others(rest)} {'follow' if rest > 1 else 'follows'}")
    wait = "wait" if rest > 1 else "waits"
    return f"🐤 Canary: {counted(first, 'number')} first; {_others(rest)} {wait} until all are verified."


def _wave_now(details: ChangeDetails, sizes: list[int]) -> str:
    wave = min(details.change.wave, len(sizes))
    place = f"Wave {wave} of {len(sizes)}"
    if waiting := _waiting(details, f"{place[0].lower()}{place[1:]} follows"):
        return waiting
    left = sum(sizes[wave:])
    after = f"; {counted(left, 'number waits', 'numbers wait')} in later waves" if left else ""
    return f"🌊 *{place}*: {counted(sizes[wave - 1], 'number')}{after}."


def _waiting(details: ChangeDetails, follows: str) -> str:
    """Return until when a released wave waits for the change window; empty if it does not wait."""
    if details.opens_at is None or not whole_wave_waits(details):
        return ""
    return f"🕒 Outside its change window: {follows} at {when(details.opens_at)}."


def _paused(details: ChangeDetails, sizes: list[int]) -> str:
    change = details.change
    decides = f"{person(change.requester)} or an operator"
    following = _others(sizes[-1])
    if change.wave + 1 < len(sizes):
        following = f"wave {change.wave + 1}: {counted(sizes[change.wave], 'number')}"
    locked = "All numbers stay locked until then."
    must = f"{decides} must decide whether to continue with {following}. {locked}"
    place = f"ave {change.wave} of {len(sizes)}"
    if change.paused_for is PauseReason.TIMED and change.resumes_at is not None:
        by_itself = f"It continues at {when(change.resumes_at)} with {following}, unless {decides} decides earlier."
        return f"⏲️ *W{place} is done.* {by_itself} {locked}"
    if change.paused_for is PauseReason.ASKED:
        return f"⏸️ *W{place} is done.* {must}"
    size = sizes[min(change.wave, len(sizes)) - 1]
    numbers = counted(size, "number")
    after = f"the canary* of {numbers}" if _is_canary(details) else f"w{place}* ({numbers})"
    wrong = _too_much(details, size) or "not all are"
    return f"⏸️ *Paused after {after}: {wrong} as approved. {must}"


def _too_much(details: ChangeDetails, size: int) -> str:
    """Return how much trouble in a wave of ``size`` numbers pauses the rollout; empty if a single number does."""
    threshold = _rollout(details.change).threshold
    if threshold == Threshold():
        return ""
    return "none is" if threshold.count >= size else f"more than {threshold} are not"


def paused_after(details: ChangeDetails, data: Mapping[str, Any]) -> str:
    """Return the wave after which a change was paused, for the notice."""
    if "wave" not in data or _is_canary(details):
        return "its canary"
    return f"wave {data['wave']} of {len(_sizes(details))}"


def rollout_history(details: ChangeDetails, data: Mapping[str, Any], counts: Mapping[str, int]) -> str:
    """Return a line of history about the waves; empty when the line is about something else."""
    match data["what"]:
        case "paused":
            return _paused_line(details, data, counts)
        case "still_paused":
            after = "the canary" if _is_canary(details) else f"wave {data.get('wave', details.change.wave)}"
            requester = person(details.change.requester)
            return f"⏰ Still paused after {after}; all its numbers stay locked. {requester}: continue or stop?"
        case "continued" | "went_on":  # the name in earlier versions
            waves = len(_sizes(details))
            which = "" if data.get("wave", waves) == waves else f" with wave {data['wave']} of {waves}"
            to_go = "to go" if not which else "in it"
            return f"▶️ {person(data['by'])} continued the rollout{which}: {counted(data['numbers'], 'number')} {to_go}."
        case _:
            return ""


def _paused_line(details: ChangeDetails, data: Mapping[str, Any], counts: Mapping[str, int]) -> str:
    whoever = f"{person(details.change.requester)} or an operator"
    decides = f"{whoever} can press *Continue rollout* or *Stop here* on the card"
    told = ", ".join(count_parts(**counts))
    why = PauseReason(data.get("why", PauseReason.TROUBLE.value))
    if why is PauseReason.TROUBLE:
        after = "the canary" if "wave" not in data or _is_canary(details) else f"wave {data['wave']}"
        wrong = _too_much(details, int(data.get("size", 0)))
        why_so = f", of which {wrong} as approved" if wrong else ""
        return f"⏸️ Paused after {after}{why_so}: {told}. {decides}."
    done = f"Wave {data['wave']} of {len(_sizes(details))} is done: {told}."
    if why is PauseReason.ASKED:
        return f"⏸️ {done} {decides}."
    resumes = when(datetime.fromtimestamp(data["resumes_at"], UTC))
    return f"⏲️ {done} The next one starts at {resumes}; until then, {decides}."


def rollout_buttons(details: ChangeDetails) -> Block:
    """Return the buttons of a paused change; they carry the wave after which it was paused."""
    change, sizes = details.change, _sizes(details)
    rest = sum(batch.size for batch in details.batches if batch.state is BatchState.QUEUED)
    following = sizes[change.wave] if change.wave < len(sizes) else rest
    value = f"{change.id}:{change.wave}"
    return actions(
        f"paused:{value}",
        [
            button("Continue rollout", CONTINUE, value, style="primary", confirm=_question(details, following)),
            button("Stop here", STOP, value, style="danger", confirm=_stopping(change, rest)),
        ],
    )


def read_place(value: str) -> tuple[int, int]:
    """Return the change and the wave in a button's value; an old card's value only knows a canary, the first wave."""
    change, _, wave = value.partition(":")
    return int(change), int(wave or 1)


def _question(details: ChangeDetails, following: int) -> Block:
    change = details.change
    text = f"{counted(following, 'number')} will be changed as approved"
    if change.paused_for is PauseReason.TROUBLE:
        text += f", although not all {'canary numbers' if _is_canary(details) else 'numbers sent'} are as approved"
    return confirmation(f"Continue {change.public_id}?", f"{text}.", "Continue rollout")


def _stopping(change: Change, rest: int) -> Block:
    text = f"{counted(rest, 'number')} will not be sent. What was sent stays as it is."
    return confirmation(f"Stop {change.public_id} here?", text, "Stop here")
