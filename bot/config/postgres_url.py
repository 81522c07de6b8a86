"""The address of a PostgreSQL database in the usual form, converted for the driver."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from sqlalchemy import URL

#: The schemes in the usual addresses; we choose the driver.
SCHEMES: Final = frozenset({"postgresql+asyncpg", "postgresql", "postgres"})
#: Parameters of libpq that asyncpg reads only from a DSN (its ``connect``, "dsn").
_OF_DSN: Final = frozenset(
    {"sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl", "target_session_attrs"}
)
#: Parameters that name a file.
_FILES: Final = frozenset({"sslrootcert", "sslcert", "sslkey", "sslcrl"})
#: Parameters that SQLAlchemy and asyncpg accept unchanged.
_AS_THEY_ARE: Final = frozenset({"host", "port", "ssl"})
#: Allowed values of parameters with a few choices.
_CHOICES: Final = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "target_session_attrs": ("any", "primary", "standby", "read-write", "read-only", "prefer-standby"),
}
#: The largest port.
_LAST_PORT: Final = 65_535


def is_postgres(url: URL) -> bool:
    """Tell whether ``url`` names a PostgreSQL database."""
    return url.drivername in SCHEMES


def for_driver(url: URL) -> tuple[URL, dict[str, str]]:
    """Return the address without parameters that asyncpg does not accept as arguments, and equivalent arguments.

    ``?sslmode=require`` would otherwise be an unknown argument. Raises ValueError, whose text says what is wrong with
    which parameter.
    """
    _refuse_nowhere(url)
    moved: dict[str, str] = {}
    kept = {name: value for name, value in url.query.items() if name in _AS_THEY_ARE}
    for name, value in url.query.items():
        if name in _AS_THEY_ARE:
            continue
        said = value if isinstance(value, str) else value[-1]
        if name == "channel_binding":
            if said == "require":  # asyncpg cannot bind, and silence would be a false promise
                raise ValueError("asks for channel_binding=require, which the driver cannot do: leave it out")
            continue
        if name not in _OF_DSN:
            known = ", ".join(sorted(_OF_DSN))
            raise ValueError(f"has the parameter {name}, which means nothing here: leave it out (known are {known})")
        if name in _FILES and not Path(said).is_file():
            raise ValueError(f"names the file {said} as its {name}, which does not exist: correct the path")
        if said not in _CHOICES.get(name, (said,)):
            raise ValueError(f"has no {name} that exists: use one of {', '.join(_CHOICES[name])}")
        moved[name] = said
    plain = url.set(drivername="postgresql+asyncpg", query=kept)
    return plain, ({"dsn": f"postgresql://?{urlencode(moved)}"} if moved else {})


def _refuse_nowhere(url: URL) -> None:
    """Raise ValueError for a host or a port that cannot exist: the network would not even be asked."""
    if url.port is not None and not 0 < url.port <= _LAST_PORT:
        raise ValueError(f"has the port {url.port}, and there are those from 1 to {_LAST_PORT}: correct it")
    try:
        (url.host or "").encode("idna")
    except UnicodeError:
        raise ValueError("has a host whose name cannot be one: correct it") from None
