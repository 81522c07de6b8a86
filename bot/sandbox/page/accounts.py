"""The providers' side, as the page is sent it: numbers with their values, jobs, and every call with its body."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Final

from bot.sandbox.close import CloseStandIn
from bot.sandbox.close.bodies import SETTINGS
from bot.sandbox.provider.calls import Call
from bot.sandbox.slack.records import Json
from bot.sandbox.telnyx import Job, Number, TelnyxStandIn

#: The most that is sent of each; of jobs and calls the newest.
NUMBERS: Final = 100
JOBS: Final = 50
CALLS: Final = 200
#: Characters of a call's body.
BODY: Final = 4_000

#: What the page shows in a number's heading, and what every change moves.
_LEFT_OUT: Final = frozenset(
    {"id", "phone_number", "voice", "created_at", "purchased_at", "updated_at", "activated_at"}
)


def telnyx_part(telnyx: TelnyxStandIn) -> Json:
    """Return what there is to see at Telnyx."""
    jobs = telnyx.jobs
    return {
        "numbers": [_telnyx_number(each) for each in list(telnyx.numbers.values())[:NUMBERS]],
        "names": telnyx.names(),
        "jobs": [_job(job) for job in jobs[-JOBS:]],
        "calls": _calls(telnyx.calls),
        "more": _more(len(telnyx.numbers), len(jobs), len(telnyx.calls)),
    }


def close_part(close: CloseStandIn) -> Json:
    """Return what there is to see at Close, which has no jobs."""
    truth = close.truth()
    return {
        "numbers": [
            {"id": row["id"], "number": number, "values": {name: row[name] for name in SETTINGS}}
            for number, row in list(truth.items())[:NUMBERS]
        ],
        "names": close.names(),
        "jobs": [],
        "calls": _calls(close.calls),
        "more": _more(len(truth), 0, len(close.calls)),
    }


def _more(numbers: int, jobs: int, calls: int) -> Json:
    return {
        "numbers": max(numbers - NUMBERS, 0),
        "jobs": max(jobs - JOBS, 0),
        "calls": max(calls - CALLS, 0),
    }


def _telnyx_number(number: Number) -> Json:
    values = {each.name: getattr(number, each.name) for each in fields(number) if each.name not in _LEFT_OUT}
    voice = {each.name: getattr(number.voice, each.name) for each in fields(number.voice)}
    return {"id": number.id, "number": number.phone_number, "values": values | _dotted(voice, "voice.")}


def _dotted(values: Mapping[str, object], before: str) -> dict[str, object]:
    """Return the leaves of nested values by their paths."""
    found: dict[str, object] = {}
    for name, value in values.items():
        found |= _dotted(value, f"{before}{name}.") if isinstance(value, dict) else {before + name: value}
    return found


def _job(job: Job) -> Json:
    done = sum(operation.state != "pending" for operation in job.operations)
    return {"id": job.id, "kind": job.type, "status": job.status, "done": done, "total": len(job.operations)}


def _calls(calls: Sequence[Call]) -> list[Json]:
    return [
        {
            "at": call.at.isoformat(timespec="milliseconds"),
            "method": call.method,
            "path": call.path,
            "query": call.query,
            "body": _body(call.body),
            "status": call.status,
        }
        for call in calls[-CALLS:]
    ]


def _body(body: object) -> object:
    text = json.dumps(body, ensure_ascii=False)
    return body if len(text) <= BODY else f"{text[:BODY]}… ({len(text) - BODY:,} more characters)"
