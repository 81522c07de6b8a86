"""What keeps Linesman from its work: troubles that stand, and work that fails again and again."""

from __future__ import annotations

from structlog.testing import capture_logs

from bot.workflow.health import Health, TaskFailure, TaskFailures


def test_a_trouble_is_logged_when_it_is_news() -> None:
    """It stands until it is over; told again it is no news, and an end without a beginning is none either."""
    health = Health()

    with capture_logs() as logged:
        health.end(Health.SLACK)
        health.begin(Health.SLACK, "The token is gone.")
        health.begin(Health.SLACK, "The token is gone.")
        health.begin(Health.SLACK, "Slack refuses everything.")
        standing = health.present
        health.end(Health.SLACK)

    assert standing == {"slack": "Slack refuses everything."}
    assert health.present == {}
    assert [(line["event"], line.get("what")) for line in logged] == [
        ("trouble", "The token is gone."),
        ("trouble", "Slack refuses everything."),
        ("recovered", None),
    ]


def test_what_is_tried_for_ever_is_a_trouble_after_three_failures_in_a_row() -> None:
    """One may be a hiccup; each thing that is done counts by itself, and the text of an error is told to nobody."""
    health = Health()

    for _ in range(2):
        health.failed("claim tasks", ValueError("secret"))
        health.failed("claim messages", ValueError("secret"))
    assert (health.present, health.troubles) == ({}, [])

    health.went_well("claim tasks")
    health.failed("claim tasks", ValueError("secret"))
    health.failed("claim messages", KeyError("secret"))
    assert list(health.present.values()) == ["Linesman cannot claim messages (KeyError); see the log."]
    assert [where for where, _ in health.troubles] == [Health.WORK]

    health.went_well("claim messages")
    assert (health.present, health.troubles) == ({}, [])


def test_failures_are_counted_until_the_work_goes_well() -> None:
    """Each piece of work by itself."""
    failures = TaskFailures(lambda: 1000.0)

    for _ in range(2):
        failures.count("poll:1", what="poll", change="CHG-7", error=ValueError())
    failures.count("prune:0", what="prune", change="", error=KeyError())

    assert list(map(str, failures.present)) == [
        "The task “poll” of CHG-7 failed 2 times in a row (ValueError); see the log.",
        "The task “prune” failed 1 times in a row (KeyError); see the log.",
    ]
    failures.end("poll:1")
    failures.end("never failed")
    assert [each.what for each in failures.present] == ["prune"]
    assert failures.count("poll:1", what="poll", change="CHG-7", error=ValueError()).times == 1


def test_a_failure_that_does_not_come_again_is_over() -> None:
    """Work is tried at least every five minutes, so after eleven it went well elsewhere or is not to be done."""
    now = 1000.0

    def steady() -> float:
        return now

    failures = TaskFailures(steady)
    failures.count("poll:1", what="poll", change="", error=ValueError())

    now = 1659.0
    assert [each.at for each in failures.present] == [1000.0]
    now = 1661.0
    assert failures.present == []
    assert failures.count("poll:1", what="poll", change="", error=ValueError()) == TaskFailure(
        what="poll", change="", why="ValueError", times=1, at=1661.0
    )
