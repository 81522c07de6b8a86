"""The configuration for commands that use only the database."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from sqlalchemy import make_url

from bot.config.fields import DatabaseUrl, Lower, Words

DATABASE_URL: Final[Any] = Field(
    SecretStr("sqlite+aiosqlite:///linesman.db"),
    alias="DATABASE_URL",
    description="the database; `postgresql+asyncpg://…` for several replicas",
)
LogLevel = Annotated[Literal["debug", "info", "warning", "error"], Lower]
LOG_LEVEL: Final[Any] = Field(
    "info", alias="LINESMAN_LOG_LEVEL", description="lowest level that is logged: debug, info, warning or error"
)
#: Without the HTTP client of the providers: a provider may quote a PIN in its debug output.
LogLibraries = Annotated[
    tuple[Literal["aiohttp", "aiosqlite", "asyncio", "slack_bolt", "slack_sdk", "sqlalchemy"], ...], Words
]
LOG_LIBRARIES: Final[Any] = Field(
    (),
    alias="LINESMAN_LOG_LIBRARIES",
    description="with the level debug, comma list of libraries whose lines are logged at debug too: "
    "aiohttp, aiosqlite, asyncio, slack_bolt, slack_sdk, sqlalchemy; each makes the bot much slower",
)
LogFormat = Annotated[Literal["json", "console"], Lower]
LOG_FORMAT: Final[Any] = Field("json", alias="LINESMAN_LOG_FORMAT", description="format of the logs: json or console")


class Passed(BaseModel):
    """Settings made from the given values only."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True)


class Storage(Passed):
    """The database and the logs: migrating and exporting need neither Slack nor the providers."""

    database_url: DatabaseUrl = DATABASE_URL
    log_level: LogLevel = LOG_LEVEL
    log_libraries: LogLibraries = LOG_LIBRARIES
    log_format: LogFormat = LOG_FORMAT

    def secrets(self) -> frozenset[str]:
        """Return every secret text, only for :func:`bot.telemetry.logs.configure`."""
        password = make_url(self.database_url.get_secret_value()).password
        return frozenset({password} if password else ())
