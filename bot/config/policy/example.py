"""A policy file that shows every key."""

from __future__ import annotations

from typing import Final

#: A file to begin with: ``linesman policy --example`` prints it, and .github/POLICY.md shows it.
EXAMPLE: Final = """\
# The first rule that fits a change governs it. The environment variables decide what a rule does not say.

readers = ["S0SUPPORT"]                 # these may look, too; ["*"]: every full member

[[rule]]
name = "hands off"                      # nobody may; the requester reads why
kinds = ["telnyx.*"]
settings = ["connection_id"]
min_numbers = 1001
allow = false
why = "connections of more than 1,000 numbers at once are changed by the network team"

[[rule]]
name = "emergency"
kinds = ["telnyx.emergency"]
requesters = ["S0SAFETY"]
stages = [                              # one after the other, in place of approvers; a person counts in one only
  { name = "safety", approvers = ["S0SAFETY"], approvals_required = 2 },
  { name = "network", approvers = ["U0BOSS"], fallback_approvers = ["S0NETWORK"], fallback_after = "1h" },
]
approval_channel = "C0SAFETY"           # where approval is requested; Linesman has to be in it
failure_channel = "C0ALARMS"            # where its failures are told
mention = ["S0ONCALL"]                  # whom requests mention, whoever may approve; []: nobody
deadline = "4h"
reminder = "30m"                        # then after another 60 minutes, 120, ...; "never": no reminders
largest = 5000                          # larger changes are refused
on_stale = "continue"                   # leave out numbers that changed since the plan was made; "stop": send no more
windows = [
  { days = "mon-fri", from = "20:00", to = "06:00", zone = "Europe/Berlin" },
  { days = "sat, sun", from = "00:00", to = "24:00", zone = "Europe/Berlin" },
]

[[rule]]
name = "small changes"
kinds = ["telnyx.settings"]
max_numbers = 10                        # larger changes go to the next rule that fits
self_approval = true
approvers = ["U0BOSS", "U0OPS"]
fallback_approvers = ["U0NIGHT"]        # these may approve, too, once nobody has for two hours
fallback_after = "2h"

[[rule]]
name = "deletions"
kinds = ["telnyx.delete"]               # off unless a rule allows it; needs two approvals
allow = true
requesters = ["U0OPS"]
largest = 500

[[rule]]
name = "bundles"
kinds = ["telnyx.settings"]
approvals_required = 2
unpreviewable_filters = true            # where Telnyx does not list a filter's numbers, let its job find them unseen
"""
