"""The policy file: ordered rules, over what the variables say.

Each ``[[rule]]`` first says which changes it is for. A change has to meet every condition that is given:

    kinds           kinds and patterns: ["telnyx.emergency", "close.*"]; without it, every kind
    min_numbers     fewest numbers of a change that the rule is for
    max_numbers     most numbers of a change that the rule is for (a limit is called `largest`)
    settings        names of settings, one of which the change touches

and then what holds for them. The first rule that fits governs, and what it does not say, the variables say:

    name                  what decisions and messages call it; required
    allow                 false: nobody may; true: needed for a kind that is off by default (telnyx.delete)
    why                   why nobody may
    requesters            user ids U… or W…, user group ids S…, or "*" for everybody
    approvers             the same, without "*"
    approvals_required    how many different people
    self_approval         whether requesters' own approval counts
    deadline              how long a request waits for approval: "90s", "15m", "4h", "2d"
    reminder              how long until those who have not answered are reminded, each pause twice the one before
                          ("15m"); "never" for not at all
    largest               most numbers in one change
    windows               when changes may be sent; without it, at any time
    unpreviewable_filters whether a filter that cannot be previewed may be handed to the provider
    on_stale              what follows when numbers turn out to have changed after some of the change was sent:
                          "stop" sends nothing more of it, "continue" goes on without them

Above the first rule may stand ``readers = ["S0…"]``: who may look at changes and numbers besides those who may request,
approve or operate under any rule; ``["*"]`` is every active full member of the workspace.

A kind that is off by default takes two approvals, unless the rule says how many. :data:`EXAMPLE` shows every key.
"""

from __future__ import annotations

from bot.config.policy.cautions import rule_cautions, variable_cautions
from bot.config.policy.document import PolicyFile, parse, read
from bot.config.policy.example import EXAMPLE
from bot.config.policy.explaining import explain, explain_reading

__all__ = ["EXAMPLE", "PolicyFile", "explain", "explain_reading", "parse", "read", "rule_cautions", "variable_cautions"]
