"""The stages of an approval: who approved in each, which one is open, and who may approve in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from bot.changes.model.decisions import Decision, DecisionVerb
from bot.changes.model.lifecycle import ChangeState
from bot.changes.policy import Grant, StageProgress, forbidden, open_stage, who_may_approve
from bot.changes.text.counts import counted, first_few
from bot.config.policy.spans import spoken
from bot.slack.views.elements import Block, channel, code, escape, listed, section, when
from bot.slack.views.fragments import audience_text, called, decision_text, said
from bot.workflow.ports import ChangeDetails

#: Longest name of a stage, in characters.
NAME: Final = 60
#: Most later stages that are named; the lines of the stages list them all.
FOLLOWING: Final = 5


def approvals_text(details: ChangeDetails) -> str:
    """Return the decisions so far; only their number where :func:`stage_lines` has the rest."""
    required = details.change.approvals_required
    if not _staged(details):
        return decision_text(details.decisions, required)
    return f"{sum(len(each.approvals) for each in details.stages)} of {required}"


def stage_lines(details: ChangeDetails) -> str:
    """Return a line for each stage of a waiting request; empty if the rule has only one, and once it is over."""
    if not _staged(details):
        return ""
    opened = open_stage(details.stages)
    lapsed = [each for each in details.decisions if each.verb is DecisionVerb.APPROVE and each.lapse]
    return listed([*(_stage(each, opened, details) for each in details.stages), *map(said, lapsed)])


def _staged(details: ChangeDetails) -> bool:
    return details.change.state is ChangeState.AWAITING_APPROVAL and _named(details)


def _stage(progress: StageProgress, opened: StageProgress, details: ChangeDetails) -> str:
    """Return one stage: "🔵 `network`: 1 of 2, open, @Max approved"."""
    icon, word = ("🔵", ", open") if progress is opened else ("✅", "") if progress.complete else ("⚪", "")
    given = _given(progress, details)
    count = f"{len(progress.approvals)} of {progress.stage.approvals_required}"
    return f"{icon} {_name(progress.stage.name)}: {count}{word}{f', {given}' if given else ''}"


def turn_text(details: ChangeDetails) -> str:
    """Return who may approve now, and who may later; only people whose turn it is are mentioned."""
    opened = open_stage(details.stages)
    where = f" in the stage {_name(opened.stage.name)}" if _named(details) else ""
    those = who_may_approve(details.policy, details.change.requester, opened.stage.approvers)
    text = f"May approve{where}: {audience_text(replace(those, delegates=details.audience.delegates))}."
    if opened.fallback_at is not None and opened.fallback_due(details.now):
        fallback = _audience(details, opened.stage.fallback_approvers)
        text += f" Since {when(opened.fallback_at)}, fallback approvers may approve too: {fallback}."
    elif opened.fallback_at is not None:
        text += f" From {when(opened.fallback_at)}, its fallback approvers may approve too."
    following = [_name(each.stage.name) for each in details.stages if each.place > opened.place and not each.complete]
    return f"{text} Then: {first_few(following, FOLLOWING)}." if following else text


def waits_text(details: ChangeDetails) -> str:
    """Return the stage that a request waits for; empty if the rule has only one."""
    if not _named(details):
        return ""
    opened = open_stage(details.stages)
    given = f"{len(opened.approvals)} of {opened.stage.approvals_required}"
    return f"🔵 Waiting for the stage {_name(opened.stage.name)} ({given}), {opened.place} of {len(details.stages)}"


def wanting_line(details: ChangeDetails) -> str:
    """Return that the current rule requires more approvals for an approved change; empty for any other."""
    opened = open_stage(details.stages)
    if details.change.state is not ChangeState.APPROVED or details.change.part_of is not None or opened.complete:
        return ""
    where = f" in the stage {_name(opened.stage.name)}" if _named(details) else ""
    name = details.change.public_id
    return (
        f"⚠️ *The current policy rule requires more approvals*: {len(opened.approvals)} of "
        f"{opened.stage.approvals_required}{where}. It will not start unless the rule changes. To release its numbers, "
        f"run `/numbers cancel {name}`, then request it again."
    )


def forbidden_line(details: ChangeDetails) -> str:
    """Return that the current rule does not allow an approved change, so it will not start; empty for any other."""
    change, summary = details.change, details.change.summary
    if change.state is not ChangeState.APPROVED or change.part_of is not None or summary is None:
        return ""
    why = forbidden(details.policy, change.kind, change.size, unseen=summary.unknown > 0)
    if not why:
        return ""
    return (
        f"⚠️ *The current policy rule no longer allows this change.* {escape(why)} It will not start unless the rule "
        f"changes. To release its numbers, run `/numbers cancel {change.public_id}`."
    )


def enough_line(details: ChangeDetails) -> str:
    """Return that a request has all approvals that the current rule requires; empty for any other."""
    change = details.change
    if change.state is not ChangeState.AWAITING_APPROVAL or not open_stage(details.stages).complete:
        return ""
    enough = "✅ *It has all approvals that the current rule requires*"
    if change.start is None or change.start.at > details.now:
        return f"{enough}; it continues shortly."
    return (
        f"{enough}, but they were given for its start, {change.start}, which has passed. If another approver "
        f"presses *Approve*, it starts at once. Or run `/numbers cancel {change.public_id}`, then request it again."
    )


def needs_text(details: ChangeDetails) -> str:
    """Return who must approve a plan that is not requested yet: "*Needs 1 approval* from @Max"."""
    required = details.policy.approvals_required
    where = channel(details.policy.approval_channel)
    needs = f"*Needs {counted(required, 'approval')}*"
    if not _named(details):
        [only] = details.stages
        return f"{needs} from {audience_text(details.audience)}{_later(only, details)}, requested in {where}."
    stages = [
        f"{each.place}. {_name(each.stage.name)}: {each.stage.approvals_required} from "
        f"{_audience(details, each.stage.approvers)}{_later(each, details)}"
        for each in details.stages
    ]
    once = "A person's approval counts in one stage only."
    return f"{needs}, requested in {where}, one stage after the other:\n{listed(stages, 1800)}\n{once}"


def _later(progress: StageProgress, details: ChangeDetails) -> str:
    """Return who may approve in a stage after a while; empty if nobody else may."""
    after, grant = progress.stage.fallback_after, progress.stage.fallback_approvers
    return f", after {spoken(after)} also from {_audience(details, grant)}" if after is not None else ""


def stage_history(details: ChangeDetails, data: Mapping[str, Any]) -> str:
    """Return a line of history about an opened stage; empty when the line is about something else."""
    if data["what"] != "stage":
        return ""
    whose = f"{details.change.public_id}: " if details.change.part_of is not None else ""
    name = _name(data["stage"])
    if data["why"]:
        return f"↩️ {whose}The stage {name} is open again. {escape(data['why'])}"
    before = [each for each in details.stages if each.place < data["place"]]
    done = f"Stage {_name(before[-1].stage.name)} is complete ({_given(before[-1], details)})." if before else ""
    return f"🔵 {whose}{done} Waiting for the stage {name}."


def stage_notice(details: ChangeDetails, data: Mapping[str, Any]) -> tuple[str, list[Block]]:
    """Return text and blocks of the message to people whose turn has come, below the request."""
    change, name = details.change, _name(data["stage"])
    opened = open_stage(details.stages)
    if change.state is not ChangeState.AWAITING_APPROVAL or opened.stage.name != data["stage"]:
        text = f"🔵 The stage {name} of {change.public_id} was open."  # told late: it no longer asks anybody
    else:
        when_open = f"again. {escape(data['why'])}" if data["why"] else "now."
        text = f"🔵 {called(details.mentioned)}{change.public_id} waits for the stage {name} {when_open}"
    return text, [section(text)]


def fallback_notice(details: ChangeDetails, data: Mapping[str, Any]) -> tuple[str, list[Block]]:
    """Return text and blocks of the message to the fallback approvers, below the request."""
    change, opened = details.change, open_stage(details.stages)
    where = f" in the stage {_name(data['stage'])}" if data["stage"] else ""
    waiting = change.state is ChangeState.AWAITING_APPROVAL and opened.stage.name == data["stage"]
    if not waiting or opened.stage.fallback_after is None:
        text = f"⏳ Fallback approvers were asked to approve {change.public_id}{where}."
    else:
        who, waited = "too few have" if opened.approvals else "nobody has", spoken(opened.stage.fallback_after)
        text = (
            f"⏳ {called(details.fallback)}{who} approved {change.public_id}{where} for {waited}. "
            "Its fallback approvers may approve now."
        )
    return text, [section(text)]


def _given(progress: StageProgress, details: ChangeDetails) -> str:
    """Return who approved in a stage."""
    given: list[Decision] = [each for each in details.decisions if each.counts and each.stage == progress.stage.name]
    return ", ".join(said(each, where=False) for each in given)


def _audience(details: ChangeDetails, grant: Grant) -> str:
    return audience_text(who_may_approve(details.policy, details.change.requester, grant))


def _named(details: ChangeDetails) -> bool:
    """Tell whether there are stages to show to people."""
    return bool(details.stages[0].stage.name)


def _name(name: str) -> str:
    return code(name, NAME)
