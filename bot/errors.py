"""Every error that Linesman raises on purpose, drawn as one tree.

LinesmanError
├── ConfigurationError        the environment or the policy file is wrong; carries every problem
├── PortUnavailable           the port of the HTTP server is not available
├── InputError                what a person typed cannot be used; carries problems by field
│   ├── BadUpload             a sheet was read and has rows that cannot be planned
│   └── ForeignColumns        a sheet has columns that mean nothing here; carries them (``changes.sheets.foreign``)
├── InvalidValue              one typed value cannot be what its setting or filter needs
│   ├── MangledCell           a spreadsheet has lost what was typed into a cell (``changes.sheets.cells``)
│   └── ForeignList           a cell has a list in another program's notation (``changes.sheets.entries``)
├── PartTooLarge              a part of a workbook is larger than any sheet of numbers makes it
├── UnclearAnswer             a provider's answer is not usable; for the HTTP client only (``providers.answers``)
├── PlanRefused               a request cannot be planned as it is; carries the numbers that would have to go
│   └── NothingToPlan         no number is left to plan anything for
├── NotAuthorized             the policy does not let this person do this
├── NotFound                  no such change, batch or message
├── IllegalTransition         the lifecycle has no such step
├── Superseded                somebody or something else was faster, or the plan was replaced
├── Halted                    a freeze, a closed window or a stop came first; nothing was sent
├── StoreError                the database cannot do what was asked
│   ├── DatabaseTooNew        written by a newer Linesman
│   ├── DatabaseInUse         another process holds this SQLite file
│   ├── ClaimLost             somebody else has taken the work over, or it is no longer to be done
│   ├── DatabaseConflict      another transaction was in the way of this one, which can be tried again at once
│   ├── DatabaseUnavailable   it accepts nothing just now: full disk, locked, gone
│   │   ├── DatabaseRefused   it does not let Linesman in, and waiting does not help: password, name, TLS, a right
│   │   └── DatabaseDamaged   its file is not what was written into it
│   └── AuditLogBroken        the audit log is not as it was written
├── ModalNotOpened            Slack did not open a window: nothing happened
├── SecretError               a secret cannot be sealed or opened
├── DeliveryError             Slack did not take a message
│   ├── DeliveryRefused       Slack refuses, for a reason that somebody must repair
│   │   ├── TokenLost         the token no longer works: everything waits until there is another
│   │   ├── ChannelLost       the channel no longer accepts messages from the bot (archived, bot not a member, ...)
│   │   ├── ModalClosed       the window in which something was to be shown is no longer open
│   │   ├── MessageGone       the message, or the first one of its thread, is gone or cannot be edited
│   │   └── ContentRefused    Slack will never take it as it is, in any channel
│   ├── DeliveryPostponed     Slack asks to wait; carries the seconds
│   └── DeliveryUnknown       the request went out and no answer came back
└── ProviderError             the provider's API, by what the caller can do about it
    ├── BadRequest            the request itself is wrong; carries the pointer
    │   └── FilterRefused     it does not say which numbers match a filter, and asking again does not help
    ├── Unauthorised          the key is missing, wrong or revoked
    ├── Forbidden             the key may not do this
    ├── ProviderNotFound      no such number, job or resource
    ├── TooManyJobs           the in-flight cap is reached: wait, it is not a failure
    ├── RateLimited           asked to slow down; carries the seconds
    ├── Unavailable           nothing happened there (refused connection, or a read that failed): try again
    ├── UnrequestedData       it answered with what nobody asked for: nothing of it is used
    └── OutcomeUnknown        the request went out and no trustworthy answer came back: look before repeating

The text of an error is one sentence that a person can act on: what happened, to what, and what to do next.
The technical cause is attached to it (``raise ... from``) and reaches the log, never Slack.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

#: Begins a line with one of several problems; lines of a problem's own parts are indented by two blanks.
BULLET: Final = "• "


def in_one(problems: Iterable[str]) -> str:
    """Return one problem unchanged, and several as a list, one line each, so that nobody takes two for one."""
    every = list(problems)
    if len(every) < 2:
        return "".join(every)
    return "\n".join(f"{BULLET}{each}".replace("\n", "\n  ") for each in every)


class LinesmanError(Exception):
    """Something went wrong in Linesman."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())

    @property
    def message(self) -> str:
        """The sentence for people."""
        return str(self.args[0])


class ConfigurationError(LinesmanError):
    """The configuration is wrong."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        #: Every problem found, one sentence each.
        self.problems = tuple(problems)


class InputError(LinesmanError):
    """Something that was typed cannot be used."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(in_one(problems.values()))
        #: Field name (a setting's name, or numbers, settings, reason, kind) -> what is wrong with it.
        self.problems = dict(problems)


class BadUpload(InputError):
    """A sheet was read and has rows that cannot be planned."""


class InvalidValue(LinesmanError):
    """A typed value cannot be what the setting needs; the text says what is wrong and what would be right."""


class PartTooLarge(LinesmanError):
    """A part of a workbook is larger than any sheet of numbers makes it."""


class PlanRefused(LinesmanError):
    """The request cannot be planned as it is."""

    def __init__(
        self,
        message: str,
        *,
        unusable: Iterable[tuple[str, ...]] = (),
        passing: Iterable[tuple[str, ...]] = (),
        problem: str = "",
    ) -> None:
        super().__init__(message)
        #: What is wrong, without advice for a person in front of the form.
        self.problem = problem or message
        #: Numbers without which it could be planned, each by all its names: E.164 and id, or as given.
        self.unusable = tuple(unusable)
        #: Those of them whose obstacle may pass by itself; ``problem`` is about the others, if there are any.
        self.passing = tuple(passing)


class NothingToPlan(PlanRefused):
    """No number is left to plan anything for."""


class NotAuthorized(LinesmanError):
    """You may not do this."""


class NotFound(LinesmanError):
    """There is no such thing."""


class IllegalTransition(LinesmanError):
    """A change cannot go from its present state to the one asked for."""


class Superseded(LinesmanError):
    """Something else happened first."""

    def __init__(self, message: str | None = None, *, instead: int | None = None) -> None:
        super().__init__(message)
        #: The change that replaced the one that was meant; None without one.
        self.instead = instead


class Halted(LinesmanError):
    """A freeze, the end of the change window or a stop came first, so the request was not sent."""

    def __init__(self, message: str, *, code: str = "", for_good: bool) -> None:
        super().__init__(message)
        #: Our code for the unsent numbers; empty for a mere wait, which gives no number an outcome.
        self.code = code
        #: Whether it was stopped; a mere wait ends when the freeze is lifted or the window opens.
        self.for_good = for_good


class PortUnavailable(LinesmanError):
    """The port of the HTTP server cannot be had."""


class StoreError(LinesmanError):
    """The database cannot do what was asked."""


class DatabaseTooNew(StoreError):
    """The database was written by a newer Linesman; install that version or restore a backup."""


class DatabaseInUse(StoreError):
    """Another Linesman holds this SQLite file; stop it first, or use PostgreSQL for several replicas."""


class ClaimLost(StoreError):
    """Somebody else has taken this work over, or it is not to be done any more; nothing of it was written."""


class DatabaseUnavailable(StoreError):
    """The database does not answer, so nothing was decided or sent; what was decided before is safe."""


class DatabaseConflict(StoreError):
    """Something else was written at the same moment, so nothing was decided; try again."""


class DatabaseRefused(DatabaseUnavailable):
    """The database does not let Linesman in; check DATABASE_URL and the rights of its user."""


class DatabaseDamaged(DatabaseUnavailable):
    """The database file is damaged: stop Linesman, keep a copy of the file, and restore a backup."""


class AuditLogBroken(StoreError):
    """The audit log is not as Linesman wrote it."""


class SecretError(LinesmanError):
    """A secret cannot be sealed or opened; check LINESMAN_SECRET_KEY."""


class ModalNotOpened(LinesmanError):
    """Slack could not open the window just now. Nothing happened; try again in a moment."""


class DeliveryError(LinesmanError):
    """Slack did not take a message."""

    def __init__(self, message: str | None = None, *, code: str = "") -> None:
        super().__init__(message)
        #: Slack's own error string (``channel_not_found``), empty when there was none.
        self.code = code


class DeliveryRefused(DeliveryError):
    """Slack will not take this message."""


class TokenLost(DeliveryRefused):
    """The bot token no longer works; install the app again and set SLACK_BOT_TOKEN."""


class ModalClosed(DeliveryRefused):
    """The window was closed before this could be shown in it."""


class ChannelLost(DeliveryRefused):
    """The channel no longer accepts messages from the bot."""


class MessageGone(DeliveryRefused):
    """The message no longer exists, or can no longer be edited."""


class ContentRefused(DeliveryRefused):
    """Slack does not take what is in the message, in any channel."""


class DeliveryPostponed(DeliveryError):
    """Slack asks to wait before the next message."""

    def __init__(self, message: str | None = None, *, code: str = "ratelimited", wait: float = 1.0) -> None:
        super().__init__(message, code=code)
        #: Seconds to wait.
        self.wait = wait


class DeliveryUnknown(DeliveryError):
    """The message went out and Slack did not say whether it arrived."""


class ProviderError(LinesmanError):
    """The provider's API did not do what was asked."""

    def __init__(
        self, message: str | None = None, *, code: str = "", pointer: str = "", status: int | None = None
    ) -> None:
        super().__init__(message)
        #: The provider's own error code, such as ``10015``; empty when it gave none.
        self.code = code
        #: JSON pointer (RFC 6901) to the offending part of the request, such as ``/phone_numbers``.
        self.pointer = pointer
        #: HTTP status, or None when there was no answer.
        self.status = status


class BadRequest(ProviderError):
    """The provider refused the request as wrong."""


class FilterRefused(BadRequest):
    """The provider does not say which numbers match a filter."""


class Unauthorised(ProviderError):
    """The provider does not accept the API key. Whoever reads it in Slack cannot mend that; operators are told."""

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str = "",
        pointer: str = "",
        status: int | None = None,
        remedy: str = "",
    ) -> None:
        super().__init__(message, code=code, pointer=pointer, status=status)
        #: The sentences for people who can repair it: the variable to set, and the provider's message.
        self.remedy = remedy or self.message


class Forbidden(ProviderError):
    """The API key may not do this."""


class ProviderNotFound(ProviderError):
    """The provider did not find it."""


class TooManyJobs(ProviderError):
    """The provider's limit of jobs in flight is reached."""


class RateLimited(ProviderError):
    """The provider asks to slow down."""

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str = "",
        pointer: str = "",
        status: int | None = None,
        wait: float = 1.0,
    ) -> None:
        super().__init__(message, code=code, pointer=pointer, status=status)
        #: Seconds to wait before the next request.
        self.wait = wait


class Unavailable(ProviderError):
    """The provider cannot be reached right now; nothing was changed."""


class UnrequestedData(ProviderError):
    """The provider answered with something that was not requested."""


class OutcomeUnknown(ProviderError):
    """The request went out and the provider did not confirm what happened to it."""
