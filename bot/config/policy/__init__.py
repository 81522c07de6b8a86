"""The policy file: ordered rules, with the variables as the fallback.

Each ``[[rule]]`` says which changes it is for (kinds, min_numbers, max_numbers, settings: a change must meet every
given condition) and which terms apply to them. The first rule that fits governs; missing terms come from the variables.
A kind that is off by default needs two approvals, unless the rule says how many.

The keys and their meanings are declared in :mod:`bot.config.policy.keys`. :data:`EXAMPLE` shows every key.
"""

from __future__ import annotations

from bot.config.policy.cautions import rule_cautions, variable_cautions
from bot.config.policy.document import PolicyFile, parse, read
from bot.config.policy.example import EXAMPLE
from bot.config.policy.explaining import explain, explain_reading

__all__ = ["EXAMPLE", "PolicyFile", "explain", "explain_reading", "parse", "read", "rule_cautions", "variable_cautions"]
