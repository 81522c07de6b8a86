"""Work that is due: tasks and messages, whose they are, and what has been forgotten."""
