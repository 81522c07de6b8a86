"""The one frozen value that holds the whole configuration, and its derived values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import make_url

from bot.changes.model.values import MASK
from bot.changes.policy import ApprovalStage, Grant, Policies, Policy
from bot.config.fields import (
    SENTENCES,
    AppToken,
    BotToken,
    ChannelId,
    CollectorUrl,
    DatabaseUrl,
    FernetKeys,
    Host,
    Key,
    NamedGrant,
    OpenGrant,
    Policed,
    SigningSecret,
    WebUrl,
)
from bot.config.policy import PolicyFile, explain, explain_reading
from bot.config.storage import (
    DATABASE_URL,
    LOG_FORMAT,
    LOG_LEVEL,
    LOG_LIBRARIES,
    LogFormat,
    LogLevel,
    LogLibraries,
    Passed,
)

_NO_PROVIDER = (
    "TELNYX_API_KEY is not set: paste an API key from the Telnyx portal (KEY…), "
    "or set CLOSE_API_KEY to an API key from Close's settings (api_…), or both."
)
_YEAR = 31_536_000
_MONTH = 2_592_000
_DAY = 86_400
_HOUR = 3_600
_TEN_MINUTES = 600
#: Kinds that cannot be undone: nobody may use them, unless a rule that names them allows it.
_OFF_BY_DEFAULT = frozenset({"telnyx.delete"})


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderSettings:
    """How to reach one provider."""

    api_key: SecretStr
    api_url: str
    #: Whether the key is an OAuth access token, which is sent in another way.
    bearer: bool = False


class Settings(Passed):
    """The configuration. One field per variable: its alias is the variable, its description the variable's meaning.

    Made by :func:`bot.config.load` from the given mapping, never from the process's environment.
    """

    slack_bot_token: BotToken = Field(alias="SLACK_BOT_TOKEN", description="Slack's bot token, `xoxb-…`")
    slack_app_token: AppToken | None = Field(
        None, alias="SLACK_APP_TOKEN", description="Slack's app-level token, `xapp-…`; turns Socket Mode on"
    )
    slack_signing_secret: SigningSecret | None = Field(
        None, alias="SLACK_SIGNING_SECRET", description="Slack's signing secret; required for HTTP"
    )
    slack_api_url: WebUrl = Field(
        "https://slack.com/api/", alias="SLACK_API_URL", description="base address of Slack's Web API"
    )
    telnyx_api_key: Key | None = Field(None, alias="TELNYX_API_KEY", description="Telnyx's API key; turns Telnyx on")
    telnyx_api_url: WebUrl = Field(
        "https://api.telnyx.com/v2", alias="TELNYX_API_URL", description="base address of Telnyx's API"
    )
    close_api_key: Key | None = Field(None, alias="CLOSE_API_KEY", description="Close's API key; turns Close on")
    close_access_token: Key | None = Field(
        None,
        alias="CLOSE_ACCESS_TOKEN",
        description="an OAuth access token of Close, instead of `CLOSE_API_KEY`",
    )
    close_api_url: WebUrl = Field(
        "https://api.close.com/api/v1", alias="CLOSE_API_URL", description="base address of Close's API"
    )
    database_url: DatabaseUrl = DATABASE_URL
    own_host: Host | None = Field(
        None,
        alias="HOST",
        description="address that the HTTP server listens on; without it `0.0.0.0`, or `127.0.0.1` in Socket Mode, "
        "where it serves only health and metrics",
    )
    port: int = Field(3000, ge=0, le=65535, alias="PORT", description="port of the HTTP server; `0`: any free port")
    requesters: OpenGrant = Field(
        Grant(),
        alias="LINESMAN_REQUESTERS",
        description="who may request changes: comma list of user ids `U…`/`W…` and user group ids `S…`, or `*`",
    )
    approvers: NamedGrant = Field(
        Grant(), alias="LINESMAN_APPROVERS", description="who may approve: the same list, without `*`"
    )
    operators: NamedGrant = Field(
        Grant(),
        alias="LINESMAN_OPERATORS",
        description="who may unlock, freeze, resolve unknown jobs and export: the same list, without `*`",
    )
    approval_channel: ChannelId = Field(
        alias="LINESMAN_APPROVAL_CHANNEL", description="id of the channel for approval requests"
    )
    #: None stands for the approval channel; use :attr:`policy` for the one that counts.
    own_failure_channel: ChannelId | None = Field(
        None,
        alias="LINESMAN_FAILURE_CHANNEL",
        description="id of the channel for failures; without it, the approval channel",
    )
    approvals_required: int = Field(
        1, ge=1, alias="LINESMAN_APPROVALS_REQUIRED", description="how many different approvers a change needs"
    )
    approval_ttl: int = Field(
        _DAY, ge=60, le=_YEAR, alias="LINESMAN_APPROVAL_TTL", description="seconds that a request waits for approval"
    )
    max_numbers: int = Field(20_000, ge=1, alias="LINESMAN_MAX_NUMBERS", description="most numbers in one change")
    policy_file: Policed | None = Field(
        None, alias="LINESMAN_POLICY_FILE", description="optional TOML file of rules by kind, size and setting"
    )
    secret_keys: FernetKeys = Field(
        (),
        alias="LINESMAN_SECRET_KEY",
        description="comma list of Fernet keys that protect secrets in the database: the first one encrypts, "
        "all decrypt; without one, secret settings are not offered",
    )
    poll_min: float = Field(
        2,
        gt=0,
        le=_HOUR,
        allow_inf_nan=False,
        alias="LINESMAN_POLL_MIN",
        description="shortest time in seconds between two polls of a job",
    )
    poll_max: float = Field(
        30,
        gt=0,
        le=_HOUR,
        allow_inf_nan=False,
        alias="LINESMAN_POLL_MAX",
        description="longest time in seconds between two polls of a job that is late, or that nothing is known of",
    )
    provider_timeout: float = Field(
        30,
        gt=0,
        le=_TEN_MINUTES,
        allow_inf_nan=False,
        alias="LINESMAN_PROVIDER_TIMEOUT",
        description="seconds to wait for a provider's response",
    )
    reconcile_seconds: float = Field(
        60,
        gt=0,
        le=_DAY,
        allow_inf_nan=False,
        alias="LINESMAN_RECONCILE_SECONDS",
        description="seconds that Linesman searches for a job whose creation got no response before creating it again",
    )
    stuck_after: float = Field(
        900,
        gt=0,
        le=_MONTH,
        allow_inf_nan=False,
        alias="LINESMAN_STUCK_AFTER",
        description="seconds without progress, counted from the provider's estimate if there is one, after which a job "
        "counts as stalled and operators are told, "
        "with reminders after twice as long each time",
    )
    card_seconds: float = Field(
        3,
        ge=0,
        le=_HOUR,
        allow_inf_nan=False,
        alias="LINESMAN_CARD_SECONDS",
        description="shortest time in seconds between two edits of a card",
    )
    retention_days: int | None = Field(
        None,
        ge=1,
        le=36_500,
        alias="LINESMAN_RETENTION_DAYS",
        description="days after which an ended change is reduced to its summary and its events are deleted; "
        "without it, everything is kept",
    )
    otlp_endpoint: CollectorUrl | None = Field(
        None,
        alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="base address of an OpenTelemetry collector, OTLP over HTTP: turns traces on (extra `otel`)",
    )
    log_level: LogLevel = LOG_LEVEL
    log_libraries: LogLibraries = LOG_LIBRARIES
    log_format: LogFormat = LOG_FORMAT

    # These rules also read an earlier field. When that field is wrong, it is missing from `info.data`, its own problem
    # is reported, and the rule has nothing to add.

    @field_validator("slack_signing_secret")
    @classmethod
    def _http_mode_needs_a_secret(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None and info.data.get("slack_app_token", ...) is None:
            raise ValueError(
                "is not set: paste the signing secret from your Slack app's Basic Information page, "
                "or set SLACK_APP_TOKEN to use Socket Mode"
            )
        return value

    @field_validator("close_access_token")
    @classmethod
    def _some_provider(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        """Require at least one provider. Close's two credentials look alike to us, so each has its own variable."""
        telnyx, close = (info.data.get(name, ...) for name in ("telnyx_api_key", "close_api_key"))
        if value is not None and close is not None:
            raise ValueError("is set beside CLOSE_API_KEY: unset one of them")
        if value is None and telnyx is None and close is None:
            raise PydanticCustomError(SENTENCES, "no provider", {"problems": [_NO_PROVIDER]})
        return value

    @field_validator("poll_max")
    @classmethod
    def _polls_in_order(cls, value: float, info: ValidationInfo) -> float:
        if value < (shortest := info.data.get("poll_min", value)):
            raise ValueError(f"is {value:g}: give at least LINESMAN_POLL_MIN, which is {shortest:g}")
        return value

    @property
    def host(self) -> str:
        """The address to listen on: reachable by Slack, or only from this machine."""
        everywhere = "0.0.0.0"  # noqa: S104 - a container's port is reached from outside
        return self.own_host or ("127.0.0.1" if self.socket_mode else everywhere)

    @property
    def socket_mode(self) -> bool:
        """Whether we connect to Slack over Socket Mode, instead of Slack calling us over HTTP."""
        return self.slack_app_token is not None

    @property
    def telnyx(self) -> ProviderSettings | None:
        """How to reach Telnyx; None when it is off."""
        return _provider(self.telnyx_api_key, self.telnyx_api_url)

    @property
    def close(self) -> ProviderSettings | None:
        """How to reach Close; None when it is off."""
        if self.close_access_token is not None:
            return ProviderSettings(api_key=self.close_access_token, api_url=self.close_api_url, bearer=True)
        return _provider(self.close_api_key, self.close_api_url)

    @property
    def policy(self) -> Policy:
        """The policy of the variables: it governs changes that no rule of the policy file governs."""
        return Policy(
            requesters=self.requesters,
            stages=(ApprovalStage(approvers=self.approvers, approvals_required=self.approvals_required),),
            operators=self.operators,
            approval_channel=self.approval_channel,
            own_failure_channel=self.own_failure_channel,
            approval_ttl=timedelta(seconds=self.approval_ttl),
            max_numbers=self.max_numbers,
        )

    @property
    def policies(self) -> Policies:
        """The rules of the policy file, over the policy of the variables."""
        return Policies(
            rules=self.policy_file.rules if self.policy_file else (),
            fallback=self.policy,
            off_by_default=_OFF_BY_DEFAULT,
            readers=self.policy_file.readers if self.policy_file else Grant(),
        )

    def explain(self) -> list[str]:
        """Return the policy in plain words: one numbered sentence for each rule in its order."""
        return explain(self.policies)

    def explain_reading(self) -> str:
        """Return who may view changes and numbers, as a sentence."""
        return explain_reading(self.policies)

    def secrets(self) -> frozenset[str]:
        """Return every secret text, only for :func:`bot.telemetry.logs.configure`."""
        values = [value for _, value in self if isinstance(value, SecretStr) and value is not self.database_url]
        password = make_url(self.database_url.get_secret_value()).password
        return frozenset(
            {secret.get_secret_value() for secret in [*values, *self.secret_keys]} | ({password} if password else set())
        )

    def redacted(self) -> dict[str, Any]:
        """Return variable -> value for logs: JSON values, secrets masked, unset ones left out."""
        shown: dict[str, Any] = {}
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if name == "database_url":
                value = make_url(value.get_secret_value()).render_as_string(hide_password=True)
            elif isinstance(value, SecretStr | tuple):
                value = MASK if value else None
            elif isinstance(value, Grant):
                value = str(value)
            elif isinstance(value, PolicyFile):
                value = value.path
            if value is not None:
                shown[str(field.alias)] = value
        return shown


def _provider(key: SecretStr | None, url: str) -> ProviderSettings | None:
    return None if key is None else ProviderSettings(api_key=key, api_url=url)
