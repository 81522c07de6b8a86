"""The judge of the story in stages notices what is wrong: asked or told elsewhere or twice, or decided by the wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import pytest

from bot.sandbox.slack import Message
from tests.acceptance.faults.scene import RIGHT_TAKEN_BACK, STAGES, Setting, scene
from tests.acceptance.process_pool import ProcessPool
from tests.acceptance.stage import Stage
from tests.acceptance.stories.staged import DANA, FALLBACK_ASKED, MAX, STAGE_OPEN, STAGE_OPEN_AGAIN
from tests.acceptance.workspace import ALARMS, APPROVALS, FAILURES, OPS, SAFETY
from tests.acceptance.wrongs import Wrong, assert_all_are_noticed, said_twice, written


def also_in(channel: str, *, said: str) -> Wrong:
    """Return what repeats in ``channel`` the message that was ``said`` at the top of another one."""

    @contextmanager
    def repeated(stage: Stage) -> Iterator[None]:
        [top] = stage.slack.messages(said)
        twin = top.snapshot()
        twin.channel, twin.ts = channel, stage.slack.workspace.next_ts()
        stage.slack.workspace.add_message(twin)
        yield
        twin.deleted = True

    return repeated


def notice(part: str, wrong: Callable[[Message], None]) -> Wrong:
    """Return what makes a notice below the request ``wrong``."""

    @contextmanager
    def changed(stage: Stage) -> Iterator[None]:
        [request] = stage.slack.messages(stage.story.approval_channel)
        below = stage.slack.thread(request.channel, request.ts)[1:]
        [found] = [each for each in below if part in stage.read(each)]
        before = found.snapshot()
        wrong(found)
        yield
        found.text, found.blocks, found.deleted = before.text, before.blocks, False

    return changed


def gone(message: Message) -> None:
    """Let a message not be there."""
    message.deleted = True


def calls_dana(message: Message) -> None:
    """Let a message call Dana besides."""
    message.text += f" <@{DANA}>"


def calls_max(message: Message) -> None:
    """Let a message call Max besides."""
    message.text += f" <@{MAX}>"


def told_directly(person: str, text: str) -> Wrong:
    """Return what says something to a person in their direct message."""

    @contextmanager
    def said(stage: Stage) -> Iterator[None]:
        place = stage.slack.direct_message(person)
        [top] = stage.slack.messages(SAFETY)
        twin = top.snapshot()
        twin.channel, twin.ts, twin.blocks, twin.text = place, stage.slack.workspace.next_ts(), [], text
        stage.slack.workspace.add_message(twin)
        yield
        twin.deleted = True

    return said


def seen(**values: object) -> Wrong:
    """Return what lets people have seen something else."""

    @contextmanager
    def otherwise(stage: Stage) -> Iterator[None]:
        before = {name: getattr(stage, name) for name in values}
        for name, value in values.items():
            setattr(stage, name, value)
        yield
        for name, value in before.items():
            setattr(stage, name, value)

    return otherwise


def twice(step: str) -> Wrong:
    """Return what writes a step down once more."""
    columns = "change_id, at, actor, what, digest, details, hash"
    return written(f"INSERT INTO events ({columns}) SELECT {columns} FROM events WHERE what = '{step}' LIMIT 1")  # noqa: S608 - both from here


WRONGS: Final = {
    "asked in the usual channel as well": also_in(APPROVALS, said=SAFETY),
    "failures told in the usual channel as well": also_in(FAILURES, said=ALARMS),
    "a second request": said_twice(SAFETY, below=False),
    "a failure told twice": said_twice(ALARMS, below=False),
    "a line of the thread told twice": said_twice(OPS, below=True),
    "the opened stage told twice": said_twice(SAFETY, below=True),
    "the opened stage not told": notice(STAGE_OPEN, gone),
    "fallback approvers not asked": notice(FALLBACK_ASKED, gone),
    "somebody called who is not on call": notice(STAGE_OPEN, calls_dana),
    "nobody on call is called": seen(named=frozenset({"U0ANA"})),
    "sent before all have approved": seen(jobs_before_approval=1),
    "listed twice": seen(listed=["@Max can approve for you until 1\n@Max can approve for you until 2", ""]),
    "still listed after its end": seen(listed=["@Max can approve for you until 1"] * 2),
    "told of it twice": told_directly(MAX, "Dana lends you the right to approve changes until tomorrow."),
    "told to the wrong one": told_directly(DANA, "Dana lends you the right to approve changes until tomorrow."),
    "lent twice": twice("delegated"),
    "ended twice": twice("delegation_ended"),
    "another delegation": written(
        "INSERT INTO delegations (delegator, delegate, ends_at, ends_zone, created_at) "
        "SELECT delegate, delegator, ends_at, ends_zone, created_at FROM delegations"
    ),
    "the end taken approvals back": written(
        "UPDATE events SET details = json_set(details, '$.approvals', 1) WHERE what = 'delegation_ended'"
    ),
    "approved in his own right": written("UPDATE decisions SET on_behalf_of = '' WHERE stage = 'network'"),
    "approved as a usual approver": written("UPDATE decisions SET fallback = 0 WHERE stage = 'safety'"),
    "approved in one stage": written("UPDATE decisions SET stage = 'safety'"),
    "an approval too few": written("DELETE FROM decisions WHERE stage = 'safety'"),
    "fallback approvers asked twice": twice("fallback_asked"),
    "a stage opened twice": twice("stage_opened"),
    "started between the stages": written("UPDATE events SET id = 1000000 WHERE what = 'stage_opened'"),
}


#: The same where a lent right is taken back.
TAKEN_BACK_WRONGS: Final = {
    "the opened stage told twice": said_twice(APPROVALS, below=True),
    "the reopened stage not told": notice(STAGE_OPEN_AGAIN, gone),
    "somebody called whose turn it is not": notice(STAGE_OPEN_AGAIN, calls_max),
    "sent before all have approved": seen(jobs_before_approval=1),
    "approved with what was taken back": written("UPDATE decisions SET on_behalf_of = 'U0DANA' WHERE person = 'U0MAX'"),
    "an approval too few": written("DELETE FROM decisions WHERE stage = 'safety'"),
    "taken back twice": twice("approval_lapsed"),
    "reopened twice": twice("stage_reopened"),
    "not reopened": written("DELETE FROM events WHERE what = 'stage_reopened'"),
    "ended twice": twice("delegation_ended"),
    "the end took nothing back": written(
        "UPDATE events SET details = json_set(details, '$.approvals', 0) WHERE what = 'delegation_ended'"
    ),
}


@pytest.mark.parametrize(
    ("setting", "wrongs"), [(STAGES, WRONGS), (RIGHT_TAKEN_BACK, TAKEN_BACK_WRONGS)], ids=["stages", "taken back"]
)
async def test_whatever_is_wrong_about_an_approval_in_stages_is_noticed(
    fork_server: Path, tmp_path: Path, setting: Setting, wrongs: Mapping[str, Wrong]
) -> None:
    """The story that ended right is found right; with any one thing wrong about it, it is not."""
    async with ProcessPool(fork_server) as pool:
        async with scene(pool, tmp_path, setting=setting) as stage:
            await stage.play()
        with closing(sqlite3.connect(stage.database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # a process that was killed has left that to others
        assert_all_are_noticed(stage, wrongs)
