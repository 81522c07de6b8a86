"""The external PIN: typed once, used once, readable nowhere."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from cryptography.fernet import Fernet

from bot.changes.model.values import MASK
from bot.sandbox.provider.rewrites import Rewrite
from bot.telemetry import logs
from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import card_says, edit, run_form

PIN = "Quetzal7391"
OTHER_PIN = "Ocelot2864"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Log as `linesman serve` does, at its most talkative, into a text."""
    stream = io.StringIO()
    root = logging.getLogger()
    before = structlog.get_config()
    level, handlers = root.level, list(root.handlers)
    logs.configure("debug", "json", secrets=[], stream=stream)
    yield stream
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)
    for chatty in ("httpx", "httpcore", "alembic"):
        logging.getLogger(chatty).setLevel(logging.NOTSET)


@pytest.fixture
async def sealed(idle: Stage) -> Stage:
    """Set the stage with a key, so that the PIN is offered."""
    await idle.start(LINESMAN_SECRET_KEY=Fernet.generate_key().decode())
    return idle


def at_rest(stage: Stage) -> bytes:
    """Return every byte of the database: its file and what waits beside it."""
    folder: Path = stage.database.parent
    return b"".join(file.read_bytes() for file in folder.iterdir())


def sent_to_slack(stage: Stage) -> str:
    """Return all that the bot ever told Slack: calls, and answers to deliveries."""
    answers = [delivery.body for delivery in stage.slack.deliveries]
    files = [file.content.decode() for file in stage.slack.files]
    return json.dumps([*(call.params for call in stage.slack.calls), *answers, *files], default=str)


async def test_the_pin_reaches_the_carrier_and_nothing_else(log: io.StringIO, sealed: Stage) -> None:
    """The PIN is set at the carrier; it is in no message, view, answer, file, database or log, not even at debug."""
    stage = sealed
    numbers = [n.phone_number for n in stage.telnyx.add_numbers(3, start="+13035550000", external_pin=OTHER_PIN)]
    stage.telnyx.fail(numbers[2], detail=f"The PIN {PIN} is too weak.", pointer="/external_pin")

    shown = stage.read(await stage.propose(numbers, {"external_pin": PIN}))
    assert "External PIN → ••••••" in shown
    change = await stage.request()
    await stage.approve(change)
    await stage.ended(change)
    await stage.command(f"status CHG-{change}")
    resting = at_rest(stage)
    await stage.stop()

    assert [stage.telnyx.number(number).external_pin for number in numbers] == [PIN, PIN, OTHER_PIN]
    assert stage.outcomes(change) == {"verified": 2, "failed": 1}
    said, logged = sent_to_slack(stage), log.getvalue()
    assert "job polled" in logged
    for pin in (PIN, OTHER_PIN):
        assert pin not in said
        assert pin.encode() not in resting
        assert pin.encode() not in at_rest(stage)
        assert pin not in logged


def say_state(document: dict[str, Any]) -> None:
    """Put the PIN into the word for the job's state."""
    document["data"]["status"] = f"waiting_{PIN}"


def parameters(value: Any) -> Rewrite:
    """Say ``value`` for the saved parameters, or nothing at all of them."""

    def change(document: dict[str, Any]) -> None:
        document["data"].pop("parameters")
        if value is not None:
            document["data"]["parameters"] = value

    return change


@pytest.mark.parametrize(
    ("quoted", "where", "saved"),
    [
        pytest.param(f"The PIN {PIN} is too weak.", "detail", None, id="detail-parameters-absent"),
        pytest.param(f"The PIN {PIN} is too weak.", "detail", {}, id="detail-parameters-empty"),
        pytest.param(f"The PIN {PIN} is too weak.", "detail", {"external_pin": "***"}, id="detail-parameters-masked"),
        pytest.param(f"The PIN {PIN} is too weak.", "detail", {"pin": {"pin": PIN}}, id="detail-parameters-nested"),
        pytest.param("x" * 195 + f" {PIN} is too weak.", "detail", {}, id="where-it-is-cut"),
        pytest.param(f"bad value '{PIN}'.", "title", {}, id="title"),
        pytest.param(f'{{"external_pin":"pre{PIN}"}}', "detail", {}, id="glued-in-json"),
        pytest.param(f"external_pin%3D{PIN.replace('Q', '%51')}", "detail", {}, id="url-encoded"),
        pytest.param(f"The PIN {PIN.upper()} is too weak.", "detail", {}, id="other-casing"),
        pytest.param(f"pin_{PIN}", "code", {}, id="code"),
        pytest.param(f"/external_pin/{PIN}", "pointer", {}, id="pointer"),
    ],
)
async def test_an_error_may_quote_the_pin_wherever_it_likes(
    log: io.StringIO, sealed: Stage, quoted: str, where: str, saved: Any
) -> None:
    """The PIN is compared with what we sent, not with what the answer repeats, in every text and before it is cut."""
    stage = sealed
    numbers = [n.phone_number for n in stage.telnyx.add_numbers(2, start="+13035550000", external_pin=OTHER_PIN)]
    stage.telnyx.fail(numbers[1], **{"detail": "", "pointer": "/external_pin", where: quoted})
    stage.telnyx.rewrites.add("GET", "/phone_numbers/jobs/*", parameters(saved))

    change = await stage.run(numbers, {"external_pin": PIN})
    await stage.command(f"status CHG-{change}")

    assert stage.outcomes(change) == {"verified": 1, "failed": 1}
    assert MASK in "".join(stage.results(change)[1].values())
    keeps_still(stage, log)


async def test_a_word_for_the_state_may_quote_the_pin_after_a_restart(log: io.StringIO, sealed: Stage) -> None:
    """Wiped here and met by another process, the PIN is still recognised: its fingerprint is kept."""
    stage = sealed
    number = stage.telnyx.add_number("+13035550000")
    stage.telnyx.misbehave(None, "stuck_pending")
    change = await stage.ask([number.phone_number], {"external_pin": PIN})
    await stage.approve(change)
    await card_says(stage, change, "1 running")
    await stage.stop()
    stage.telnyx.rewrites.add("GET", "/phone_numbers/jobs/*", say_state)
    await stage.start(LINESMAN_STUCK_AFTER="60")
    stage.clock.advance(120)

    await stage.slack.wait_for(lambda: any("waiting_" in said for said in stage.failures()), what="a question")

    assert f"waiting_{MASK}" in "".join(stage.failures())
    keeps_still(stage, log)


@pytest.mark.parametrize("quoted", ["detail", "code", "location"])
async def test_a_refusal_may_quote_the_pin(log: io.StringIO, sealed: Stage, quoted: str) -> None:
    """A refused creation, or one that is pointed elsewhere, tells nobody the PIN, not even a log at debug."""
    stage = sealed
    number = stage.telnyx.add_number("+13035550000")
    jobs = "/phone_numbers/jobs/update_phone_numbers"
    if quoted == "location":
        stage.telnyx.faults.add(method="POST", path=jobs, kind="redirect", location=f"/v3/jobs?pin={PIN}")
    else:
        refuse(stage, {"title": "", "detail": "", quoted: f"pin={PIN}"})

    change = await stage.ask([number.phone_number], {"external_pin": PIN})
    await stage.approve(change)
    await stage.ended(change)

    assert quoted == "location" or MASK in "".join(stage.results(change)[0].values())
    keeps_still(stage, log)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refusal_may_quote_our_key(log: io.StringIO, sealed: Stage, status: int) -> None:
    """Nobody reads it: not the requester, not the operators, not whoever has the database or the log."""
    stage = sealed
    number = stage.telnyx.add_number("+13035550000")
    key = stage.telnyx.api_key
    refuse(stage, {"title": "", "detail": f"The key '{key}' was revoked."}, status)

    change = await stage.ask([number.phone_number], {"customer_reference": "x"})
    await stage.approve(change)
    await stage.slack.wait_for(lambda: "was revoked" in sent_to_slack(stage), what="the refusal")

    for text in (sent_to_slack(stage), log.getvalue(), at_rest(stage).decode(errors="replace")):
        assert key not in text


def refuse(stage: Stage, error: dict[str, str], status: int = 403) -> None:
    """Have the creation of every job refused with this error."""
    stage.telnyx.faults.add(method="POST", path="/phone_numbers/jobs/*", kind="status", status=status, times=None)
    stage.telnyx.rewrites.add("POST", "/phone_numbers/jobs/*", lambda document: document.update(errors=[error]))


def keeps_still(stage: Stage, log: io.StringIO) -> None:
    """Check that no text that ever left, rests or was logged has the PIN, in any casing, or the better part of it."""
    for text in (sent_to_slack(stage), log.getvalue(), at_rest(stage).decode(errors="replace")):
        assert [part for part in (PIN[:5], PIN[1:]) if part.lower() in text.lower()] == []


async def test_after_edit_the_pin_is_kept_without_being_shown(sealed: Stage) -> None:
    """Back in the form the PIN's field is empty and may stay so: the sealed one is kept and used."""
    stage = sealed
    number = stage.telnyx.add_number("+13035550000")
    await stage.propose([number.phone_number], {"external_pin": PIN})

    view = await edit(stage)
    assert view.form.slot("value:external_pin").value is None
    assert "The earlier value is kept" in stage.modal()
    await stage.ana.type("reason", "A better reason")
    await run_form(stage)

    assert number.external_pin == PIN
    assert PIN not in sent_to_slack(stage)


async def test_after_edit_another_pin_replaces_the_kept_one(sealed: Stage) -> None:
    """Typing into the PIN's field after Edit replaces what was kept."""
    stage = sealed
    number = stage.telnyx.add_number("+13035550000")
    await stage.propose([number.phone_number], {"external_pin": PIN})
    await edit(stage)

    await stage.ana.type("value:external_pin", OTHER_PIN)
    await run_form(stage)

    assert number.external_pin == OTHER_PIN


async def test_a_kept_pin_survives_more_settings_and_mistakes(sealed: Stage) -> None:
    """After Edit, choosing another setting and correcting a mistake do not lose the PIN that is kept."""
    stage = sealed
    number = stage.telnyx.add_number("+13035550000")
    await stage.propose([number.phone_number], {"external_pin": PIN})
    await edit(stage)

    await stage.choose(["external_pin", "voice.translated_number"])
    await stage.set("voice.translated_number", "1 2")
    assert list(await stage.refused()) == ["value:voice.translated_number"]
    await stage.set("voice.translated_number", "12")
    await run_form(stage)

    assert (number.external_pin, number.voice.translated_number) == (PIN, "12")


async def test_without_a_key_the_pin_is_not_offered(stage: Stage) -> None:
    """What could not be sealed is not asked for."""
    view = await stage.open("update")

    offered = [option["value"] for option in view.form.slot("settings").element["options"]]

    assert "external_pin" not in offered
    assert "customer_reference" in offered
