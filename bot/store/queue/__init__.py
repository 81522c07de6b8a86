"""Work that is due: tasks and messages, their claims, and forgotten work."""
