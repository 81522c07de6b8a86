"""What one operation of a job does to its number, and for what reasons it fails."""

from __future__ import annotations

from dataclasses import dataclass

from bot.sandbox.provider.errors import JsonObject
from bot.sandbox.provider.orders import NumberOrder
from bot.sandbox.telnyx.account import Account
from bot.sandbox.telnyx.errors import Problem, invalid, not_found
from bot.sandbox.telnyx.records import EDITABLE, Number
from bot.sandbox.telnyx.voice import Voice

_CLEARED_BY_EMPTY = ("connection_id", "billing_group_id", "customer_reference", "external_pin")


@dataclass(slots=True, kw_only=True)
class Failure(NumberOrder):
    """A failure that a test ordered for operations on a number."""

    problem: Problem
    #: Only jobs of this type; ``None`` for all.
    job_type: str | None


class Behaviour:
    """Carries out operations on the account's numbers."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._failures: list[Failure] = []

    def fail(self, failure: Failure) -> None:
        """Let operations on a number fail from now on."""
        self._failures.append(failure)

    def settle(self) -> None:
        """Bring to its end what operations have set going and is due."""
        self._account.emergency.settle()

    def carry_out(
        self,
        number: Number,
        job_type: str,
        settings: JsonObject,
        dropped: list[str],
        *,
        whole_voice: bool = False,
    ) -> Problem | None:
        """Change the number, or return why it cannot be changed.

        Fields in ``dropped`` keep their value; with ``whole_voice`` the voice object is replaced, not filled in.
        """
        if (problem := self._refusal(number, job_type, settings)) is not None:
            return problem
        if job_type == "delete_phone_numbers":
            self._account.remove(number)
            return None
        self._account.changing(number)
        kept = {path: number.value(path) for path in dropped}
        if whole_voice and "voice" in settings:
            number.voice = Voice()
        if job_type == "update_phone_numbers":
            self._update(number, settings)
        else:
            self._set_emergency(number, settings)
        for path, value in kept.items():
            number.put(path, value)
        number.updated_at = self._account.clock.now()
        return None

    def _refusal(self, number: Number, job_type: str, settings: JsonObject) -> Problem | None:
        if (ordered := self._ordered(number, job_type)) is not None:
            return ordered
        if number.id not in self._account.numbers:
            return not_found().problem
        if number.status not in EDITABLE:
            return _bad("The phone number is not in an editable state.", "/status")
        if job_type == "delete_phone_numbers" and number.deletion_lock_enabled:
            return _bad("The phone number is locked against deletion.", "/deletion_lock_enabled")
        address = self._account.addresses.get(str(settings.get("emergency_address_id")))
        if address is not None and not address.valid_for_emergency:
            return invalid("/emergency_address_id").problem
        return None

    def _ordered(self, number: Number, job_type: str) -> Problem | None:
        for failure in self._failures:
            if failure.job_type in (None, job_type) and failure.hits(number):
                return failure.problem
        return None

    def _set_emergency(self, number: Number, settings: JsonObject) -> None:
        number.put("emergency_address_id", settings.get("emergency_address_id"))
        self._account.emergency.begin(number, enabled=bool(settings["emergency_enabled"]))

    def _update(self, number: Number, settings: JsonObject) -> None:
        for name, value in settings.items():
            if name == "voice" and isinstance(value, dict):
                number.voice.apply(value)
            elif name == "tags" and isinstance(value, list):
                number.tags = self._account.cased(value)
            else:
                setattr(number, name, None if name in _CLEARED_BY_EMPTY and value == "" else value)


def _bad(detail: str, pointer: str) -> Problem:
    return Problem(code="10015", title="Bad Request", detail=detail, pointer=pointer)
