"""A stand-in for Close's v1 API, in memory, on loopback, strict where the real service is.

    close = CloseStandIn(api_key="api_...")
    async with close:                                     # binds 127.0.0.1 on a free port
        ana = close.add_user("Ana", "Reyes")
        number = close.add_number("+13035550100", label="Front desk", participants=[ana.id])
        fixtures = furnish(close, shared=200)             # or a whole team with its numbers
        ...                                               # give close.url to a client
        close.number("+13035550100").label                # records are live and mutable
        close.calls, close.updates, close.truth()         # what was asked for, what took effect, what is so

To spoil things: ``close.fail`` (updates of one number), ``close.drop`` (a setting that is silently not applied),
``close.permit`` (what the acting user may do), ``close.faults.add`` (the wire, also 401, 402 and 403 for all),
``close.rate_limit``, ``close.group_limits`` and ``close.others_call`` (429), ``close.ignored_filters`` (lists that
overlook a filter), ``close.paging`` (pages that are cut wrongly), ``close.mistaken`` (answers with a number that nobody
asked for), ``close.dated`` (answers without a date), ``close.missing_fields`` (an older or later revision of the API),
``close.read_lag`` (reads that lag behind). ``close.advance`` skips time, ``close.wait_for`` waits for a condition.

It answers these paths under ``/api/v1``, each with its documented parameters and the slash at its end:

    GET  /phone_number/, /phone_number/{id}/
    PUT  /phone_number/{id}/
    GET  /me/, /user/, /user/{id}/, /group/, /group/{id}/

Numbers cannot be rented or deleted here: Linesman does neither, and such a call gets 404 or 405.

Where it differs on purpose. It refuses unknown query parameters, which the real service may silently ignore: an
ignored filter selects every number. Where Close's documents are silent the stand-in takes the reading that hurts a
careless client most; the module that does so says it: pages of at most 100 (``query``), forwarding only with a
target and personal numbers without participants (``rules``), lists in an order of their own and optional fields
left out (``rows``), 5xx without JSON (``answers``), groups without names unless asked (``lookups``).
"""

from __future__ import annotations

from bot.sandbox.close.faults import Faults
from bot.sandbox.close.fixtures import Fixtures, furnish
from bot.sandbox.close.query import Caps, Paging
from bot.sandbox.close.rates import RateLimit
from bot.sandbox.close.records import Group, Number, Update, User
from bot.sandbox.close.server import CloseStandIn
from bot.sandbox.provider.calls import Call
from bot.sandbox.provider.faults import Fault

__all__ = [
    "Call",
    "Caps",
    "CloseStandIn",
    "Fault",
    "Faults",
    "Fixtures",
    "Group",
    "Number",
    "Paging",
    "RateLimit",
    "Update",
    "User",
    "furnish",
]
