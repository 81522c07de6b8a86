"""``linesman demo`` as somebody runs it who has just installed Linesman."""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from bot.sandbox.bot_process import Ending
from bot.sandbox.demo.acts import Acts
from bot.sandbox.demo.evidence import Evidence, gather
from bot.sandbox.demo.promises import PROMISES
from bot.sandbox.demo.reckoning import reckon
from bot.sandbox.demo.screen import Screen
from bot.sandbox.demo.stage import DemoStage
from bot.sandbox.demo.story import tell
from bot.sandbox.demo.world import OPS, stand_ins
from bot.sandbox.slack import Message

ROOT: Final = Path(__file__).parents[2]
DEMO: Final = (sys.executable, "-m", "bot", "demo")


def surroundings(temporary: Path) -> dict[str, str]:
    """Return the environment of somebody whose own settings must not change the story."""
    mine = {"LINESMAN_APPROVERS": "U0NOBODY", "DATABASE_URL": "nonsense", "SLACK_BOT_TOKEN": "mine", "FORCE_COLOR": "1"}
    return {**os.environ, **mine, "TMPDIR": str(temporary), "PYTHONIOENCODING": "utf-8"}


def test_the_demo_plays_its_story_and_keeps_every_promise(tmp_path: Path) -> None:
    """In a pipe the demo prints the whole conversation as plain text, ends with status 0, and leaves nothing behind."""
    done = subprocess.run(  # noqa: S603 - our own command
        DEMO, cwd=ROOT, env=surroundings(tmp_path), capture_output=True, timeout=300, check=False, encoding="utf-8"
    )

    assert (done.returncode, done.stderr) == (0, ""), done.stdout[-3000:]
    said = [
        "“+1303555160” needs 10 digits after +1 and has 9",
        "Numbers: 2,500   Jobs: 3",
        "You requested this change, so somebody else must approve it.",
        "That was the last approval needed: CHG-1 starts",
        "2,492 verified · 1 differs · 7 failed",
        "7 of 2,500 numbers failed; 1 number differs from what was approved",
        "2,500 rows: 2,492 verified, 7 failed, 1 differs.",
        "types /numbers close in #sales-ops",
        "40 verified · 0 failed",
        "40  PUT /phone_number/{id}/",
        "3  POST /phone_numbers/jobs/update_phone_numbers",
        f"All {len(PROMISES)} promises kept.",
    ]
    places = [done.stdout.find(sentence) for sentence in said]
    assert sorted(places) == places, said[places.index(-1)] if -1 in places else places
    assert done.stdout.count("█") > 20
    assert "✘" not in done.stdout
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["control-c", "terminated"]
)
def test_a_demo_that_is_cut_short_leaves_nothing_behind(tmp_path: Path, number: signal.Signals, status: int) -> None:
    """Ctrl-C and SIGTERM end the demo, and with it the bot's process and the temporary folder."""
    with subprocess.Popen(  # noqa: S603 - our own command
        DEMO,
        cwd=ROOT,
        env={**surroundings(tmp_path), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        # Ctrl-C must reach the demo also where this test runs in the background, which means "ignore it".
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - no threads here
    ) as demo:
        assert demo.stdout is not None
        heard = ""
        while not (bot := re.search(r"process\s+(\d+)", heard)) and (line := demo.stdout.readline()):
            heard += line
        assert bot is not None, heard
        demo.send_signal(number)
        rest, _ = demo.communicate(timeout=15)

    assert status == demo.returncode, rest
    assert "Traceback" not in rest
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(int(bot[1]), 0)


class Unconfigured(DemoStage):
    """A stage whose bot gets no configuration, and so stops at once."""

    def configuration(self) -> dict[str, str]:
        """Return nothing."""
        return {}


async def test_a_bot_that_does_not_start_is_explained() -> None:
    """When the bot stops on its own the demo says what it waited for, shows the bot's log, and ends with status 1."""
    out = io.StringIO()
    async with Unconfigured() as stage:
        status = await tell(stage, Screen(out, stage.world.slack))

    assert status == 1
    assert "✘ The story broke off while waiting for the bot to connect to Slack." in out.getvalue()
    assert "exit status 2" in out.getvalue()
    assert "SLACK_BOT_TOKEN is not set" in out.getvalue()


async def test_a_step_that_never_comes_ends_the_story(monkeypatch: pytest.MonkeyPatch) -> None:
    """When something does not happen in time the demo says what, and ends with status 1 instead of hanging."""
    monkeypatch.setattr("bot.sandbox.demo.story.LONGEST", 0.2)
    out = io.StringIO()
    async with DemoStage() as stage:
        status = await tell(stage, Screen(out, stage.world.slack))

    assert status == 1
    assert "It took longer than 0.2 seconds in all." in out.getvalue()


class Terminal(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_on_a_terminal_a_message_moves_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that is edited is drawn over its former self where the terminal can do that."""
    monkeypatch.setenv("TERM", "xterm-256color")
    slack, telnyx = stand_ins()
    message = Message(channel=OPS, ts="1.0", user="U0LINESMAN", text="half done")
    out = Terminal()
    screen = Screen(out, slack)
    with screen.following(message) as edited:
        message.text = "wholly done"
        edited()

    first, last = out.getvalue().find("half done"), out.getvalue().rfind("wholly done")
    assert 0 <= first < last
    assert "\x1b[1A" in out.getvalue()[first:last]
    assert not telnyx.calls


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    """Return the evidence of a story that was really played, with jobs that take a second."""

    async def played() -> Evidence:
        async with DemoStage() as stage:
            stage.world.telnyx.job_seconds = 1.0
            clicks = await Acts(stage, Screen(io.StringIO(), stage.world.slack)).play()
            curtain = await stage.curtain()
            return gather(
                stage.world, stage.team, clicks, secrets=stage.secrets, log=curtain.log, ending=curtain.ending
            )

    return asyncio.run(played())


def test_a_story_without_fault_ends_with_status_0(evidence: Evidence) -> None:
    """The promises are kept by what really happened."""
    slack, _ = stand_ins()

    assert reckon(evidence, Screen(io.StringIO(), slack)) == 0


Doctored = Callable[[Evidence], Evidence]


def _number(which: Callable[[Evidence], str], **values: object) -> Doctored:
    def doctored(seen: Evidence) -> Evidence:
        number = which(seen)
        return replace(seen, after={**seen.after, number: {**seen.after[number], **values}})

    return doctored


def _a_chosen(seen: Evidence) -> str:
    return next(number for number in seen.chosen if number not in seen.failing)


def _write(seen: Evidence) -> Evidence:
    call = next(call for call in seen.provider_calls if call.method == "POST")
    return replace(seen, provider_calls=[*seen.provider_calls, replace(call, method="PATCH", path="/phone_numbers/1")])


def _late_approval(seen: Evidence) -> Evidence:
    approved = replace(seen.clicks.approved, at=seen.clicks.approved.at + timedelta(minutes=1))
    return replace(seen, clicks=replace(seen.clicks, approved=approved))


def _buttons(seen: Evidence) -> Evidence:
    request = seen.requests[0].snapshot()
    request.blocks.append({"type": "actions", "elements": []})
    return replace(seen, requests=[request])


def _shouted(seen: Evidence) -> Evidence:
    card = seen.cards[0].snapshot()
    card.text += " <!channel>"
    return replace(seen, cards=[card])


def _unaware(seen: Evidence) -> Evidence:
    card = seen.cards[0].snapshot()
    card.blocks = [block for block in card.blocks if "differ" not in str(block)]
    return replace(seen, cards=[card])


def _sheet(old: bytes, new: bytes) -> Doctored:
    def doctored(seen: Evidence) -> Evidence:
        sheet = seen.sheets[0]
        return replace(seen, sheets=[replace(sheet, content=sheet.content.replace(old, new, 1))])

    return doctored


def _second_act(**changed: object) -> Doctored:
    return lambda seen: replace(seen, team=replace(seen.team, **changed))


def _updated_twice(seen: Evidence) -> Evidence:
    return _second_act(updates=[*seen.team.updates, seen.team.updates[0]])(seen)


def _updated_early(seen: Evidence) -> Evidence:
    return _second_act(approved=replace(seen.team.approved, at=seen.team.approved.at + timedelta(minutes=1)))(seen)


def _slowed_down(seen: Evidence) -> Evidence:
    return _second_act(calls=[*seen.team.calls, replace(seen.team.calls[0], status=429)])(seen)


FAULTS: Final[dict[str, tuple[str, Doctored]]] = {
    "a number missed": ("the_numbers", _number(_a_chosen, tags=["dallas"])),
    "a number changed beyond what was asked": ("the_numbers", _number(_a_chosen, customer_reference="new")),
    "a dropped setting changed": (
        "the_numbers",
        _number(lambda seen: next(iter(seen.dropped)), **{"voice.inbound_call_screening": "flag_calls"}),
    ),
    "a failed number changed": ("the_numbers", _number(lambda seen: next(iter(seen.failing)), tags=["denver"])),
    "a stranger changed": ("the_numbers", _number(lambda seen: max(seen.before), tags=["denver"])),
    "a job too few": ("the_jobs", lambda seen: replace(seen, jobs=seen.jobs[1:])),
    "a job twice": ("the_jobs", lambda seen: replace(seen, jobs=[*seen.jobs, seen.jobs[0]])),
    "another write": ("the_jobs", _write),
    "jobs before the approval": ("the_approval", _late_approval),
    "no answer to the requester": ("the_approval", lambda seen: replace(seen, whispers=[])),
    "a second card": ("the_cards", lambda seen: replace(seen, cards=[*seen.cards, *seen.cards])),
    "buttons left": ("the_cards", _buttons),
    "a long thread": ("the_cards", lambda seen: replace(seen, thread=[*seen.thread] * 3)),
    "no notice": ("the_notice", lambda seen: replace(seen, notices=[])),
    "no link": ("the_notice", lambda seen: replace(seen, link="/archives/C0ELSEWHERE/p1")),
    "a channel called": ("the_reason", _shouted),
    "a row too few": ("the_sheet", _sheet(b"\r\n+13035552499", b"\r\n+13035550000")),
    "a wrong outcome": ("the_sheet", _sheet(b",failed,", b",verified,")),
    "a difference called verified": ("the_sheet", _sheet(b",differs,", b",verified,")),
    "a difference not told": ("the_verification", lambda seen: replace(seen, thread=seen.thread[:-2])),
    "a card that knows no difference": ("the_verification", _unaware),
    "nothing read back": (
        "the_verification",
        lambda seen: replace(seen, provider_calls=[c for c in seen.provider_calls if "/jobs/" in c.path]),
    ),
    "a colleague on nobody's number": ("the_second_act", lambda seen: _second_act(after=seen.team.before)(seen)),
    "a number updated twice": ("the_second_act", _updated_twice),
    "an update before the approval": ("the_second_act", _updated_early),
    "a limit broken": ("the_second_act", _slowed_down),
    "a late answer": ("the_answers", lambda seen: replace(seen, deliveries=[replace(seen.deliveries[0], seconds=3.1)])),
    "a complaint": ("the_answers", lambda seen: replace(seen, complaints=["the answer had a body"])),
    "a secret in the log": ("the_secrets", lambda seen: replace(seen, log=f"token {seen.secrets[0]}")),
    "killed": ("the_end", lambda seen: replace(seen, ending=Ending(status=-9, seconds=10.0))),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_promise_is_told_and_ends_with_status_1(evidence: Evidence, fault: str) -> None:
    """Whatever goes wrong breaks the promise that it concerns, and no other; the demo marks it and ends with 1."""
    promise, doctored = FAULTS[fault]
    seen = doctored(evidence)
    slack, _ = stand_ins()
    out = io.StringIO()

    assert [promise] == [check.__name__ for check in PROMISES if not check(seen).kept]
    assert reckon(seen, Screen(out, slack)) == 1
    assert out.getvalue().count("✘") == 1
    assert f"1 of {len(PROMISES)} promises broken." in out.getvalue()
