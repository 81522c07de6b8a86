"""Whether any number of changes ended right, judged by what can be seen from outside."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from bot.sandbox.slack import Message
from bot.sandbox.telnyx import Job
from tests.acceptance import ledger
from tests.acceptance.faults.people import Wish
from tests.acceptance.stage import RestartingStage
from tests.acceptance.workspace import APPROVALS, FAILURES, OPS

#: How a change can have ended: with jobs, and without.
RAN: Final = ("Succeeded", "Partly failed", "Failed")
#: As they stand above a card: one that ran to its end may say below that it was cancelled too late.
NEVER_RAN: Final = ("⛔ Rejected", "⚪ Cancelled", "⚠️ Stale")

#: One letter per step of a change that was asked for, and the ways they may follow each other.
_LETTERS: Final = {
    "proposed": "p",
    "planned": "l",
    "approval_requested": "r",
    "approved": "a",
    "rejected": "x",
    "cancelled": "c",
    "stale": "t",
    "started": "s",
    "stopped": "o",
    "finished": "f",
    "discarded": "d",
}
_LIFE: Final = re.compile(r"plr(?:x|c|a(?:c|t|s(?:c|o?f)))")
_NAME: Final = re.compile(r"CHG-\d+")


def assert_everything_is_accounted_for(scene: RestartingStage, wishes: Mapping[str, Wish]) -> None:
    """Check every change that was asked for, and that nothing else was done to the carrier's numbers."""
    cards = _by_name(scene, OPS)
    requests = _by_name(scene, APPROVALS)

    assert set(cards) == set(requests) == set(wishes)
    for name, wish in wishes.items():
        _assert_it_ended(scene, name, wish, cards[name], requests[name])
        _assert_its_trail_is_whole(scene, name)
    _assert_no_number_was_in_two_hands(scene, wishes)
    notices = [_named(scene, message) for message in scene.slack.messages(FAILURES)]
    assert len(notices) == len(set(notices)), "a failure is told once"
    assert scene.slack.complaints == []
    assert scene.locks == "No numbers are locked."
    assert ledger.rows(scene.database, "SELECT number_id FROM locks") == []
    assert ledger.undelivered(scene.database) == []


def _by_name(scene: RestartingStage, channel: str) -> dict[str, Message]:
    """Return the one message of each change at the top of a channel."""
    named = [(_named(scene, message), message) for message in scene.slack.messages(channel)]
    assert [name for name, times in Counter(name for name, _ in named).items() if times > 1] == [], "one card each"
    return dict(named)


def _named(scene: RestartingStage, message: Message) -> str:
    return str(_NAME.findall(scene.read(message))[0])


def _assert_it_ended(scene: RestartingStage, name: str, wish: Wish, card: Message, request: Message) -> None:
    """Everything is said once and for the last time, and the sheet says of every number what the carrier knows."""
    said = [scene.read(message) for message in scene.slack.thread(OPS, card.ts)[1:]]
    sheets = [file.content for file in scene.slack.files if file.channel and file.name == f"{name}-results.csv"]
    jobs = _jobs_of(scene, wish)
    shown = scene.read(card)

    assert [line for line, times in Counter(said).items() if times > 1] == [], "each line of the thread appears once"
    assert scene.slack.thread(APPROVALS, request.ts)[1:] == []
    assert not {"approve", "reject"} & _buttons(request)
    assert any(word in shown for word in (RAN if jobs else (*NEVER_RAN, "Failed")))
    if any(word in shown for word in NEVER_RAN):
        assert (sheets, jobs) == ([], [])
        return
    assert "@Max approved" in shown
    [sheet] = sheets
    rows = list(csv.DictReader(io.StringIO(sheet.decode("utf-8-sig"), newline="")))
    assert [row["number"] for row in rows] == [number.phone_number for number in wish.numbers]
    truth = {operation.phone_number: (operation.state, job.id) for job in jobs for operation in job.operations}
    told = {row["number"]: (row["outcome"], row["job"]) for row in rows}
    assert told == {number: _outcome(truth.get(number)) for number in told}


def _buttons(message: Message) -> set[str]:
    return {
        element["action_id"] for block in message.blocks if block["type"] == "actions" for element in block["elements"]
    }


def _outcome(truth: tuple[str, str] | None) -> tuple[str, str]:
    """Return what the sheet has to say of a number that the carrier has in this state, in this job."""
    if truth is None:
        return ("not_attempted", "")
    state, job = truth
    return ("verified" if state == "successful" else state, job)


def _jobs_of(scene: RestartingStage, wish: Wish) -> list[Job]:
    """Return the jobs of a change; every wish has a reference of its own."""
    return [job for job in scene.telnyx.jobs if job.reference == wish.values["customer_reference"]]


def _assert_no_number_was_in_two_hands(scene: RestartingStage, wishes: Mapping[str, Wish]) -> None:
    """Each job is of a change that was asked for; a number is in one job of a change, and in one job at a time."""
    jobs = scene.telnyx.jobs

    assert len(jobs) == sum(len(_jobs_of(scene, wish)) for wish in wishes.values())
    for wish in wishes.values():
        worked_on = Counter(operation.id for job in _jobs_of(scene, wish) for operation in job.operations)
        assert set(worked_on.values()) <= {1}
        assert set(worked_on) <= {number.id for number in wish.numbers}
    for number in scene.telnyx.numbers.values():
        those = [job for job in jobs if any(operation.id == number.id for operation in job.operations)]
        for earlier, later in pairwise(sorted(those, key=lambda job: job.created_at)):
            assert earlier.updated_at <= later.created_at


def _assert_its_trail_is_whole(scene: RestartingStage, name: str) -> None:
    """Every step was written down once and in an order in which steps can follow each other."""
    query = "SELECT what FROM events WHERE change_id = ? ORDER BY id"
    trail = [str(what) for (what,) in ledger.rows(scene.database, query, int(name.removeprefix("CHG-")))]

    assert _LIFE.fullmatch("".join(_LETTERS[what] for what in trail if what in _LETTERS)), trail
