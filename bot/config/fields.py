"""The types of value that a variable can have, each with the sentence about a wrong value.

A sentence follows the variable's name: "must start with xapp-: …". It never repeats a secret, and of other values only
short ones, because a long one could be a secret pasted into the wrong place.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated, Final
from urllib.parse import SplitResult

from cryptography.fernet import Fernet
from pydantic import AfterValidator, BeforeValidator, InstanceOf, SecretStr
from pydantic_core import PydanticCustomError
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from bot.changes.policy import Grant
from bot.changes.text.addresses import parts_of
from bot.config.policy import PolicyFile
from bot.config.postgres_url import for_driver, is_postgres

MAKE_A_KEY: Final = 'python3 -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
_SQLITE: Final = "sqlite+aiosqlite"
_SHOWN: Final = 24
#: Fewest characters of a signing secret. Slack's have 32; a shorter one than this could be guessed, and with it anybody
#: could approve in anybody's name.
_SHORTEST_SIGNING_SECRET: Final = 16
SIGNING_SECRET: Final = 32
#: Type of the one error that carries whole sentences, as ``problems`` in its context.
SENTENCES: Final = "sentences"


def shown(value: object) -> str:
    """Return ``value`` as quoted in a message."""
    text = str(value)
    return repr(text) if len(text) <= _SHOWN else f"a text of {len(text)} characters"


def _secret(secret: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!#-&(-~]+", secret.get_secret_value()):
        raise ValueError(
            "has a quote, a space, a line break or a letter that no key has: paste it again, without quotes"
        )
    return secret


def _bot_token(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().startswith(("xoxb-", "xoxe.xoxb-")):
        raise ValueError(
            "must start with xoxb-: paste the Bot User OAuth Token from your Slack app's OAuth & Permissions page"
        )
    return secret


def _app_token(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().startswith("xapp-"):
        raise ValueError(
            "must start with xapp-: paste an app-level token with the scope connections:write from your Slack app's "
            "Basic Information page, or unset it to use HTTP"
        )
    return secret


def _signing_secret(secret: SecretStr) -> SecretStr:
    if (length := len(secret.get_secret_value())) < _SHORTEST_SIGNING_SECRET:
        raise ValueError(
            f"has {length} characters and Slack's have {SIGNING_SECRET}: paste the signing secret from your Slack "
            "app's Basic Information page"
        )
    return secret


def _channel(value: str) -> str:
    if not re.fullmatch(r"[CG][A-Z0-9]{2,}", value):
        raise ValueError(
            f"is {shown(value)}, which is not a channel id (C… or G…): copy the id from the bottom of "
            f"the channel's details"
        )
    return value


def _base_url(value: str, such_as: str) -> SplitResult:
    """Return the parts of a base address, which paths are appended to and logs contain."""
    parts = parts_of(value)
    if (
        parts is None
        or parts.scheme not in {"http", "https"}
        or not parts.hostname
        or parts.port == 0
        or "@" in parts.netloc
        or re.search(r"[\s?#]", value)
    ):
        raise ValueError(f"must be an address such as {such_as}, without a user name, a password, ? and #")
    return parts


def _collector_url(value: str) -> str:
    _base_url(value, "http://collector:4318")
    return value


def _web_url(value: str) -> str:
    parts = _base_url(value, "https://api.example.com")
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ValueError(
            "must begin with https://, because over http:// everybody on the way can read the key; "
            "http:// is for an address of this machine only, such as http://127.0.0.1:8080"
        )
    return value


def _host(value: str) -> str:
    try:
        ip_address(value)
    except ValueError:
        if not re.fullmatch(r"(?!-)[A-Za-z0-9._-]{1,253}", value):
            raise ValueError(
                f"is {shown(value)}, which is no address to listen on: give one such as 0.0.0.0, without quotes, "
                "http:// and a port"
            ) from None
    return value


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _database_url(secret: SecretStr) -> SecretStr:
    try:
        url = make_url(secret.get_secret_value())
    except (ArgumentError, ValueError):
        url = None
    if url is None or not (url.drivername == _SQLITE or is_postgres(url)):
        raise ValueError(
            "must start with sqlite+aiosqlite:// (one replica) or postgresql+asyncpg:// (several): "
            "other databases and drivers are not supported"
        )
    if is_postgres(url):
        for_driver(url)
    if (url.database or "").startswith("file:"):  # SQLite's own addresses, whose path could not be locked
        raise ValueError("must name the file by its path: sqlite+aiosqlite:////data/linesman.db")
    if url.drivername == _SQLITE and url.query:  # the driver drops some parameters and follows others, all untested
        raise ValueError("takes no parameters behind a file: leave out the ? and what follows it")
    return secret


def _fernet_keys(value: object) -> object:
    if not isinstance(value, str):
        return value
    keys = [key.strip() for key in value.split(",") if key.strip()]
    bad = [str(place) for place, key in enumerate(keys, 1) if not _is_fernet_key(key)]
    if bad:
        raise ValueError(f"has no Fernet key in place {', '.join(bad)} of {len(keys)}: make one with `{MAKE_A_KEY}`")
    return tuple(SecretStr(key) for key in keys)


def _is_fernet_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True


def _grant(value: object) -> object:
    return Grant.parse(value) if isinstance(value, str) else value


def _open_grant(value: object) -> object:
    return Grant.parse(value, everyone_allowed=True) if isinstance(value, str) else value


def _policed(file: PolicyFile) -> PolicyFile:
    if file.problems:
        raise PydanticCustomError(SENTENCES, "has problems", {"problems": file.problems})
    return file


def _words(value: object) -> object:
    return tuple(filter(None, (word.strip().lower() for word in value.split(",")))) if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


#: A token or key: printable ASCII without spaces and quotes, so that it fits into a header.
Key = Annotated[SecretStr, AfterValidator(_secret)]
SigningSecret = Annotated[Key, AfterValidator(_signing_secret)]
BotToken = Annotated[Key, AfterValidator(_bot_token)]
AppToken = Annotated[Key, AfterValidator(_app_token)]
#: Fernet keys from a comma list.
FernetKeys = Annotated[tuple[SecretStr, ...], BeforeValidator(_fernet_keys)]
#: May contain a password, hence a secret.
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]
#: An address that keys are sent to: https, or this machine.
WebUrl = Annotated[str, AfterValidator(_web_url)]
#: A name or an address of this machine.
Host = Annotated[str, AfterValidator(_host)]
#: An address that traces are sent to; no key goes there, so http:// is allowed.
CollectorUrl = Annotated[str, AfterValidator(_collector_url)]
ChannelId = Annotated[str, AfterValidator(_channel)]
#: Named people and groups.
NamedGrant = Annotated[Grant, BeforeValidator(_grant)]
#: Named people and groups, or ``*`` for everyone.
OpenGrant = Annotated[Grant, BeforeValidator(_open_grant)]
#: A policy file without problems.
Policed = Annotated[InstanceOf[PolicyFile], AfterValidator(_policed)]
#: For a comma list of words.
Words = BeforeValidator(_words)
#: For words that may be written in capitals.
Lower = BeforeValidator(_lower)
