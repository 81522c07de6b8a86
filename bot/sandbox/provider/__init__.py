"""The shell of the stand-ins for providers: everything about them that is not Telnyx's or Close's own.

A stand-in is a ``ProviderStandIn`` (``server``) around its own ``Account``, its own ``Middleware`` with ``Faults``, and
its routes. Clock, log of calls, faults on the wire, rewritten answers and the handles of tests come from here, so what
can go wrong with one provider can go wrong with the other.
"""
