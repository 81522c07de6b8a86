"""The parts of the store that providers use, each call in its own transaction."""
