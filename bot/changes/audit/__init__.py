"""The audit log: events, their hash chain, and its export."""
