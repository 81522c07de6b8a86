"""Whether changes of every course ended right, judged by what stands in Slack and by what the providers have."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from bot.sandbox.telnyx import Job
from tests.acceptance import ledger
from tests.acceptance.faults.reckoning import NEVER_RAN, RAN
from tests.acceptance.replicas import waves
from tests.acceptance.replicas.deeds import buttons, key_of
from tests.acceptance.replicas.wishes import HAD, REFUSED, Course, Wanted
from tests.acceptance.workspace import APPROVALS, FAILURES, OPS

if TYPE_CHECKING:
    from tests.acceptance.replicas.cluster import Cluster

#: Buttons with which somebody decides: none of them is left at the end.
_DECIDES: Final = {"approve", "reject", "go_on", "stop_rest", "end_now", "extend", "revise"}
_IN_EFFECT: Final = re.compile(r"In effect until \w+ (\w+ \d+, \d+, \d\d:\d\d) \(UTC\)")


def assert_everything_was_said_once(cluster: Cluster) -> None:
    """There is one card and one request for each change, nothing is said twice, and nothing is left to decide."""
    wanted = cluster.workload.wanted
    workspace = cluster.slack.workspace
    parts = ledger.rows(cluster.database, "SELECT id FROM changes WHERE part_of NOT NULL AND ends_at NOT NULL")
    requests = [key_of(each) for each in cluster.slack.messages(APPROVALS)]
    said = [each for place in workspace.channels for each in workspace.in_channel(place) if each.from_bot]
    keys = Counter((key_of(each), each.channel) for each in said if key_of(each))
    files = Counter(file.name for file in cluster.slack.files if file.channel)

    assert Counter(key_of(each) for each in cluster.slack.messages(OPS)) == Counter(f"{name}:card" for name in wanted)
    asked = [*wanted, *(f"CHG-{id_}" for (id_,) in parts)]
    assert Counter(requests) == Counter(f"{name}:approval_card" for name in asked)
    assert {key: times for key, times in keys.items() if times > 1} == {}, "each message appears once"
    assert {name: times for name, times in files.items() if times > 1} == {}, "each file appears once"
    assert [key_of(each) for each in said if "thread" not in key_of(each) and _DECIDES & buttons(each)] == []
    assert cluster.slack.complaints == []
    told = [key_of(each).partition(":")[0] for each in cluster.slack.messages(FAILURES)]
    assert set(told) <= set(wanted)


def assert_it_ended(cluster: Cluster, name: str, wanted: Wanted) -> None:
    """Check what the cards and the sheet of a change say of every number against what the provider knows."""
    card = cluster.workload.deeds.card(name)
    shown = cluster.read(card)
    sheets = [file.content for file in cluster.slack.files if file.channel and file.name == f"{name}-results.csv"]
    truth = _truth(cluster, name, wanted)

    if any(word in shown for word in NEVER_RAN):
        assert (sheets, truth) == ([], {})
        return
    assert any(word in shown for word in (RAN if truth else (*RAN, "Cancelled"))), shown
    assert " approved" in shown
    [sheet] = sheets
    rows = list(csv.DictReader(io.StringIO(sheet.decode("utf-8-sig"), newline="")))
    assert [row["number"] for row in rows] == [number.phone_number for number in wanted.wish.numbers]
    for row in rows:
        outcome, job = truth.get(row["number"], ("not_attempted", ""))
        unclear = wanted.course is Course.CLOSE and (outcome, row["outcome"]) == ("failed", "differs")
        assert row["outcome"] == outcome or unclear, row
        assert row["job"] == job or wanted.course is Course.CLOSE, row
    if wanted.course is Course.TEMPORARY:
        _assert_they_went_back(cluster, wanted, rows)
    if wanted.course is Course.WAVES:
        waves.assert_they_follow_each_other(wanted, _jobs(cluster, wanted.mark))


def assert_the_values_are_right(cluster: Cluster, name: str, wanted: Wanted) -> None:
    """Each number has what was wanted of it where that succeeded and is to last, and what it had elsewhere."""
    truth = _truth(cluster, name, wanted)
    for line in wanted.wish.numbers:
        changed = truth.get(line.phone_number, ("", ""))[0] == "verified"
        if wanted.course is Course.CLOSE:
            assert cluster.close is not None
            assert (cluster.close.number(line.phone_number).label == wanted.mark) is changed
            continue
        had = HAD if wanted.course is Course.TEMPORARY else None
        lasts = changed and wanted.course is not Course.TEMPORARY
        reference = cluster.telnyx.number(line.id).customer_reference
        assert reference == (_mark(cluster, name, wanted) if lasts else had), f"{name}: {line.phone_number}"


def assert_no_number_was_in_two_hands(cluster: Cluster) -> None:
    """Each job is of a change that was asked for, and over its numbers; a number is in one of a change, or in two."""
    known: list[Job] = []
    for name, wanted in cluster.workload.wanted.items():
        for those in (_jobs(cluster, _mark(cluster, name, wanted)), _jobs_back(cluster, wanted)):
            known += those
            worked_on = Counter(operation.id for job in those for operation in job.operations)
            assert set(worked_on.values()) <= {1}
            assert set(worked_on) <= {number.id for number in wanted.wish.numbers}
    assert {job.id for job in known} == {job.id for job in cluster.telnyx.jobs}


def assert_it_keeps_time(cluster: Cluster, name: str, wanted: Wanted) -> None:
    """Check that it begins no earlier and ends when it was asked for, though a clock was off."""
    since, until = cluster.workload.asked[name]
    began = [job.created_at for job in _jobs(cluster, _mark(cluster, name, wanted))]
    if "start" in wanted.wish.besides and began:
        assert since + timedelta(minutes=1) <= min(began) + timedelta(seconds=1)
        [(starts,)] = ledger.rows(
            cluster.database, "SELECT starts_at FROM changes WHERE id = ?", int(name.removeprefix("CHG-"))
        )
        assert min(began) >= datetime.fromisoformat(str(starts)).replace(tzinfo=UTC)
        assert datetime.fromisoformat(str(starts)).replace(tzinfo=UTC) <= until + timedelta(minutes=2)
    if wanted.course is Course.TEMPORARY:
        thread = cluster.slack.thread(OPS, cluster.workload.deeds.card(name).ts)
        for text in _IN_EFFECT.findall("\n".join(cluster.read(message) for message in thread)):
            ends = datetime.strptime(text, "%b %d, %Y, %H:%M").replace(tzinfo=UTC)
            assert since + timedelta(hours=4) <= ends <= until + timedelta(hours=4, minutes=1)


def _truth(cluster: Cluster, name: str, wanted: Wanted) -> dict[str, tuple[str, str]]:
    """Return what became of each number that was worked on, and in which job, as its provider has it."""
    if wanted.course is not Course.CLOSE:
        jobs = _jobs(cluster, _mark(cluster, name, wanted))
        return {
            operation.phone_number: ("verified" if operation.state == "successful" else operation.state, job.id)
            for job in jobs
            for operation in job.operations
        }
    assert cluster.close is not None
    updated = {update.number for update in cluster.close.updates if update.settings.get("label") == wanted.mark}
    told = dict.fromkeys(updated, ("verified", ""))
    asked = {call.path.strip("/").rpartition("/")[2] for call in cluster.close.calls if call.method == "PUT"}
    refused = wanted.wish.numbers[REFUSED]
    return told | ({refused.phone_number: ("failed", "")} if refused.id in asked - updated and wanted.fails else {})


def _mark(cluster: Cluster, name: str, wanted: Wanted) -> str:
    """Return the value that is approved in the end: the first one, where the plan was not sent back after all."""
    query = "SELECT 1 FROM events WHERE change_id = ? AND what = 'changes_requested'"
    back = ledger.rows(cluster.database, query, int(name.removeprefix("CHG-")))
    return wanted.at_first if wanted.at_first and not back else wanted.mark


def _jobs(cluster: Cluster, mark: str) -> list[Job]:
    return [job for job in cluster.telnyx.jobs if job.reference == mark]


def _jobs_back(cluster: Cluster, wanted: Wanted) -> list[Job]:
    """Return the jobs that gave numbers back what they had."""
    those = {number.id for number in wanted.wish.numbers} if wanted.course is Course.TEMPORARY else set()
    return [job for job in _jobs(cluster, HAD) if those & {operation.id for operation in job.operations}]


def _assert_they_went_back(cluster: Cluster, wanted: Wanted, rows: list[dict[str, str]]) -> None:
    """Every number that was changed is given back once, after all that was to be done before, and no other is."""
    there, back = _jobs(cluster, wanted.mark), _jobs_back(cluster, wanted)
    changed = {op.phone_number for job in there for op in job.operations if op.state == "successful"}
    given = {op.phone_number for job in back for op in job.operations if op.state == "successful"}

    assert given == changed == {op.phone_number for job in back for op in job.operations}
    assert {row["number"]: row["restored"] for row in rows if row["restored"]} == dict.fromkeys(changed, "verified")
    if back:
        assert max(job.updated_at for job in there) <= min(job.created_at for job in back)
