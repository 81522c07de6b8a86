"""What people do to a change under way: cancel, freeze, unlock, resolve; and what retention deletes."""
