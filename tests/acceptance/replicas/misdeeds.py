"""What can be wrong about a past in Slack and at the providers, with the name of the judge that has to notice it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final, TypeAlias

from bot.sandbox.slack import Message
from bot.sandbox.telnyx import Job
from tests.acceptance.replicas import pasts
from tests.acceptance.replicas.pasts import Past
from tests.acceptance.replicas.waves import SIZES
from tests.acceptance.replicas.wishes import HAD, REFUSED
from tests.acceptance.stage import BOT_TOKEN
from tests.acceptance.stories import PIN, Line
from tests.acceptance.workspace import APPROVALS, FAILURES, OPS

#: Makes one thing wrong about a past that is not written yet.
Misdeed: TypeAlias = Callable[[Past], object]


def _message(past: Past, channel: str, key: str) -> Message:
    [found] = [each for each in past.cluster.slack.messages(channel) if key in str(each.metadata)]
    return found


def _card(past: Past, change: int) -> Message:
    return _message(past, OPS, f"'CHG-{change}:card'")


def _said_twice(past: Past) -> None:
    card = _card(past, pasts.TEMPORARY)
    for _ in range(2):
        past.say(OPS, f"CHG-{pasts.TEMPORARY}:ended:thread", "Over", below=card)


def _job(past: Past, change: int, *, last: bool = False) -> Job:
    mark = past.cluster.workload.wanted[f"CHG-{change}"].mark
    return [job for job in past.cluster.telnyx.jobs if job.reference == mark][-1 if last else 0]


def _row(past: Past, change: int, **other: str) -> None:
    past.sheets[change][0] |= other


def _line(past: Past, change: int, position: int = 0) -> Line:
    return past.cluster.workload.wanted[f"CHG-{change}"].wish.numbers[position]


def _reference(past: Past, change: int, value: str | None, position: int = 0) -> None:
    past.cluster.telnyx.number(_line(past, change, position).id).customer_reference = value


def _label(past: Past, value: str) -> None:
    assert past.cluster.close is not None
    past.cluster.close.number(_line(past, pasts.CLOSE).phone_number).label = value


def _wave_beside_another(past: Past) -> None:
    _job(past, pasts.IN_WAVES, last=True).created_at = _job(past, pasts.IN_WAVES).created_at


def _two_waves_in_one(past: Past) -> None:
    first, last = _job(past, pasts.IN_WAVES), _job(past, pasts.IN_WAVES, last=True)
    first.operations += last.operations
    del past.cluster.telnyx._book.all[last.id]
    for row in past.sheets[pasts.IN_WAVES]:
        row["job"] = first.id if row["job"] == last.id else row["job"]


def _wave_left_out(past: Past) -> None:
    rows = past.sheets[pasts.IN_WAVES][SIZES[0] : sum(SIZES[:2])]
    for position, row in enumerate(rows, start=SIZES[0]):
        past.cluster.telnyx._book.all.pop(row["job"], None)
        row |= {"outcome": "not_attempted", "job": ""}
        _reference(past, pasts.IN_WAVES, None, position)


def _begin_later(job: Job, seconds: float) -> None:
    job.created_at += timedelta(seconds=seconds)


def _given_back_twice(past: Past) -> None:
    past.work([_line(past, pasts.TEMPORARY).id], HAD)


def _job_of_nobody(past: Past) -> None:
    id_ = _line(past, pasts.PLAIN).id
    past.work([id_], "Boston", failing=id_)


def _job_over_numbers_of_others(past: Past) -> None:
    id_ = _line(past, pasts.PLAIN).id
    past.work([id_], past.cluster.workload.wanted[f"CHG-{pasts.STAGED}"].mark, failing=id_)


def _start_too_late(past: Past) -> None:
    past.besides.append(("UPDATE changes SET starts_at = '2026-11-30 08:04:00' WHERE id = ?", (pasts.PLAIN,)))
    for job in past.cluster.telnyx.jobs:
        if job.reference == past.cluster.workload.wanted[f"CHG-{pasts.PLAIN}"].mark:
            _begin_later(job, 300)


def _other_end(past: Past, time: str) -> None:
    thread = past.cluster.slack.thread(OPS, _card(past, pasts.TEMPORARY).ts)
    [line] = [each for each in thread if "In effect" in each.text]
    line.text = f"In effect until Mon Nov 30, 2026, {time} (UTC)"


_SAID: Final[Mapping[str, Misdeed]] = {
    "a second card": lambda past: past.say(OPS, "CHG-3:card", "Succeeded"),
    "a second request": lambda past: past.say(APPROVALS, "CHG-3:approval_card", "Decided"),
    "a change that nobody asked for": lambda past: past.say(OPS, "CHG-77:card", "Succeeded"),
    "no request": lambda past: setattr(_message(past, APPROVALS, "CHG-3:"), "deleted", True),
    "a line of the thread told twice": _said_twice,
    "a file shared twice": lambda past: past.share("CHG-3-results.csv", b""),
    "something left to decide": lambda past: past.say(FAILURES, "CHG-3:paused", "?", button="go_on"),
    "a failure of what nobody asked for": lambda past: past.say(FAILURES, "CHG-77:failed", "Failed"),
    "something from which people suffer": lambda past: past.cluster.slack.complaints.append("too long"),
}
_ENDED: Final[Mapping[str, Misdeed]] = {
    "a sheet of what never ran": lambda past: past.sheets.update({pasts.CANCELLED: []}),
    "no sheet": lambda past: past.sheets.pop(pasts.PLAIN),
    "what ran is said to be cancelled": lambda past: setattr(_card(past, pasts.PLAIN), "text", "⚪ Cancelled"),
    "a card without an end": lambda past: setattr(_card(past, pasts.PLAIN), "text", "Running\n@Max approved"),
    "a card that names no approver": lambda past: setattr(_card(past, pasts.PLAIN), "text", "Succeeded"),
    "a number lost": lambda past: past.sheets[pasts.PLAIN].pop(),
    "an outcome that is not the carrier's": lambda past: _row(past, pasts.PLAIN, outcome="failed"),
    "another job than the carrier's": lambda past: _row(past, pasts.PLAIN, job="another"),
    "an outcome that is not Close's": lambda past: _row(past, pasts.CLOSE, outcome="not_attempted"),
}
_VALUES: Final[Mapping[str, Misdeed]] = {
    "a value not given": lambda past: _reference(past, pasts.PLAIN, None),
    "a value given where it failed": lambda past: _reference(past, pasts.IN_WAVES, "Denver-3", REFUSED),
    "the value of the plan that was sent back": lambda past: _reference(past, pasts.REVISED, "Denver-first-1"),
    "a label not given": lambda past: _label(past, "Sales 1"),
    "a value that stays after its end": lambda past: _reference(past, pasts.TEMPORARY, "Denver-6"),
}
_WAVES: Final[Mapping[str, Misdeed]] = {
    "a wave sent beside the one before": _wave_beside_another,
    "two waves in one job": _two_waves_in_one,
    "a wave left out": _wave_left_out,
}
_BACK: Final[Mapping[str, Misdeed]] = {
    "a number not given back": lambda past: past.cluster.telnyx.jobs[-1].operations.pop(),
    "given back, and no row says so": lambda past: _row(past, pasts.TEMPORARY, restored=""),
    "given back before all was changed": lambda past: _begin_later(past.cluster.telnyx.jobs[-1], -2),
}
_TIMES: Final[Mapping[str, Misdeed]] = {
    "a start too early": lambda past: _begin_later(_job(past, pasts.PLAIN), -60),
    "a start before the time that was written down": lambda past: past.besides.append(
        ("UPDATE changes SET starts_at = '2026-11-30 08:02:00' WHERE id = ?", (pasts.PLAIN,))
    ),
    "a start too late": _start_too_late,
    "an end too early": lambda past: _other_end(past, "11:59"),
    "an end too late": lambda past: _other_end(past, "12:02"),
}
_HANDS: Final[Mapping[str, Misdeed]] = {
    "a number given back twice": _given_back_twice,
    "a job of nobody": _job_of_nobody,
    "a job over numbers of another change": _job_over_numbers_of_others,
}
_LEFT: Final[Mapping[str, Misdeed]] = {
    "somebody holds numbers": lambda past: setattr(past.cluster, "locks", "1 change holds 6 numbers."),
}
_SECRETS: Final[Mapping[str, Misdeed]] = {
    "a secret in a message": lambda past: past.say(OPS, "CHG-3:more", BOT_TOKEN, below=_card(past, pasts.PLAIN)),
    "a secret in the log": lambda past: past.cluster.process.log.write_text(PIN),
    "a secret in the database": lambda past: past.besides.append(("UPDATE operations SET e164 = ?", (PIN,))),
}
#: By name: the judge that has to notice it, and what makes it.
MISDEEDS: Final[Mapping[str, tuple[str, Misdeed]]] = {
    name: (judge, misdeed)
    for judge, misdeeds in {
        "assert_everything_was_said_once": _SAID,
        "assert_it_ended": _ENDED,
        "assert_the_values_are_right": _VALUES,
        "assert_they_follow_each_other": _WAVES,
        "_assert_they_went_back": _BACK,
        "assert_it_keeps_time": _TIMES,
        "assert_no_number_was_in_two_hands": _HANDS,
        "assert_right": _LEFT,
        "assert_no_secret_is_readable": _SECRETS,
    }.items()
    for name, misdeed in misdeeds.items()
}
