"""Control over a running change: cancel, freeze, unlock, resolve; and what retention deletes."""
