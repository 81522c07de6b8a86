"""What an answer of a provider says: its body, its own refusal, nothing certain, or more than was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import httpx

from bot.changes.model.values import JSON
from bot.errors import (
    BadRequest,
    Forbidden,
    LinesmanError,
    ProviderError,
    ProviderNotFound,
    Unauthorised,
    UnrequestedData,
)


class KeyWatch:
    """Passes on what there is to do about a provider's API key, once for each call that was refused for it."""

    def __init__(self) -> None:
        self._watchers: list[Callable[[str], None]] = []

    def watch(self, told: Callable[[str], None]) -> None:
        """Call ``told`` from now on with the sentences for operators; it must not wait for anything."""
        self._watchers.append(told)

    def refused(self, remedy: str) -> None:
        """Note that the provider did not accept the key."""
        for told in self._watchers:
            told(remedy)


#: Turns a refusal (HTTP status from 400 to 499, decoded body or None) into the error to raise; None when the body is
#: not the provider's own error document, for then a gateway may have spoken, and nobody knows what it has passed on.
Refuse: TypeAlias = Callable[[int, JSON], ProviderError | None]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a provider, masked and as it came."""

    status: int
    headers: httpx.Headers
    #: The decoded document, without what we sent in secret; None when the body is not JSON or is too large.
    body: JSON
    #: The document as it came, for decisions and for nobody's eyes.
    raw: JSON = field(repr=False)
    #: Whether ``body`` could be read.
    readable: bool


class UnclearAnswer(LinesmanError):
    """No usable answer: why, whether the request was sent, and whether asking again could help."""

    def __init__(self, why: str, *, sent: bool = True, again: bool = True, status: int | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.sent = sent
        self.again = again
        self.status = status


def read_answer(answer: Answer, *, title: str, refuse: Refuse, key: KeyWatch) -> JSON:
    """Return the body of a good answer; raise the refusal, or UnclearAnswer for an answer that leaves it open.

    A refusal is believed when it is the provider's own document. A page of whatever stands before the provider
    says nothing about jobs and numbers, whichever status it bears: read as "no such job", it would have every
    number of a job that is well told as lost.

    408 and 409 are not counted as refusals. A gateway says 408 also when the service behind it has the request
    and is slow. As we send once, a 409 can mean that a proxy repeated our request and met the first copy at
    work (Telnyx has codes for "already exists" and "is being processed"). Looking first costs one search;
    repeating blindly could do the work twice.
    """
    status = answer.status
    if 400 <= status < 500 and status not in {408, 409}:
        if refused := _refused(answer, title, refuse):
            if isinstance(refused, Unauthorised):
                key.refused(refused.remedy)
            raise refused
        raise UnclearAnswer(_gateway(answer, title), status=status)
    if status >= 400:
        raise UnclearAnswer(f"it answered {status}", status=status)
    if status >= 300:
        why = f"it points to another address ({status}); check the configured API address"
        raise UnclearAnswer(why, again=False, status=status)
    if not answer.readable and _is_page(answer.headers):
        raise UnclearAnswer(_gateway(answer, title), again=False, status=status)
    if not answer.readable:
        raise UnclearAnswer(f"its answer ({status}) is too large or not JSON", again=False, status=status)
    return answer.body


def as_object(body: JSON) -> dict[str, JSON]:
    """Return the JSON object that ``body`` is; raises UnclearAnswer when it is none."""
    if not isinstance(body, dict):
        raise UnclearAnswer("its answer is not a JSON object")
    return body


def refusal_type(status: int) -> type[ProviderError]:
    """Return the error that a refusing status means before its body is looked at.

    402 is Close's answer for what the plan does not include: like 403, nothing that repeating would change.
    """
    match status:
        case 401:
            return Unauthorised
        case 402 | 403:
            return Forbidden
        case 404 | 410:
            return ProviderNotFound
        case _:
            return BadRequest


def clean(text: object, longest: int = 200) -> str:
    """Return a provider's text fit for a sentence: one line, no control characters, at most ``longest`` long."""
    visible = "".join(character if character.isprintable() else " " for character in str(text))
    line = " ".join(visible.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _gateway(answer: Answer, title: str) -> str:
    """Return why an answer that is not the provider's own says nothing of it, its key or what the key may do."""
    what = "a web page" if _is_page(answer.headers) else "nothing that it documents"
    return (
        f"the answer ({answer.status}) is {what}, so it comes from a proxy or gateway on the way and says nothing "
        f"about the API key; ask whoever runs the network between Linesman and {title}"
    )


def _refused(answer: Answer, title: str, refuse: Refuse) -> ProviderError | None:
    """Return the refusal: what it means is read from the answer as it came, what is told of it is masked.

    None when it is not the provider's own.
    """
    meant, told = (refuse(answer.status, each) for each in (answer.raw, answer.body))
    if meant is None or type(meant) is type(told):
        return told if meant else None
    return type(meant)(f"{title} refused the request.", status=answer.status)


def _is_page(headers: httpx.Headers) -> bool:
    """Tell whether an answer calls itself a web page, which no endpoint of a provider's returns."""
    return headers.get("content-type", "").partition(";")[0].strip().lower() in {"text/html", "application/xhtml+xml"}


def unasked(provider: str, what: str) -> UnrequestedData:
    """Return the error for an answer of ``provider`` that holds ``what``, which nobody asked for."""
    return UnrequestedData(
        f"{provider} answered with {clean(what, 40) or 'something'}, which was not requested, so "
        "none of the answer is used. Try again; if it happens again, tell the provider."
    )
