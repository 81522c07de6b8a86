"""What logs look like, and that no secret is in them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bot.changes.model.values import MASK
from bot.telemetry import logs

KNOWN = "correct horse battery"


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    """Return a place for logs to go to, and put logging back as it was afterwards."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    quiet = {name: logging.getLogger(name).level for name in ("httpx", "httpcore", "alembic", "aiosqlite", "bot")}
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, old in quiet.items():
        logging.getLogger(name).setLevel(old)
    structlog.reset_defaults()


def lines(output: io.StringIO) -> list[dict[str, Any]]:
    """Return the JSON lines that were written."""
    return [json.loads(line) for line in output.getvalue().splitlines()]


class TestConfigure:
    """Where logs go and what they look like."""

    def test_json(self, output: io.StringIO) -> None:
        """An event is one JSON line with its name, level, logger, time and values."""
        logs.configure("info", "json", stream=output)
        due = datetime(2026, 11, 21, 12, tzinfo=UTC)

        structlog.get_logger("bot.worker").info("job_polled", job="j1", number="+13125550001", left=3, due=due)

        (line,) = lines(output)
        assert datetime.fromisoformat(line.pop("timestamp")).utcoffset() is not None
        assert line == {
            "event": "job_polled",
            "logger": "bot.worker",
            "level": "info",
            "job": "j1",
            "number": "+13125550001",
            "left": 3,
            "due": "2026-11-21 12:00:00+00:00",
        }

    def test_libraries(self, output: io.StringIO) -> None:
        """What libraries log through logging comes out in the same form."""
        logs.configure("info", "json", stream=output)

        logging.getLogger("slack_bolt").warning("retry %d of %s", 1, "x")

        assert [(line["event"], line["logger"], line["level"]) for line in lines(output)] == [
            ("retry 1 of x", "slack_bolt", "warning")
        ]

    def test_context(self, output: io.StringIO) -> None:
        """Bound context, such as the change that is being worked on, is on every line."""
        logs.configure("info", "json", stream=output)

        with structlog.contextvars.bound_contextvars(change="CHG-42"):
            structlog.get_logger("a").info("sent")
            logging.getLogger("b").info("received")

        assert [line["change"] for line in lines(output)] == ["CHG-42", "CHG-42"]

    def test_level(self, output: io.StringIO) -> None:
        """Below the level nothing is written, whoever logs."""
        logs.configure("warning", "json", stream=output)

        structlog.get_logger("a").info("no")
        logging.getLogger("b").info("no")
        structlog.get_logger("a").warning("yes")

        assert [line["event"] for line in lines(output)] == ["yes"]

    def test_debug(self, output: io.StringIO) -> None:
        """At level debug Linesman's own lines are written, and of the libraries those of the named ones."""
        logs.configure("debug", "json", libraries=["aiosqlite"], stream=output)

        structlog.get_logger("bot.worker").debug("own")
        logging.getLogger("aiosqlite").debug("named")
        logging.getLogger("slack_sdk.web").debug("not named")
        logging.getLogger("slack_sdk.web").info("not that low")

        assert [line["event"] for line in lines(output)] == ["own", "named", "not that low"]

    def test_requests_are_not_listed(self, output: io.StringIO) -> None:
        """The HTTP client's line per request is left out at every level: it may name where an answer redirects to."""
        for level in ("info", "debug"):
            logs.configure(level, "json", stream=output)
            logging.getLogger("httpx").info("HTTP Request: GET …")

        assert lines(output) == []

    def test_again(self, output: io.StringIO) -> None:
        """Configuring again replaces the first configuration: nothing is written twice."""
        logs.configure("info", "json", stream=output)
        logs.configure("info", "json", stream=output)

        structlog.get_logger("a").info("once")

        assert [line["event"] for line in lines(output)] == ["once"]

    def test_console(self, output: io.StringIO) -> None:
        """The console form is for eyes: no JSON, and no colour codes where there is no terminal."""
        logs.configure("info", "console", stream=output)

        structlog.get_logger("a").info("card_edited", change="CHG-42")

        assert "card_edited" in output.getvalue()
        assert "change=CHG-42" in output.getvalue()
        assert not {"{", "\x1b"} & set(output.getvalue())


def bound(secret: str) -> None:
    """Log ``secret`` under a key that does not say what it is."""
    structlog.get_logger("a").info("event", value=secret)


def nested(secret: str) -> None:
    """Log ``secret`` deep inside a value."""
    structlog.get_logger("a").info("event", request={"headers": [("X-A", (secret,))]})


def said(secret: str) -> None:
    """Log ``secret`` in the middle of a library's message."""
    logging.getLogger("lib").warning("sent <%s> to the server", secret)


def raised(secret: str) -> None:
    """Log an exception, with a cause, whose texts hold ``secret``."""
    try:
        try:
            dict[str, str]()[secret]
        except KeyError as error:
            raise RuntimeError(f"refused: {secret}") from error
    except RuntimeError:
        structlog.get_logger("a").exception("failed")
        logging.getLogger("lib").exception("failed")


def passed(secret: str) -> None:
    """Log an exception as a value."""
    structlog.get_logger("a").warning("failed", error=ValueError(secret))


class TestRedaction:
    """What never gets there."""

    @pytest.mark.parametrize("style", ["json", "console"])
    @pytest.mark.parametrize("way", [bound, nested, said, raised, passed])
    @pytest.mark.parametrize(
        ("text", "secret"),
        [
            pytest.param(KNOWN, KNOWN, id="known"),
            pytest.param("xoxb-12-34-AbC", "12-34-AbC", id="bot token"),
            pytest.param("xoxe.xoxb-1-AbC", "1-AbC", id="rotating token"),
            pytest.param("xoxe-1-AbC", "1-AbC", id="refresh token"),
            pytest.param("xapp-1-A0B-99-ff", "A0B-99-ff", id="app token"),
            pytest.param("KEY0123456789ABCDEF_aBc", "0123456789ABCDEF_aBc", id="telnyx key"),
            pytest.param("api_4wUX1tAbcd.6xBqYzAbcd", "6xBqYzAbcd", id="close key"),
            pytest.param("Bearer abc.def-123456", "abc.def-123456", id="bearer"),
            pytest.param("authorization: basic YXBpXzE6", "YXBpXzE6", id="basic"),
            pytest.param("postgresql://u:hunter@h/db", "hunter", id="database password"),
            pytest.param("https://hooks.slack.com/commands/T1/2/three", "T1/2/three", id="response url"),
            pytest.param('{"external_pin": "12uv 34xy", "a": 1}', "34xy", id="pin in json"),
            pytest.param("external_pin='47xy'", "47xy", id="pin in a repr"),
            pytest.param("wss://h/link?ticket=abc-def&x=1", "abc-def", id="ticket in a url"),
            pytest.param("bot_token=tok123", "tok123", id="token in a text"),
        ],
    )
    def test_never_printed(
        self, text: str, secret: str, way: Callable[[str], None], style: str, output: io.StringIO
    ) -> None:
        """No secret reaches the output, in whichever form and by whichever way it comes (invariant 13)."""
        logs.configure("info", style, secrets=[KNOWN], stream=output)

        way(text)

        assert MASK in output.getvalue()
        assert secret not in output.getvalue()

    @pytest.mark.parametrize(
        "key",
        [
            "token",
            "slack_bot_token",
            "Authorization",
            "external_pin",
            "external-pin",
            "api_key",
            "api-key",
            "apikey",
            "secret",
            "password",
        ],
    )
    def test_by_key(self, key: str, output: io.StringIO) -> None:
        """A value under a telling key is masked whatever it looks like, at any depth."""
        logs.configure("info", "json", stream=output)

        structlog.get_logger("a").info("event", **{key: "plain"}, deep=[{key: {"even": "this"}}])

        (line,) = lines(output)
        assert line[key] == MASK
        assert line["deep"] == [{key: MASK}]

    def test_unset_is_not_masked(self, output: io.StringIO) -> None:
        """That a secret is not set is worth knowing, and no secret."""
        logs.configure("info", "json", stream=output)

        structlog.get_logger("a").info("event", external_pin=None)

        assert lines(output)[0]["external_pin"] is None

    @pytest.mark.parametrize(
        "text",
        [
            "+13125550001 has a token of our esteem",
            "3 jobs for CHG-42: https://api.telnyx.com/v2/phone_numbers/jobs?page[size]=250",
            "the KEYBOARD is bearer of bad news: Basics",
            "KeyError: 'tags'",
        ],
    )
    def test_ordinary_texts_stay(self, text: str) -> None:
        """Phone numbers, addresses and prose are left as they are."""
        assert logs.Redaction([KNOWN, "of", ""]).text(text) == text

    @given(
        secret=st.text(st.characters(exclude_characters=MASK + " |"), min_size=6),
        before=st.text(" |"),
        after=st.text(" |"),
    )
    def test_known_secrets(self, secret: str, before: str, after: str) -> None:
        """A known secret is found wherever it stands, whatever signs it is made of."""
        redacted = logs.Redaction([secret]).text(before + secret + after)

        assert redacted == before + MASK + after
