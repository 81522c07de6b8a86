"""The two loops that do due work, and what they need to claim work and keep it."""
