"""From the text of the policy file to rules, or to the list of all its problems."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bot.changes.policy import Grant, Rule
from bot.config.policy.keys import READERS, people, sentence, told
from bot.config.policy.reading import RuleReader, place_of

#: More than any policy needs; a larger file is something else.
_MOST_BYTES: Final = 1_000_000
#: The end of tomllib's messages.
_POSITION: Final = re.compile(r"(?P<what>.*) \(at (?:(?P<line>line \d+), column \d+|end of document)\)", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyFile:
    """The content of a policy file; there are no rules if there are problems."""

    #: As LINESMAN_POLICY_FILE gives it.
    path: str
    rules: tuple[Rule, ...] = ()
    #: People who may view changes and numbers, besides those with a part in a rule.
    readers: Grant = field(default_factory=Grant)
    #: Sentences, each naming the file, the rule and the key.
    problems: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the file in sentences."""
        return Path(self.path).name

    def place(self, rule: Rule) -> str:
        """Return the name of ``rule`` in sentences: "policy.toml, rule 2 “emergency”"."""
        return place_of(self.name, self.rules.index(rule) + 1, rule.name)


def read(path: str, kinds: Mapping[str, Collection[str]] | None = None) -> PolicyFile:
    """Read and check the file at ``path``, relative to the working directory.

    ``kinds`` maps every existing kind to the names of its settings; without it, neither is checked. Never raises: an
    unreadable file is a file with a problem.
    """
    try:
        # Not a pipe or a device, which could block.
        if Path(path).exists() and not Path(path).is_file():
            return _unread(path, "is not a file: give the path of a TOML file, or unset the variable")
        with Path(path).open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            return _unread(path, f"is larger than {_MOST_BYTES:,} bytes, too large for a policy: give a TOML file")
        return parse(content.decode("utf-8-sig"), path, kinds)
    except FileNotFoundError:
        return _unread(path, "does not exist: give the path of a TOML file, or unset the variable")
    except UnicodeDecodeError:
        return _unread(path, "is not UTF-8 text: give a TOML file")
    except OSError as error:
        return _unread(path, f"cannot be read ({error.strerror}): give the path of a TOML file, or unset the variable")
    except ValueError:
        return _unread(path, "cannot be the path of a file: give the path of a TOML file, or unset the variable")


def parse(text: str, path: str, kinds: Mapping[str, Collection[str]] | None = None) -> PolicyFile:
    """Return the content of ``text``; sentences call it by the last part of ``path``. See :func:`read`."""
    name = Path(path).name
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return PolicyFile(path=path, problems=(_syntax(name, str(error)),))
    except (ValueError, RecursionError):
        return PolicyFile(path=path, problems=(f"{name} is not readable TOML: a value in it is too large.",))
    entries = tables.pop("rule", [])
    said, readers = tables.pop(READERS, []), Grant()
    problems = [f"{name}: {told(key)} is not a key that can stand outside of a [[rule]]." for key in tables]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        problems.append(f"{name}: rule must be tables, each beginning with [[rule]] in double brackets.")
        entries = []
    try:
        readers = people(said, everyone_allowed=True)
    except ValueError as error:
        problems.append(sentence(name, f"{READERS} {error}"))
    reading = RuleReader(file=name, kinds=kinds, problems=problems)
    rules = [reading.rule(entry, place) for place, entry in enumerate(entries, 1)]
    if problems:
        return PolicyFile(path=path, problems=tuple(problems))
    return PolicyFile(path=path, rules=tuple(rule for rule in rules if rule is not None), readers=readers)


def _syntax(name: str, error: str) -> str:
    found = _POSITION.fullmatch(error)
    if found is None:
        return f"{name} is not TOML: {error}."
    return f"{name}, {found['line'] or 'at its end'}: this is not TOML: {found['what']}."


def _unread(path: str, what: str) -> PolicyFile:
    # Any other text could be a secret pasted into the wrong place.
    given = path if path.endswith(".toml") and path.isprintable() else "a file"
    return PolicyFile(path=path, problems=(f"LINESMAN_POLICY_FILE names {given}, which {what}.",))
