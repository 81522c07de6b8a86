"""What the environment may say, and what Linesman answers when it says something else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot import config
from bot.changes.policy import ApprovalStage, Grant, Policy
from bot.config.environment import FORMER
from bot.errors import ConfigurationError

LEAST = {
    "SLACK_BOT_TOKEN": "xoxb-1-2-three",
    "SLACK_APP_TOKEN": "xapp-1-A0-four",
    "TELNYX_API_KEY": "KEY0123_five",
    "LINESMAN_APPROVAL_CHANNEL": "C0APPROVE",
}
#: None of these is one that paths can be put behind and that may stand in a log.
BAD_ADDRESSES = (
    "https://[x",
    "https://h:99999",
    "https://h:0",
    "https://ho\u2100st",
    "https://h/v2?api-key=s3cr3tvalue",
    "https://h/v2?",
    "https://h#a",
    "https://me:pw@h",
    "https://h h",
)


def problems(environ: dict[str, str]) -> list[str]:
    """Return what `load` finds wrong in ``environ``."""
    with pytest.raises(ConfigurationError) as caught:
        config.load(environ)
    return list(caught.value.problems)


#: What switches Close on.
CLOSE = {"CLOSE_API_KEY": "api_0123.456"}


class TestGood:
    """Environments that Linesman starts with."""

    def test_defaults(self) -> None:
        """The four variables that nothing can replace are enough; all others have their documented defaults."""
        settings = config.load(LEAST)

        assert settings.redacted() == {
            "SLACK_BOT_TOKEN": "••••••",
            "SLACK_APP_TOKEN": "••••••",
            "SLACK_API_URL": "https://slack.com/api/",
            "TELNYX_API_KEY": "••••••",
            "TELNYX_API_URL": "https://api.telnyx.com/v2",
            "CLOSE_API_URL": "https://api.close.com/api/v1",
            "DATABASE_URL": "sqlite+aiosqlite:///linesman.db",
            "PORT": 3000,
            "LINESMAN_REQUESTERS": "nobody",
            "LINESMAN_APPROVERS": "nobody",
            "LINESMAN_OPERATORS": "nobody",
            "LINESMAN_APPROVAL_CHANNEL": "C0APPROVE",
            "LINESMAN_APPROVALS_REQUIRED": 1,
            "LINESMAN_APPROVAL_TTL": 86_400,
            "LINESMAN_MAX_NUMBERS": 20_000,
            "LINESMAN_POLL_MIN": 2,
            "LINESMAN_POLL_MAX": 30,
            "LINESMAN_PROVIDER_TIMEOUT": 30,
            "LINESMAN_RECONCILE_SECONDS": 60,
            "LINESMAN_STUCK_AFTER": 900,
            "LINESMAN_CARD_SECONDS": 3,
            "LINESMAN_LOG_LEVEL": "info",
            "LINESMAN_LOG_FORMAT": "json",
        }
        assert settings.policy.failure_channel == "C0APPROVE"
        assert settings.socket_mode
        assert settings.telnyx is not None
        assert settings.telnyx.api_key.get_secret_value() == "KEY0123_five"
        assert settings.close is None

    def test_policy(self) -> None:
        """The policy is what the variables say."""
        settings = config.load(
            LEAST
            | {
                "LINESMAN_REQUESTERS": "*",
                "LINESMAN_APPROVERS": "U0ANN, S0LEADS,W0BOB,",
                "LINESMAN_OPERATORS": "U0ROOT",
                "LINESMAN_APPROVALS_REQUIRED": "2",
                "LINESMAN_APPROVAL_TTL": "60",
                "LINESMAN_MAX_NUMBERS": "5",
            }
        )

        assert settings.policy == Policy(
            requesters=Grant(everyone=True),
            stages=(
                ApprovalStage(
                    approvers=Grant(users=frozenset({"U0ANN", "W0BOB"}), groups=frozenset({"S0LEADS"})),
                    approvals_required=2,
                ),
            ),
            operators=Grant(users=frozenset({"U0ROOT"})),
            approval_channel="C0APPROVE",
            approval_ttl=timedelta(minutes=1),
            max_numbers=5,
        )

    def test_only_the_mapping_counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What the process's own environment says does not matter; the mapping is all."""
        monkeypatch.setenv("PORT", "4000")
        monkeypatch.setenv("port", "4001")
        monkeypatch.setenv("LINESMAN_NONSENSE", "1")

        assert config.load(LEAST).port == 3000

    def test_blank_is_unset(self) -> None:
        """An empty or blank variable counts as not set, and a line break at the end of a value is dropped."""
        settings = config.load(LEAST | {"PORT": "", "CLOSE_API_KEY": "  ", "SLACK_BOT_TOKEN": "xoxb-1\n"})

        assert settings.port == 3000
        assert settings.close is None
        assert settings.slack_bot_token.get_secret_value() == "xoxb-1"

    def test_http_mode(self) -> None:
        """Without an app token and with a signing secret Slack is served over HTTP."""
        environ = LEAST | {"SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": "0123456789abcdef"}

        assert not config.load(environ).socket_mode

    @pytest.mark.parametrize("host", ["10.0.0.1", "::", "::1", "fe80::1%eth0", "localhost", "my_host-1.example"])
    def test_hosts(self, host: str) -> None:
        """Whatever can be listened on is taken as it is."""
        assert config.load(LEAST | {"HOST": host}).host == host

    def test_several_keys(self) -> None:
        """Several sealing keys keep their order, because the first one writes."""
        keys = [Fernet.generate_key().decode() for _ in range(2)]

        settings = config.load(LEAST | {"LINESMAN_SECRET_KEY": ", ".join(keys)})

        assert [key.get_secret_value() for key in settings.secret_keys] == keys

    def test_frozen(self) -> None:
        """Nobody changes the configuration at run time."""
        with pytest.raises(ValidationError):
            config.load(LEAST).port = 1  # type: ignore[misc]  # the assignment under test

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("LINESMAN_SERVICE_HOST", "10.0.0.1"),
            ("LINESMAN_SERVICE_PORT_HTTP", "3000"),
            ("LINESMAN_PORT", "tcp://10.0.0.1:3000"),
            ("LINESMAN_DB_PORT_5432_TCP_ADDR", "10.0.0.1"),
        ],
    )
    def test_service_links(self, name: str, value: str) -> None:
        """What Kubernetes adds for a service called linesman is nobody's typing error."""
        assert config.load(LEAST | {name: value}).port == 3000


class TestProviders:
    """Which provider is on, and how it is reached."""

    def test_close_alone_will_do(self) -> None:
        """Telnyx needs no key when Close has one."""
        settings = config.load({name: value for name, value in LEAST.items() if name != "TELNYX_API_KEY"} | CLOSE)

        assert settings.telnyx is None
        assert settings.close is not None
        assert (settings.close.api_key.get_secret_value(), settings.close.bearer) == ("api_0123.456", False)

    def test_an_access_token_is_a_bearer(self) -> None:
        """Close's two credentials have a variable each, because nothing in them tells one from the other for sure."""
        settings = config.load(LEAST | {"CLOSE_ACCESS_TOKEN": "token0123"})

        assert settings.close is not None
        assert (settings.close.api_key.get_secret_value(), settings.close.bearer) == ("token0123", True)
        assert any("CLOSE_ACCESS_TOKEN is not renewed" in warning for warning in config.cautions_of(settings))

    def test_two_credentials_are_one_too_many(self) -> None:
        """Nobody has to guess which of the two counts."""
        assert problems(LEAST | CLOSE | {"CLOSE_ACCESS_TOKEN": "token0123"}) == [
            "CLOSE_ACCESS_TOKEN is set beside CLOSE_API_KEY: unset one of them."
        ]


class TestBad:
    """Environments that Linesman refuses."""

    def test_nothing_set(self) -> None:
        """An empty environment is answered with everything that is missing and where to find it."""
        assert problems({}) == [
            (
                "SLACK_BOT_TOKEN is not set: paste the token that starts with xoxb- from your Slack app's OAuth & "
                "Permissions page."
            ),
            (
                "SLACK_SIGNING_SECRET is not set: paste the signing secret from your Slack app's Basic Information "
                "page, or set SLACK_APP_TOKEN to use Socket Mode."
            ),
            (
                "TELNYX_API_KEY is not set: paste an API key from the Telnyx portal (KEY…), or set CLOSE_API_KEY to an "
                "API key from Close's settings (api_…), or both."
            ),
            (
                "LINESMAN_APPROVAL_CHANNEL is not set: copy the id of the channel for approval "
                "requests from the bottom of the channel's details."
            ),
        ]

    @pytest.mark.parametrize(
        ("name", "value", "said"),
        [
            ("SLACK_BOT_TOKEN", "xoxp-1", "must start with xoxb-"),
            ("SLACK_BOT_TOKEN", "xoxb-1 2", "has a quote, a space"),
            ("SLACK_APP_TOKEN", "xoxb-1", "must start with xapp-"),
            ("TELNYX_API_KEY", "KEY„1”", "has a quote, a space, a line break or a letter that no key has"),
            ("TELNYX_API_KEY", "'KEY1'", "has a quote"),
            ("CLOSE_API_KEY", '"api_1"', "has a quote"),
            ("CLOSE_ACCESS_TOKEN", '"token"', "has a quote"),
            ("SLACK_SIGNING_SECRET", f'"{"0123456789abcdef" * 2}"', "has a quote"),
            ("HOST", '"0.0.0.0"', "is '\"0.0.0.0\"', which is no address to listen on: give one such as 0.0.0.0"),
            ("HOST", "http://0.0.0.0", "without quotes, http:// and a port"),
            ("HOST", "127.0.0.1:3000", "without quotes, http:// and a port"),
            ("SLACK_API_URL", "slack.com/api", "must be an address"),
            ("SLACK_API_URL", "ftp://slack.com", "must be an address"),
            ("TELNYX_API_URL", "https://", "must be an address"),
            *(
                (name, address, "must be an address such as https://api.example.com, without a user name, a password,")
                for name in ("SLACK_API_URL", "TELNYX_API_URL", "CLOSE_API_URL")
                for address in BAD_ADDRESSES
            ),
            *(
                ("OTEL_EXPORTER_OTLP_ENDPOINT", address, "must be an address such as http://collector:4318, without")
                for address in BAD_ADDRESSES
            ),
            ("DATABASE_URL", "linesman.db", "must start with sqlite+aiosqlite://"),
            ("DATABASE_URL", "sqlite:///linesman.db", "must start with sqlite+aiosqlite://"),
            ("DATABASE_URL", "mysql://h/db", "postgresql+asyncpg://"),
            ("DATABASE_URL", "postgresql+psycopg://h/db", "postgresql+asyncpg://"),
            ("DATABASE_URL", "postgres://h/db?channel_binding=require", "channel_binding=require, which the driver"),
            ("DATABASE_URL", "postgresql+asyncpg://h:port/db", "postgresql+asyncpg://"),
            ("DATABASE_URL", "postgresql+asyncpg://h:99999/db", "has the port 99999, and there are those from 1 to"),
            ("DATABASE_URL", "postgresql+asyncpg://h:0/db", "has the port 0, and there are those from 1 to 65535"),
            ("DATABASE_URL", "postgresql+asyncpg://h..example/db", "has a host whose name cannot be one"),
            ("DATABASE_URL", "postgres://h/db?target_session_attrs=master", "one of any, primary, standby, read-write"),
            ("PORT", "http", "is 'http': give a whole number"),
            ("PORT", "65536", "is '65536': give at most 65535"),
            ("PORT", "-1", "is '-1': give at least 0"),
            ("LINESMAN_REQUESTERS", "U0ANN, bob,@eve", "has '@eve', 'bob', which is not a Slack id"),
            ("LINESMAN_REQUESTERS", "C0CHANNEL", "has 'C0CHANNEL', which is not a Slack id"),
            ("LINESMAN_APPROVERS", "*", "may not be *"),
            ("LINESMAN_OPERATORS", "U0ANN,*", "may not be *"),
            ("LINESMAN_APPROVERS", "*,bob", "; it also has 'bob'"),
            ("LINESMAN_APPROVAL_CHANNEL", "#ops", "is '#ops', which is not a channel id (C… or G…): copy"),
            ("LINESMAN_FAILURE_CHANNEL", "U0ANN", "from the bottom of the channel's details"),
            ("LINESMAN_APPROVALS_REQUIRED", "0", "give at least 1"),
            ("LINESMAN_APPROVAL_TTL", "59", "give at least 60"),
            ("LINESMAN_APPROVAL_TTL", "1h", "is '1h': give a whole number"),
            ("LINESMAN_APPROVAL_TTL", "9" * 20, "give at most 31536000"),
            ("LINESMAN_MAX_NUMBERS", "0", "give at least 1"),
            ("LINESMAN_MAX_NUMBERS", "1.5", "give a whole number"),
            ("LINESMAN_POLICY_FILE", "none/such.toml", "names none/such.toml, which does not exist: give the path"),
            ("LINESMAN_SECRET_KEY", "abc", "has no Fernet key in place 1 of 1: make one with `python3 -c"),
            ("LINESMAN_POLL_MIN", "0", "give more than 0"),
            ("LINESMAN_POLL_MAX", "1", "is 1: give at least LINESMAN_POLL_MIN, which is 2"),
            ("LINESMAN_PROVIDER_TIMEOUT", "inf", "is 'inf': give a number"),
            ("LINESMAN_RECONCILE_SECONDS", "nan", "is 'nan': give a number"),
            ("LINESMAN_STUCK_AFTER", "0", "is '0': give more than 0"),
            ("LINESMAN_CARD_SECONDS", "soon", "is 'soon': give a number"),
            ("LINESMAN_POLL_MIN", "1e9", "is '1e9': give at most 3600"),
            ("LINESMAN_POLL_MAX", "1e300", "is '1e300': give at most 3600"),
            ("LINESMAN_PROVIDER_TIMEOUT", "86400", "is '86400': give at most 600"),
            ("LINESMAN_RECONCILE_SECONDS", "86401", "is '86401': give at most 86400"),
            ("LINESMAN_STUCK_AFTER", "1e12", "is '1e12': give at most 2592000"),
            ("LINESMAN_CARD_SECONDS", "1e300", "is '1e300': give at most 3600"),
            ("SLACK_SIGNING_SECRET", "0123456789abcde", "has 15 characters and Slack's have 32: paste the signing"),
            ("TELNYX_API_URL", "http://api.telnyx.com/v2", "must begin with https://, because over http://"),
            ("CLOSE_API_URL", "http://10.0.0.7:8080", "must begin with https://, because over http://"),
            ("SLACK_API_URL", "http://localhost.example.com/", "must begin with https://, because over http://"),
            ("DATABASE_URL", "sqlite+aiosqlite:///file:a.db?uri=true", "must name the file by its path"),
            ("DATABASE_URL", "sqlite+aiosqlite:///a.db?mode=ro", "takes no parameters behind a file"),
            ("LINESMAN_RETENTION_DAYS", "0", "is '0': give at least 1"),
            ("LINESMAN_RETENTION_DAYS", "1y", "is '1y': give a whole number"),
            ("LINESMAN_LOG_LEVEL", "loud", "is 'loud': give 'debug', 'info', 'warning' or 'error'"),
            ("LINESMAN_LOG_FORMAT", "xml", "is 'xml': give 'json' or 'console'"),
        ],
    )
    def test_one_problem(self, name: str, value: str, said: str) -> None:
        """A wrong value is one problem: a sentence that starts with the variable and says what to do."""
        found = problems(LEAST | {name: value})

        assert len(found) == 1
        assert found[0].startswith(f"{name} ")
        assert said in found[0]
        assert found[0].endswith(".")

    def test_all_at_once(self) -> None:
        """Every problem is reported in the same run, also those that a wrong neighbour could hide."""
        wrong = {
            "SLACK_BOT_TOKEN": "",
            "SLACK_APP_TOKEN": "xoxb-1",
            "TELNYX_API_KEY": "",
            "LINESMAN_APPROVAL_CHANNEL": "#ops",
            "LINESMAN_POLL_MIN": "31",
            "LINESMAN_LOG_LEVEL": "loud",
            "LINESMAN_POLICY_FILE": "p",
            "LINESMAN_MAX_NUMBER": "3",
        }

        named = [problem.split()[0] for problem in problems(LEAST | wrong)]

        assert named == [
            "SLACK_BOT_TOKEN",
            "SLACK_APP_TOKEN",
            "TELNYX_API_KEY",
            "LINESMAN_APPROVAL_CHANNEL",
            "LINESMAN_POLICY_FILE",
            "LINESMAN_POLL_MAX",
            "LINESMAN_LOG_LEVEL",
            "LINESMAN_MAX_NUMBER",
        ]

    @pytest.mark.parametrize(
        ("name", "hint"),
        [
            ("LINESMAN_APROVERS", "did you mean LINESMAN_APPROVERS?"),
            ("LINESMAN_MAX_NUMBER", "did you mean LINESMAN_MAX_NUMBERS?"),
            ("LINESMAN_PORT", "did you mean PORT?"),
            ("LINESMAN_TELNYX_API_KEY", "did you mean TELNYX_API_KEY?"),
            ("LINESMAN_XYZZY", "unset it, or look in .github/OPERATING.md for what you meant."),
        ],
    )
    def test_unknown_variable(self, name: str, hint: str) -> None:
        """A misspelt variable is not silently without effect; the nearest known name is suggested."""
        assert problems(LEAST | {name: "1"}) == [f"{name} is not a variable that Linesman knows: {hint}"]

    @given(
        secret=st.text(
            st.characters(codec="ascii", categories=["L", "N"], include_characters="-_.=+/:"), min_size=25, max_size=60
        ),
        name=st.sampled_from([variable.name for variable in config.VARIABLES]),
    )
    def test_no_secret_is_repeated(self, secret: str, name: str) -> None:
        """Whatever secret is pasted into whatever variable, no problem repeats it."""
        # No variable takes a value with these marks.
        pasted = f"¶{secret}¶"

        found = problems(LEAST | {name: pasted})

        assert [problem for problem in found if secret in problem] == []

    def test_short_secrets_are_not_repeated(self) -> None:
        """The value of a variable that is meant for a secret is never quoted, however short it is."""
        wrong = dict.fromkeys(
            [
                "SLACK_BOT_TOKEN",
                "SLACK_APP_TOKEN",
                "SLACK_SIGNING_SECRET",
                "TELNYX_API_KEY",
                "CLOSE_API_KEY",
                "CLOSE_ACCESS_TOKEN",
                "DATABASE_URL",
                "LINESMAN_SECRET_KEY",
            ],
            "s3 cr3t",
        )

        found = problems(LEAST | wrong)

        assert len(found) == len(wrong)
        assert not any("s3" in problem or "cr3t" in problem for problem in found)


class TestPolicyFile:
    """The file of rules, as part of the configuration."""

    @staticmethod
    def written(folder: Path, text: str) -> dict[str, str]:
        """Return an environment that names a policy file with ``text``."""
        path = folder / "policy.toml"
        path.write_text(text, encoding="utf-8")
        return LEAST | {"LINESMAN_REQUESTERS": "U0ANN", "LINESMAN_POLICY_FILE": str(path)}

    def test_policies(self, tmp_path: Path) -> None:
        """Its rules stand over the policy of the variables; deletions are off unless a rule allows them."""
        environ = self.written(tmp_path, '[[rule]]\nname = "few"\nmax_numbers = 9\napprovals_required = 2')

        settings = config.load(environ)
        few = settings.policies.governing("telnyx.settings", 9, ())

        assert few is not None
        assert (few.name, few.approvals_required, few.requesters) == ("few", 2, Grant(users=frozenset({"U0ANN"})))
        assert settings.policies.governing("telnyx.settings", 10, ()) == settings.policy
        assert settings.policies.governing("telnyx.delete", 9, ()) is None
        assert settings.redacted()["LINESMAN_POLICY_FILE"] == environ["LINESMAN_POLICY_FILE"]

    def test_no_file(self) -> None:
        """Without a file there are no rules."""
        settings = config.load(LEAST)

        assert settings.policies.rules == ()
        assert settings.policies.governing("telnyx.settings", 1, ()) == settings.policy

    def test_problems(self, tmp_path: Path) -> None:
        """Every problem of the file is told with those of the variables, in the variable's place."""
        environ = self.written(tmp_path, "[[rule]]\nlargest = 0") | {"PORT": "http", "LINESMAN_LOG_LEVEL": "loud"}

        assert problems(environ) == [
            "PORT is 'http': give a whole number.",
            "policy.toml, rule 1: largest must be a whole number of at least 1, not 0.",
            "policy.toml, rule 1: name is missing: decisions name the rule that allowed them.",
            "LINESMAN_LOG_LEVEL is 'loud': give 'debug', 'info', 'warning' or 'error'.",
        ]

    def test_kinds(self, tmp_path: Path) -> None:
        """Which kinds and settings there are is checked when the caller knows."""
        environ = self.written(tmp_path, '[[rule]]\nname = "x"\nkinds = ["telnyx.fax"]')

        with pytest.raises(ConfigurationError, match=r"kinds has telnyx\.fax, which is not a kind of change"):
            config.load(environ, kinds={"telnyx.settings": ["tags"]})

        assert config.load(environ).policies.rules[0].kinds == ("telnyx.fax",)

    def test_warnings(self, tmp_path: Path) -> None:
        """What is odd about a rule is among the warnings."""
        environ = self.written(tmp_path, '[[rule]]\nname = "x"\napprovers = []')

        assert (
            "policy.toml, rule 1 “x”: approvers is empty: no change under this rule can be approved."
            in config.cautions_of(config.load(environ))
        )

    def test_explained(self, tmp_path: Path) -> None:
        """The settings tell the policy in plain words, in the order in which the rules are asked."""
        environ = self.written(tmp_path, '[[rule]]\nname = "few"\nmax_numbers = 9')

        told = config.load(environ).explain()

        assert [sentence.partition(";")[0] for sentence in told] == [
            "1. few: changes of every kind of at most 9 numbers",
            "2. environment: every other change",
            "3. off by default: telnyx.delete changes",
        ]


class TestSecrets:
    """Secrets that are configured stay unseen."""

    DATABASE = "postgresql+asyncpg://linesman:hunter2@db/linesman"

    def test_listed_for_the_logs(self) -> None:
        """The redaction of logs is told every secret, the database's password among them."""
        key = Fernet.generate_key().decode()
        settings = config.load(LEAST | {"DATABASE_URL": self.DATABASE, "LINESMAN_SECRET_KEY": key})

        assert settings.secrets() == {"xoxb-1-2-three", "xapp-1-A0-four", "KEY0123_five", "hunter2", key}

    def test_not_shown(self) -> None:
        """Neither the listing for logs nor the settings' own text shows a secret."""
        key = Fernet.generate_key().decode()
        settings = config.load(LEAST | {"DATABASE_URL": self.DATABASE, "LINESMAN_SECRET_KEY": key})

        text = f"{settings.redacted()} {settings!r} {settings} {settings.telnyx!r}"

        assert [secret for secret in settings.secrets() if secret in text] == []
        assert settings.redacted()["DATABASE_URL"] == "postgresql+asyncpg://linesman:***@db/linesman"


class TestWarnings:
    """What is allowed and probably not meant."""

    FINE = LEAST | {
        "LINESMAN_REQUESTERS": "S0OPS",
        "LINESMAN_APPROVERS": "U0ANN,U0BOB",
        "LINESMAN_OPERATORS": "U0ROOT",
        "LINESMAN_SECRET_KEY": Fernet.generate_key().decode(),
    }

    def test_none(self) -> None:
        """A configuration with people in every role and a key has nothing to warn of."""
        assert config.cautions_of(config.load(self.FINE)) == ()

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"LINESMAN_REQUESTERS": ""}, "nobody can request a change"),
            ({"LINESMAN_APPROVERS": ""}, "LINESMAN_APPROVERS is empty: no change can be approved"),
            ({"LINESMAN_OPERATORS": ""}, "nobody can unlock numbers"),
            ({"LINESMAN_APPROVALS_REQUIRED": "3"}, "names 2: no change can be approved"),
            ({"LINESMAN_APPROVALS_REQUIRED": "2", "LINESMAN_REQUESTERS": "*"}, "nobody approves their own"),
            ({"LINESMAN_APPROVERS": "U0ANN", "LINESMAN_REQUESTERS": "U0ANN"}, "nobody approves their own"),
            ({"LINESMAN_SECRET_KEY": ""}, "the external PIN) are not offered"),
            ({"DATABASE_URL": "sqlite+aiosqlite://"}, "everything is forgotten"),
            ({"SLACK_BOT_TOKEN": "xoxe.xoxb-1-abc"}, "a rotating token"),
            ({"SLACK_SIGNING_SECRET": "0123456789abcdef"}, "has 16 characters and Slack's have 32"),
            ({"LINESMAN_POLL_MIN": "0.01"}, "LINESMAN_POLL_MIN is 0.01 s: the provider is asked"),
            ({"LINESMAN_PROVIDER_TIMEOUT": "0.5"}, "LINESMAN_PROVIDER_TIMEOUT is 0.5 s: slower responses"),
            (
                {"LINESMAN_RECONCILE_SECONDS": "1"},
                "LINESMAN_RECONCILE_SECONDS is 1 s: a job creation without a",
            ),
            ({"LINESMAN_STUCK_AFTER": "1"}, "LINESMAN_STUCK_AFTER is 1 s: operators are told"),
            ({"LINESMAN_CARD_SECONDS": "0"}, "LINESMAN_CARD_SECONDS is 0 s: Slack takes about one edit a second"),
        ],
    )
    def test_one(self, change: dict[str, str], said: str) -> None:
        """What is allowed and probably not meant is said in one sentence."""
        found = config.cautions_of(config.load(self.FINE | change))

        assert len(found) == 1
        assert said in found[0]

    def test_group_may_be_large(self) -> None:
        """How many people are in a group is not known here, so nothing is said about too few approvers."""
        environ = self.FINE | {"LINESMAN_APPROVERS": "S0LEADS", "LINESMAN_APPROVALS_REQUIRED": "3"}

        assert config.cautions_of(config.load(environ)) == ()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "[::1]", "localhost", "LOCALHOST", "telnyx.localhost"])
def test_this_machine_needs_no_encryption(host: str) -> None:
    """What never leaves the machine may go over http."""
    environ = LEAST | {"TELNYX_API_URL": f"http://{host}:8080/v2"}

    assert config.load(environ).telnyx_api_url == f"http://{host}:8080/v2"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("LINSEMAN_APPROVERS", "LINESMAN_APPROVERS"),
        ("LINESMANN_APROVERS", "LINESMAN_APPROVERS"),
        ("linesman_operators", "LINESMAN_OPERATORS"),
        ("LINESMAN-OPERATORS", "LINESMAN_OPERATORS"),
        ("LINEMAN_XYZZY", "LINESMAN_…"),
        ("LINESMANOPERATORS", "LINESMAN_OPERATORS"),
        ("LINESMANDATABASE_URL", "DATABASE_URL"),
        ("SLACK_SIGNIN_SECRET", "SLACK_SIGNING_SECRET"),
        ("DATABSE_URL", "DATABASE_URL"),
    ],
)
def test_a_variable_that_looks_like_ours_is_told(name: str, meant: str) -> None:
    """It would have been without effect and without a word; what is blank never has an effect."""
    assert config.name_cautions(LEAST | {name: "s3cr3t"}) == (
        f"{name} looks like a misspelt {meant}: Linesman does not read it. Correct it, or unset it.",
    )
    assert config.name_cautions(LEAST | {name: " "}) == ()


@pytest.mark.parametrize(
    "name", ["PATH", "PORT_2", "SLACK_WEBHOOK_URL", "SLACK_BOT_TOKEN_2", "LINESMEN_SERVICE_HOST", "LINES", "HOSTNAME"]
)
def test_other_programs_variables_are_theirs(name: str) -> None:
    """Nothing is said of what does not look like ours, nor of what is near to one that is there."""
    assert config.name_cautions(LEAST | {name: "1"}) == ()


class TestFormerNames:
    """A variable of an earlier version."""

    OLD, NEW = "LINESMAN_SETTLE_SECONDS", "LINESMAN_RECONCILE_SECONDS"

    def test_counts(self) -> None:
        """It works as before, and one sentence says what it is called now."""
        environ = LEAST | {self.OLD: "75", self.NEW: " "}

        assert config.load(environ).reconcile_seconds == 75
        assert config.name_cautions(environ) == (
            f"{self.OLD} is now called {self.NEW}: rename it. The old name still works.",
        )

    def test_malformed(self) -> None:
        """What is wrong with it is told under the name that its owner finds in the file."""
        assert problems(LEAST | {self.OLD: "soon"}) == [f"{self.OLD} is 'soon': give a number."]

    def test_beside_the_same(self) -> None:
        """Given twice with one value, it is still told, and nothing is refused."""
        environ = LEAST | {self.OLD: "75 ", self.NEW: "75"}

        assert config.load(environ).reconcile_seconds == 75
        assert len(config.name_cautions(environ)) == 1

    def test_beside_another(self) -> None:
        """Given twice with two values, nobody knows which is meant: one sentence, and no start."""
        with pytest.raises(ConfigurationError) as caught:
            config.load(LEAST | {self.OLD: "75", self.NEW: "80"})

        assert caught.value.problems == (
            f"{self.OLD} is the former name of {self.NEW}, and the two differ: unset {self.OLD}.",
        )

    def test_blank(self) -> None:
        """Blank is not given, as with every variable."""
        environ = LEAST | {self.OLD: " "}

        assert config.load(environ).reconcile_seconds == 60
        assert config.name_cautions(environ) == ()

    def test_names_are_gone(self) -> None:
        """A former name is no variable any more, and what it became is one."""
        names = {variable.name for variable in config.VARIABLES}

        assert not names & set(FORMER)
        assert set(FORMER.values()) <= names


def test_the_database_alone_needs_no_secrets() -> None:
    """Migrating and exporting ask neither Slack nor a provider; what they do read is checked as always."""
    storage = config.load_storage({"DATABASE_URL": "postgresql+asyncpg://lin:correct-horse@db/lin"})

    assert storage.secrets() == {"correct-horse"}
    with pytest.raises(ConfigurationError, match=r"LINESMAN_LOG_LEVEL is 'loud'"):
        config.load_storage({"LINESMAN_LOG_LEVEL": "loud", "LINESMAN_NONSENSE": "1"})


def test_variables() -> None:
    """The table for the operators' page has every variable once, with a meaning, and marks those that must be set."""
    names = [variable.name for variable in config.VARIABLES]
    defaults = {variable.name: variable.default for variable in config.VARIABLES}

    assert len(names) == len(set(names)) == 33
    assert all(variable.meaning for variable in config.VARIABLES)
    assert [variable.name for variable in config.VARIABLES if variable.required] == [
        "SLACK_BOT_TOKEN",
        "LINESMAN_APPROVAL_CHANNEL",
    ]
    assert defaults["DATABASE_URL"] == "sqlite+aiosqlite:///linesman.db"
    assert defaults["LINESMAN_POLL_MIN"] == "2"
    assert defaults["LINESMAN_SECRET_KEY"] == ""


def test_in_socket_mode_only_this_machine_is_served_unless_told_otherwise() -> None:
    """Over HTTP Slack has to reach the port; in Socket Mode nobody else has, and whoever opens it is told."""
    socket_mode = LEAST | {"SLACK_APP_TOKEN": "xapp-1-a-b"}

    over_http = {name: value for name, value in LEAST.items() if name != "SLACK_APP_TOKEN"}

    assert config.load(over_http | {"SLACK_SIGNING_SECRET": "0123456789abcdef"}).host == "0.0.0.0"  # noqa: S104 - the default
    assert config.load(socket_mode).host == "127.0.0.1"
    opened = config.load(socket_mode | {"HOST": "10.0.0.1"})
    assert opened.host == "10.0.0.1"
    assert any("HOST is 10.0.0.1 in Socket Mode" in warning for warning in config.cautions_of(opened))
