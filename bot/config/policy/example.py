"""A policy file that shows every key."""

from __future__ import annotations

from typing import Final

#: A file to begin with; the README shows it.
EXAMPLE: Final = """\
# The first rule that fits a change governs it. What a rule does not say, the variables say.

readers = ["S0SUPPORT"]                 # may look, like all who have a part in a rule; ["*"] for every full member

[[rule]]
name = "hands off"                      # nobody may, and the requester reads why
kinds = ["telnyx.*"]
settings = ["connection_id"]
min_numbers = 1001
allow = false
why = "connections of more than 1,000 numbers at once are moved by the network team"

[[rule]]
name = "emergency"
kinds = ["telnyx.emergency"]
requesters = ["S0SAFETY"]
approvers = ["S0SAFETY", "U0BOSS"]
approvals_required = 2
deadline = "4h"
reminder = "30m"                        # then after another 60 minutes, 120, ...; "never" for none
largest = 5000                          # larger ones are refused
on_stale = "continue"                   # numbers that changed meanwhile are left out; "stop": nothing more is sent
windows = [
  { days = "mon-fri", from = "20:00", to = "06:00", zone = "Europe/Berlin" },
  { days = "sat, sun", from = "00:00", to = "24:00", zone = "Europe/Berlin" },
]

[[rule]]
name = "small changes"
kinds = ["telnyx.settings"]
max_numbers = 10                        # larger ones go on to the next rule that fits
self_approval = true
approvers = ["U0BOSS", "U0OPS"]

[[rule]]
name = "deletions"
kinds = ["telnyx.delete"]               # off unless a rule allows it; two approvals
allow = true
requesters = ["U0OPS"]
largest = 500

[[rule]]
name = "bundles"
kinds = ["telnyx.settings"]
unpreviewable_filters = true            # filters whose numbers are known only when the job runs
"""
