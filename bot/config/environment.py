"""From the environment to :class:`~bot.config.settings.Settings`, or to the list of all problems."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails, PydanticUndefined

from bot.config.fields import SENTENCES, shown
from bot.config.policy import read
from bot.config.settings import Settings
from bot.config.storage import Storage
from bot.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """One variable of the environment, as in .github/OPERATING.md."""

    name: str
    #: In Markdown.
    meaning: str
    #: The default shown there; empty without one.
    default: str
    required: bool


def _variables() -> tuple[Variable, ...]:
    found = []
    for field in Settings.model_fields.values():
        default = field.default
        if isinstance(default, SecretStr):
            default = default.get_secret_value()
        found.append(
            Variable(
                name=str(field.alias),
                meaning=str(field.description),
                default="" if default is PydanticUndefined or default in (None, ()) else str(default),
                required=field.is_required(),
            )
        )
    return tuple(found)


#: All variables of Linesman, in the order of the table in .github/OPERATING.md.
VARIABLES: Final = _variables()

_HOW_TO_GET: Final[Mapping[str, str]] = {
    "SLACK_BOT_TOKEN": "paste the token that starts with xoxb- from your Slack app's OAuth & Permissions page",
    "LINESMAN_APPROVAL_CHANNEL": (
        "copy the id of the channel for approval requests from the bottom of the channel's details"
    ),
}
#: Earlier name of a variable -> its current name. The earlier ones still work.
FORMER: Final[Mapping[str, str]] = {"LINESMAN_SETTLE_SECONDS": "LINESMAN_RECONCILE_SECONDS"}
_PREFIX: Final = "LINESMAN_"
#: How similar names must be: for the word LINESMAN, and for a whole name (see :mod:`difflib`).
_LIKE_OURS: Final = 0.8
_ALIKE: Final = 0.88
_POLICY_FILE: Final = "LINESMAN_POLICY_FILE"
#: Variables that Kubernetes adds to every container beside a service called linesman or linesman-….
_SERVICE_LINK: Final = re.compile(
    r"LINESMAN_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)


def load(environ: Mapping[str, str], kinds: Mapping[str, Collection[str]] | None = None) -> Settings:
    """Return the settings described by ``environ``; an empty or blank variable counts as not set.

    The policy file that it names is read too. ``kinds`` maps every existing kind of change, even of disabled providers,
    to the names of its settings; without it, a rule may use any name.

    Raises ConfigurationError with one sentence per problem, each naming its variable, or the policy file with rule and
    key. No sentence contains a secret.
    """
    problems = [*_contradictions(environ)]
    written = {new: old for old, new in _former(environ) if not environ.get(new, "").strip()}
    environ, names = _renamed(environ), [variable.name for variable in VARIABLES]
    given: dict[str, Any] = {name: environ[name].strip() for name in names if environ.get(name, "").strip()}
    if path := given.get(_POLICY_FILE):
        given[_POLICY_FILE] = read(path, kinds)
    settings = None
    try:
        settings = Settings(**given)
    except ValidationError as error:
        problems += [sentence for detail in error.errors(include_url=False) for sentence in _sentences(detail, written)]
    problems += [_unknown(name, names) for name in sorted(environ) if _is_unknown(name, environ[name], names)]
    if settings is None or problems:
        # Not `from`: pydantic's own text may quote the given value.
        raise ConfigurationError(problems) from None
    return settings


def load_storage(environ: Mapping[str, str]) -> Storage:
    """Return the settings for the database and the logs; raises ConfigurationError as :func:`load` does."""
    names = [str(field.alias) for field in Storage.model_fields.values()]
    given: dict[str, Any] = {name: environ[name].strip() for name in names if environ.get(name, "").strip()}
    try:
        return Storage(**given)
    except ValidationError as error:
        problems = [sentence for detail in error.errors(include_url=False) for sentence in _sentences(detail, {})]
    raise ConfigurationError(problems)


def name_cautions(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return a sentence for each variable with an earlier name, and for each whose name looks misspelt.

    Misspelt variables are not read. Those that begin with LINESMAN_ are not included: :func:`load` refuses them.
    """
    names = [variable.name for variable in VARIABLES]
    former = (f"{old} is now called {new}: rename it. The old name still works." for old, new in _former(environ))
    misspelt = (
        f"{name} looks like a misspelt {meant}: Linesman does not read it. Correct it, or unset it."
        for name in sorted(environ)
        if environ[name].strip() and name not in names and not name.startswith(_PREFIX)
        if (meant := _meant(name, environ, names))
    )
    return (*former, *misspelt)


def _former(environ: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    """Return (earlier name, current name) of each variable that is set under its earlier name."""
    return [(old, new) for old, new in FORMER.items() if environ.get(old, "").strip()]


def _contradictions(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each variable that is set under both names, with different values."""
    for old, new in _former(environ):
        if (other := environ.get(new, "").strip()) and other != environ[old].strip():
            yield f"{old} is the former name of {new}, and the two differ: unset {old}."


def _renamed(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return ``environ`` with current names; if both are set, the current one counts."""
    renamed = dict(environ)
    for old, new in _former(environ):
        renamed[new] = environ.get(new, "").strip() or environ[old]
    return {name: value for name, value in renamed.items() if name not in FORMER}


def _meant(name: str, environ: Mapping[str, str], names: list[str]) -> str:
    """Return the variable that ``name`` was probably meant to be; empty if it probably belongs to another program."""
    written = name.upper().replace("-", "_")
    begins = written.partition("_")[0]
    if get_close_matches(begins, [_PREFIX.rstrip("_")], cutoff=_LIKE_OURS):
        whole = _PREFIX + written.partition("_")[2]
        if whole not in names and not _is_unknown(whole, environ[name], names):
            return ""  # a service of Kubernetes whose name begins like ours
        return _nearest(whole, names) or f"{_PREFIX}…"
    glued = written.removeprefix(_PREFIX.rstrip("_"))
    if glued != written and (near := _nearest(_PREFIX + glued, names)):
        return near  # without the underscore after our name
    # Other programs also have variables that begin with SLACK_: ours is meant only if it is missing.
    missing = [known for known in names if "_" in known and not environ.get(known, "").strip()]
    return (get_close_matches(written, missing, n=1, cutoff=_ALIKE) or [""])[0]


def _sentences(detail: ErrorDetails, written: Mapping[str, str]) -> Sequence[str]:
    return detail["ctx"]["problems"] if detail["type"] == SENTENCES else [_sentence(detail, written)]


def _sentence(detail: ErrorDetails, written: Mapping[str, str]) -> str:
    """Put one pydantic error into words; ``written`` maps a variable to the earlier name that was used."""
    place = str(detail["loc"][0])
    # A bad default found beside other values is reported under the field's name, not its alias.
    name = str(Settings.model_fields[place].alias) if place in Settings.model_fields else place
    context: dict[str, Any] = detail.get("ctx", {})
    given = shown(detail["input"])
    match detail["type"]:
        case "missing":
            text = f"is not set: {_HOW_TO_GET[name]}"
        case "value_error":
            text = str(context["error"])
        case "int_parsing" | "int_parsing_size" | "int_from_float":
            text = f"is {given}: give a whole number"
        case "float_parsing" | "finite_number":
            text = f"is {given}: give a number"
        case "greater_than_equal":
            text = f"is {given}: give at least {context['ge']:.12g}"
        case "greater_than":
            text = f"is {given}: give more than {context['gt']:.12g}"
        case "less_than_equal":
            text = f"is {given}: give at most {context['le']:.12g}"
        case "literal_error":
            text = f"is {given}: give {context['expected']}"
        case _:
            text = f"cannot be used: {detail['msg']}"
    return f"{written.get(name, name)} {text}."


def _is_unknown(name: str, value: str, names: list[str]) -> bool:
    if not name.startswith(_PREFIX) or name in names:
        return False
    link = _SERVICE_LINK.fullmatch(name) or (name.endswith("_PORT") and re.match(r"(?:tcp|udp|sctp)://", value))
    return not link


def _unknown(name: str, names: list[str]) -> str:
    nearest = _nearest(name, names)
    hint = f"did you mean {nearest}?" if nearest else "unset it, or look in .github/OPERATING.md for what you meant."
    return f"{name} is not a variable that Linesman knows: {hint}"


def _nearest(name: str, names: list[str]) -> str:
    """Return the variable most similar to ``name``, which is LINESMAN_…; empty if none is similar."""
    # Without the prefix that most of them share, as it would make all names look alike.
    own = {known.removeprefix(_PREFIX): known for known in names}
    nearest = get_close_matches(name.removeprefix(_PREFIX), own, n=1)
    return own[nearest[0]] if nearest else ""
