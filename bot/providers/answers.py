"""The meaning of a provider's answer: its body, its own refusal, nothing certain, or unrequested data."""

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
    """Reports what to do about a provider's API key, once for each call that was refused for it."""

    def __init__(self) -> None:
        self._watchers: list[Callable[[str], None]] = []

    def watch(self, told: Callable[[str], None]) -> None:
        """Call ``told`` from now on with sentences for operators; it must not block."""
        self._watchers.append(told)

    def refused(self, remedy: str) -> None:
        """Note that the provider did not accept the key."""
        for told in self._watchers:
            told(remedy)


#: Turns a refusal (HTTP status from 400 to 499, decoded body or None) into the error to raise. None when the body is
#: not the provider's own error document: a gateway may have answered, and nobody knows what it has passed on.
Refuse: TypeAlias = Callable[[int, JSON], ProviderError | None]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a provider, masked and in its original form."""

    status: int
    headers: httpx.Headers
    #: The decoded document, without the secrets that we sent; None when the body is not JSON or is too large.
    body: JSON
    #: The original document, for decisions only; nobody may see it.
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
    """Return the body of a good answer; raise the refusal, or UnclearAnswer when the answer leaves the result open.

    A refusal counts only if it is the provider's own document. A page of a gateway says nothing about jobs and numbers,
    whatever its status: read as "no such job", it would report every number of a healthy job as lost.

    408 and 409 do not count as refusals. A gateway also answers 408 when the service behind it has the request and is
    slow. As we send once, a 409 can mean that a proxy repeated our request and the first copy was at work (Telnyx has
    codes for "already exists" and "is being processed"). Checking first costs one search; repeating blindly could do
    the work twice.
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
    """Return ``body`` as a JSON object; raises UnclearAnswer when it is not one."""
    if not isinstance(body, dict):
        raise UnclearAnswer("its answer is not a JSON object")
    return body


def refusal_type(status: int) -> type[ProviderError]:
    """Return the error for a refusing status before its body is read.

    402 is Close's answer for something that the plan does not include: like 403, repeating would not change it.
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
    """Return a provider's text suitable for a sentence: one line, no control characters, at most ``longest`` long."""
    visible = "".join(character if character.isprintable() else " " for character in str(text))
    line = " ".join(visible.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _gateway(answer: Answer, title: str) -> str:
    """Return why an answer that is not the provider's own says nothing about it, its key or the key's rights."""
    what = "a web page" if _is_page(answer.headers) else "nothing that it documents"
    return (
        f"the answer ({answer.status}) is {what}, so it comes from a proxy or gateway on the way and says nothing "
        f"about the API key; ask whoever runs the network between Linesman and {title}"
    )


def _refused(answer: Answer, title: str, refuse: Refuse) -> ProviderError | None:
    """Return the refusal: its meaning comes from the original answer, its text is masked.

    None when it is not the provider's own.
    """
    meant, told = (refuse(answer.status, each) for each in (answer.raw, answer.body))
    if meant is None or type(meant) is type(told):
        return told if meant else None
    return type(meant)(f"{title} refused the request.", status=answer.status)


def _is_page(headers: httpx.Headers) -> bool:
    """Tell whether an answer claims to be a web page, which no endpoint of a provider returns."""
    return headers.get("content-type", "").partition(";")[0].strip().lower() in {"text/html", "application/xhtml+xml"}


def unasked(provider: str, what: str) -> UnrequestedData:
    """Return the error for an answer of ``provider`` with ``what``, which nobody asked for."""
    return UnrequestedData(
        f"{provider} answered with {clean(what, 40) or 'something'}, which was not requested, so "
        "none of the answer is used. Try again; if it happens again, tell the provider."
    )
