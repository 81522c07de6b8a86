"""``linesman demo``: the real bot between both stand-ins, a story in Slack, and an account of every promise."""
