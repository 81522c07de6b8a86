"""The policy file: what it may say, and what that means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.changes.policy import ApprovalStage, Grant, OnStale, Policies, Policy, Rule
from bot.changes.policy.windows import Window
from bot.config.policy import EXAMPLE, explain, parse, read, rule_cautions
from bot.config.policy.keys import KEYS
from tests.unit.changes.policy.policies import FALLBACK, KINDS, OFF


def one(lines: str) -> Rule:
    """Return the rule that ``lines`` describe beside its name."""
    file = parse(f'[[rule]]\nname = "x"\n{lines}', "policy.toml", KINDS)

    assert file.problems == ()
    return file.rules[0]


def over(text: str, fallback: Policy = FALLBACK) -> Policies:
    """Return the policies of a file that has no problems."""
    file = parse(text, "policy.toml", KINDS)

    assert file.problems == ()
    return Policies(file.rules, fallback, OFF)


class TestExample:
    """The file that .github/POLICY.md shows."""

    def test_rules(self) -> None:
        """It is read without a problem, and its keys mean what they say."""
        berlin = ZoneInfo("Europe/Berlin")
        file = parse(EXAMPLE, "policy.toml", KINDS)

        assert file.problems == ()
        assert file.rules == (
            Rule(
                name="hands off",
                kinds=("telnyx.*",),
                settings=frozenset({"connection_id"}),
                min_numbers=1001,
                allow=False,
                why="connections of more than 1,000 numbers at once are changed by the network team",
            ),
            Rule(
                name="emergency",
                kinds=("telnyx.emergency",),
                requesters=Grant(groups=frozenset({"S0SAFETY"})),
                stages=(
                    ApprovalStage(name="safety", approvers=Grant(groups=frozenset({"S0SAFETY"})), approvals_required=2),
                    ApprovalStage(
                        name="network",
                        approvers=Grant(users=frozenset({"U0BOSS"})),
                        approvals_required=1,
                        fallback_approvers=Grant(groups=frozenset({"S0NETWORK"})),
                        fallback_after=timedelta(hours=1),
                    ),
                ),
                approval_channel="C0SAFETY",
                failure_channel="C0ALARMS",
                mention=Grant(groups=frozenset({"S0ONCALL"})),
                approval_ttl=timedelta(hours=4),
                reminder=timedelta(minutes=30),
                largest=5000,
                on_stale=OnStale.CONTINUE,
                windows=(
                    Window(days=frozenset(range(5)), start=time(20), end=time(6), zone=berlin),
                    Window(days=frozenset({5, 6}), start=time(), end=time(), zone=berlin),
                ),
            ),
            Rule(
                name="small changes",
                kinds=("telnyx.settings",),
                max_numbers=10,
                self_approval=True,
                approvers=Grant(users=frozenset({"U0BOSS", "U0OPS"})),
                fallback_approvers=Grant(users=frozenset({"U0NIGHT"})),
                fallback_after=timedelta(hours=2),
            ),
            Rule(
                name="deletions",
                kinds=("telnyx.delete",),
                allow=True,
                requesters=Grant(users=frozenset({"U0OPS"})),
                largest=500,
            ),
            Rule(name="bundles", kinds=("telnyx.settings",), approvals_required=2, unpreviewable=True),
        )

    def test_every_key(self) -> None:
        """It shows every key that there is, and there is a key for every field of a rule."""
        assert [key for key in [*KEYS, "stages", "windows"] if f"\n{key} = " not in EXAMPLE] == []
        assert {key.field for key in KEYS.values()} | {"stages", "windows"} == {field.name for field in fields(Rule)}

    def test_nothing_odd(self) -> None:
        """Over variables that name people, there is nothing to warn of."""
        assert rule_cautions(parse(EXAMPLE, "policy.toml", KINDS), over(EXAMPLE)) == ()

    def test_explained(self) -> None:
        """Every rule is one sentence, and so is what no rule governs."""
        assert explain(over(EXAMPLE)) == [
            (
                "1. hands off: telnyx.* changes of at least 1,001 numbers that touch connection_id; nobody may make "
                "them, because connections of more than 1,000 numbers at once are changed by the network team."
            ),
            (
                "2. emergency: telnyx.emergency changes of any size; may be requested by S0SAFETY; 2 "
                "approvals from S0SAFETY (stage safety), then 1 approval from U0BOSS (stage network), after 1 h also "
                "from S0NETWORK; expires after 4 h; first reminder after 30 min; "
                "refused above 5,000 numbers; sent Mon to Fri from 20:00 to 06:00 the next day or Sat, "
                "Sun all day, Europe/Berlin time; continues without numbers that are stale; approval is requested in "
                "C0SAFETY; requests for approval mention S0ONCALL; failures are reported in C0ALARMS."
            ),
            (
                "3. small changes: telnyx.settings changes of at most 10 numbers; may be requested by U0REQ; 1 "
                "approval from U0BOSS, U0OPS, after 2 h also from U0NIGHT; requesters who are approvers may approve "
                "their own; expires after 1 d; "
                "first reminder after 15 min; refused above 20,000 numbers; sent at any time."
            ),
            (
                "4. deletions: telnyx.delete changes of any size; may be requested by U0OPS; 2 approvals from U0ANN, "
                "U0BOB; expires after 1 d; first reminder after 15 min; refused above 500 numbers; sent at any time."
            ),
            (
                "5. bundles: telnyx.settings changes of any size; may be requested by U0REQ; 2 approvals from U0ANN, "
                "U0BOB; expires after 1 d; first reminder after 15 min; refused above 20,000 numbers; sent at any "
                "time; filters whose numbers the provider does not list may be handed to it."
            ),
            (
                "6. environment: every other change; may be requested by U0REQ; 1 approval from U0ANN, U0BOB; expires "
                "after 1 d; first reminder after 15 min; refused above 20,000 numbers; sent at any time."
            ),
        ]


class TestGood:
    """What a rule may say."""

    @pytest.mark.parametrize(
        ("lines", "said"),
        [
            pytest.param('kinds = "close.*"', {"kinds": ("close.*",)}, id="one kind without brackets"),
            pytest.param('settings = "tags"', {"settings": frozenset({"tags"})}, id="one setting"),
            pytest.param('requesters = ["*"]', {"requesters": Grant(everyone=True)}, id="everyone may request"),
            pytest.param("approvers = []", {"approvers": Grant()}, id="an empty list is nobody"),
            pytest.param('deadline = "90s"', {"approval_ttl": timedelta(seconds=90)}, id="seconds"),
            pytest.param('deadline = "15m"', {"approval_ttl": timedelta(minutes=15)}, id="minutes"),
            pytest.param('deadline = "365d"', {"approval_ttl": timedelta(days=365)}, id="days"),
            pytest.param('reminder = "never"', {"reminder": timedelta()}, id="no reminders"),
        ],
    )
    def test_values(self, lines: str, said: dict[str, Any]) -> None:
        """Each key has its own sort of value."""
        assert one(lines) == replace(Rule(name="x"), **said)

    @pytest.mark.parametrize(
        ("text", "days"),
        [
            ("mon-fri", {0, 1, 2, 3, 4}),
            ("Sat", {5}),
            ("mon, wed,sat-sun", {0, 2, 5, 6}),
            ("fri-mon", {4, 5, 6, 0}),
            ("tue-tue", {1}),
            ("daily", {0, 1, 2, 3, 4, 5, 6}),
        ],
    )
    def test_days(self, text: str, days: set[int]) -> None:
        """Days are listed, or run from one to another, around the week if need be."""
        rule = one(f'windows = [{{days = "{text}", from = "08:00", to = "18:00", zone = "UTC"}}]')

        assert rule.windows is not None
        assert rule.windows[0].days == days

    def test_daily_unless_said(self) -> None:
        """A window without days is daily."""
        rule = one('windows = [{from = "08:00", to = "18:00", zone = "UTC"}]')

        assert rule.windows == (Window(days=frozenset(range(7)), start=time(8), end=time(18), zone=ZoneInfo("UTC")),)

    def test_without_a_catalogue(self) -> None:
        """Where it is not known which kinds there are, any may be named."""
        file = parse('[[rule]]\nname = "x"\nkinds = ["acme.fax"]\nsettings = ["tone"]', "policy.toml")

        assert file.problems == ()


class TestFiles:
    """Reading from the disk."""

    @staticmethod
    def folder(path: Path) -> None:
        """Make a folder where the file should be."""
        path.mkdir()

    @staticmethod
    def absent(path: Path) -> None:
        """Leave nothing there."""

    @staticmethod
    def binary(path: Path) -> None:
        """Write what is no text."""
        path.write_bytes(b"\xff\xfe\x00")

    @staticmethod
    def huge(path: Path) -> None:
        """Write more than any policy needs."""
        path.write_bytes(b"#" * 1_000_001)

    @pytest.mark.parametrize(
        ("make", "said"),
        [
            (absent, "does not exist: give the path of a TOML file, or unset the variable."),
            (folder, "is not a file: give the path of a TOML file, or unset the variable."),
            (binary, "is not UTF-8 text: give a TOML file."),
            (huge, "is larger than 1,000,000 bytes, too large for a policy: give a TOML file."),
        ],
    )
    def test_unreadable(self, tmp_path: Path, make: Callable[[Path], None], said: str) -> None:
        """A file that cannot be read is a problem of the variable that names it."""
        path = tmp_path / "policy.toml"
        make(path)

        assert read(str(path)).problems == (f"LINESMAN_POLICY_FILE names {path}, which {said}",)

    @pytest.mark.parametrize(
        ("path", "said"),
        [
            ("a\0b", "which cannot be the path of a file: give the path of a TOML file, or unset the variable."),
            (
                "x" * 300,
                "which cannot be read (File name too long): give the path of a TOML file, or unset the variable.",
            ),
        ],
    )
    def test_no_path(self, path: str, said: str) -> None:
        """What is no path is not repeated, for it could be a secret."""
        assert read(path).problems == (f"LINESMAN_POLICY_FILE names a file, {said}",)

    def test_byte_order_mark(self, tmp_path: Path) -> None:
        """What Windows writes before the text does no harm."""
        path = tmp_path / "policy.toml"
        path.write_text('[[rule]]\nname = "x"', encoding="utf-8-sig")

        assert [rule.name for rule in read(str(path)).rules] == ["x"]

    def test_relative(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A relative path begins at the working directory."""
        (tmp_path / "policy.toml").write_text(EXAMPLE, encoding="utf-8")
        monkeypatch.chdir(tmp_path)

        assert len(read("policy.toml", KINDS).rules) == 5
