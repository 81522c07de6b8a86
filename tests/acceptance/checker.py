"""Whether the story ended right, judged by what can be seen from outside."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter

from bot.sandbox.slack import Message
from tests.acceptance import ledger
from tests.acceptance.stage import Stage
from tests.acceptance.stories import Told
from tests.acceptance.workspace import CHANNELS, OPS


def assert_right(stage: Stage) -> None:
    """Check that the story of ``stage`` ended as if nothing had ever been in its way."""
    _every_number_is_accounted_for(stage)
    _the_jobs_are_the_plan(stage)
    _everything_was_said_once(stage)
    _the_cards_are_final(stage)
    ends = "ended" if stage.story.until else "finished"
    ledger.assert_the_trail_is_whole(
        stage.database,
        stage.batches,
        _change(stage),
        ends=ends,
        revised=bool(stage.story.at_first),
        waves=stage.batches if stage.story.rollout else 1,
        approval=stage.story.approval,
    )
    stage.story.assert_approval(stage, _change(stage))
    ledger.assert_nothing_waits(stage.database, _change(stage))
    assert_no_secret_is_readable(stage)


def _change(stage: Stage) -> int:
    """Return the number of the change as its card shows it; people who had to start anew have planned more than one."""
    [card] = stage.slack.messages(OPS)
    found = re.search(r"CHG-(\d+)", stage.read(card))
    assert found is not None
    return int(found[1])


def _every_number_is_accounted_for(stage: Stage) -> None:
    """Each number has exactly one row in the sheet, which says what the carrier knows to be true."""
    rows = _rows(stage)
    truth = stage.story.truth(stage)
    differing = _differing(stage)

    assert [row["number"] for row in rows] == [number.phone_number for number in stage.asked]
    for row, number in zip(rows, stage.asked, strict=True):
        assert row["id"] == number.id
        told = Told(row["outcome"], row["reason_code"], row["reason"], row["pointer"], row["job"])
        expected = truth.get(number.id, _untouched(row["reason"]))
        if number.id in differing:
            assert (told.code, told.job) == ("linesman.unclear_response", expected.job)
            assert expected.reason in told.reason
        else:
            assert told == expected
    assert set(differing) <= set(stage.story.unclear(stage))
    stage.story.assert_values(stage)


def _rows(stage: Stage) -> list[dict[str, str]]:
    """Return the rows of the one sheet of results."""
    [sheet] = stage.sheets()
    return list(csv.DictReader(io.StringIO(sheet.decode("utf-8-sig"), newline="")))


def _differing(stage: Stage) -> list[str]:
    """Return the ids of the numbers that the sheet says are not as approved, without saying that they failed."""
    return [row["id"] for row in _rows(stage) if row["outcome"] == "differs"]


def _untouched(reason: str) -> Told:
    """Return what the row of a number that is in no job has to say; how it is worded is not the matter here."""
    return Told("unchanged", "linesman.unchanged", reason)


def _the_jobs_are_the_plan(stage: Stage) -> None:
    """Every number that had to change is in one job, no other is in any, and there are no more jobs than planned."""
    assert stage.story.worked_on(stage) == Counter(number.id for number in stage.asked if number not in stage.settled)
    stage.story.assert_jobs(stage)


def _everything_was_said_once(stage: Stage) -> None:
    """There is one card with its history below it, one request for approval, one sheet and one notice."""
    [card] = stage.slack.messages(OPS)
    [request] = stage.slack.messages(stage.story.approval_channel)
    [notice] = stage.slack.messages(stage.story.failure_channel)
    history = [stage.read(message) for message in stage.slack.thread(OPS, card.ts)[1:]]
    said = [text.split()[1] for text in history]

    name = f"CHG-{_change(stage)}"
    ended = ["In", "@Ana", "End", str(stage.batches), "Over:"] if stage.story.until else ["Done:"]
    again = ["@Max", "@Ana", f"{name}-plan-{_plan(request)}.csv"] if stage.story.at_first else []
    plan = f"{name}-plan.csv"
    # A sheet that Slack had not taken when its plan was replaced is withdrawn with that.
    before = [*([] if again and plan not in said else [plan]), *again, *stage.story.before_approval]
    at_once = 1 if stage.story.rollout else stage.batches
    assert said == [*before, "Approved", str(at_once), *ended, f"{name}-results.csv"]
    assert f"at {stage.story.provider};" in history[len(before) + 1]
    assert _counts(stage) in history[len(before) + 2]
    below = [stage.read(message) for message in stage.slack.thread(request.channel, request.ts)[1:]]
    assert len(below) == len(stage.story.below_the_request)
    assert all(part in text for part, text in zip(stage.story.below_the_request, below, strict=True))
    assert stage.slack.thread(notice.channel, notice.ts)[1:] == []
    assert [channel for channel in CHANNELS if stage.slack.messages(channel)] == [
        channel for channel in CHANNELS if channel in {OPS, request.channel, notice.channel}
    ]
    assert _trouble(stage) in stage.read(notice)
    assert notice.mentions.users == {"U0ANA"}
    assert stage.slack.complaints == []


def _plan(request: Message) -> str:
    """Return the beginning of the digest that the request shows."""
    [plan] = re.findall(r"Plan `([0-9a-f]{12})`", str(request.blocks))
    return str(plan)


def _the_cards_are_final(stage: Stage) -> None:
    """Both cards show how it ended, and all that is left to press is what begins a new change."""
    [card] = stage.slack.messages(OPS)
    [request] = stage.slack.messages(stage.story.approval_channel)
    shown = stage.read(card)

    assert "Partly failed" in shown
    assert _counts(stage).replace(", ", " · ") in shown
    assert f"{stage.batches} of {stage.batches} done" in shown
    assert stage.story.approved in shown
    assert stage.story.approved in stage.read(request)
    assert _buttons(card) == ([] if stage.story.until else ["retry_failed", "undo"])
    assert _buttons(request) == []


def _counts(stage: Stage) -> str:
    counts = Counter("not attempted" if row["outcome"] == "unchanged" else row["outcome"] for row in _rows(stage))
    assert counts.total() == len(stage.asked)
    assert counts["failed"] + counts["differs"] == len(stage.failing)
    return ", ".join(
        f"{counts[outcome]} {outcome}"
        for outcome in ("verified", "differs", "failed", "not attempted")
        if counts[outcome] or outcome != "differs"
    )


def _trouble(stage: Stage) -> str:
    differing = len(_differing(stage))
    if differing:
        return f"{differing} number differs from what was approved"
    return f"{len(stage.failing)} of {len(stage.asked)} numbers failed"


def _buttons(message: Message) -> list[str]:
    return [
        element["action_id"] for block in message.blocks if block["type"] == "actions" for element in block["elements"]
    ]


def assert_no_secret_is_readable(stage: Stage) -> None:
    """No token, key or PIN stands in clear in the database, in the log, in a message or in a sheet."""
    said = [
        message for channel in stage.slack.workspace.channels for message in stage.slack.workspace.in_channel(channel)
    ]
    told = "".join([stage.process.written(), *map(str, said), *(str(file.content) for file in stage.slack.files)])

    assert ledger.readable(stage.database, [stage.story.plain]) == [stage.story.plain], (
        "what is no secret has to be found"
    )
    assert ledger.readable(stage.database, stage.secrets) == []
    assert [secret for secret in stage.secrets if secret in told] == []
