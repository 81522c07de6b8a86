"""A stand-in for Telnyx's v2 API, in memory, on loopback, strict where the real service is.

    telnyx = TelnyxStandIn(api_key="KEY...", job_seconds=2.0)
    async with telnyx:                                    # binds 127.0.0.1 on a free port
        connection = telnyx.add_connection("Denver PBX")
        number = telnyx.add_number("+13035550100", tags=["vip"], connection_id=connection.id)
        telnyx.add_numbers(2500, start="+13035551000")
        ...                                               # give telnyx.url to a client
        telnyx.number("+13035550100").tags                # records are live and mutable
        telnyx.jobs, telnyx.calls                         # what was asked for, in order

To spoil things: ``telnyx.fail`` (one number's operation), ``telnyx.misbehave`` (a whole job or its report),
``telnyx.faults.add`` (the wire), ``telnyx.other_jobs`` (somebody else fills the in-flight limit),
``telnyx.ignored_filters`` (lists that overlook a filter), ``telnyx.downloads`` and ``telnyx.files`` (files of numbers
that come late, end badly or lie, and the host that keeps them), ``telnyx.paging`` (pages that are cut wrongly),
``telnyx.intruders`` and ``telnyx.mistaken`` (answers with numbers that nobody asked for), ``telnyx.rate_limit``,
``telnyx.read_lag`` and ``telnyx.list_lag`` (changes and jobs that show late), ``telnyx.dated`` (answers without a
date). ``telnyx.advance`` skips time, ``telnyx.wait_for`` waits for a condition.

It answers these paths under ``/v2``, with the documented filters, paging and sorting of each:

    POST /phone_numbers/jobs/update_phone_numbers | update_emergency_settings | delete_phone_numbers
    GET  /phone_numbers/jobs, /phone_numbers/jobs/{id}
    GET  /phone_numbers, /phone_numbers/slim, /phone_numbers/voice, /phone_numbers/{id}, …/{id}/voice
    POST /phone_numbers/csv_downloads; GET /phone_numbers/csv_downloads, /phone_numbers/csv_downloads/{id}
    POST /phone_numbers/actions/verify_ownership
    GET  /connections, /billing_groups, /addresses (and one of each by id), /user_tags

Where it differs on purpose. It refuses unknown query parameters (400 or 422, code 10031) and unknown body
fields (422, code 10015), which the real service may silently ignore: an ignored filter selects every number,
an ignored field looks applied, and a client that relies on neither is safe with both. Where Telnyx's
documents are silent the stand-in takes the reading that hurts a careless client most; the module that does so says it:
siblings of a partly filled nested voice object are reset (``voice``), tags come back in the casing of their
first use (``account``), numbers in a state other than active or port-pending are not verified and fail in
jobs (``records``, ``behaviour``), a job's status says little about its operations (``jobs``).
"""

from __future__ import annotations

from bot.sandbox.provider.calls import Call
from bot.sandbox.provider.faults import Fault
from bot.sandbox.telnyx.faults import Faults
from bot.sandbox.telnyx.jobs import Job, JobOperation
from bot.sandbox.telnyx.misbehaviour import Misbehaviour
from bot.sandbox.telnyx.paging import Paging
from bot.sandbox.telnyx.rates import RateLimit
from bot.sandbox.telnyx.records import Address, BillingGroup, Connection, Number
from bot.sandbox.telnyx.server import TelnyxStandIn

__all__ = [
    "Address",
    "BillingGroup",
    "Call",
    "Connection",
    "Fault",
    "Faults",
    "Job",
    "JobOperation",
    "Misbehaviour",
    "Number",
    "Paging",
    "RateLimit",
    "TelnyxStandIn",
]
