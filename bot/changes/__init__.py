"""The domain: what a change is and which rules it follows. Pure values and functions; no I/O, no clock."""
