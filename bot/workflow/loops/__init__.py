"""The two loops that do what is due, and what they need to take work and to keep it."""
