"""Questions that operators answer, as a button carries them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from bot.changes.model.batches import Batch
from bot.changes.model.change import Change
from bot.errors import NotFound


@dataclass(frozen=True, slots=True)
class BatchQuestion:
    """One question about one batch, as a button carries it: an answer to it is no answer to a later one."""

    batch: int
    #: Attempts to send it when the question was asked.
    attempts: int
    #: The job that stands still; empty when the question is whether there is one.
    job: str

    @classmethod
    def of(cls, batch: Batch) -> Self:
        """Return the ticket of the question about ``batch``."""
        return cls(batch.id, batch.attempts, batch.job)

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the ticket that ``str`` wrote; raises NotFound when it is none."""
        batch, _, rest = text.partition(":")
        attempts, _, job = rest.partition(":")
        if not (batch.isascii() and batch.isdigit() and attempts.isascii() and attempts.isdigit()):
            raise NotFound("This button belongs to another version of Linesman; use /numbers resolve.")
        return cls(int(batch), int(attempts), job)

    def __str__(self) -> str:
        return f"{self.batch}:{self.attempts}:{self.job}"


@dataclass(frozen=True, slots=True)
class ReadBackQuestion:
    """The question whether a read-back is waited for, as a button carries it; a later read-back is another question."""

    change: int
    #: When this read-back began, in microseconds since 1970.
    began: int

    @classmethod
    def of(cls, change: Change) -> Self:
        """Return the ticket of the question about ``change``."""
        began = change.verifying_at
        return cls(change.id, 0 if began is None else int(began.timestamp() * 1_000_000))

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the ticket that ``str`` wrote; raises NotFound when it is none."""
        change, _, began = text.partition(":")
        if not (change.isascii() and change.isdigit() and began.isascii() and began.isdigit()):
            raise NotFound("This button belongs to another version of Linesman; use /numbers resolve.")
        return cls(int(change), int(began))

    def __str__(self) -> str:
        return f"{self.change}:{self.began}"
