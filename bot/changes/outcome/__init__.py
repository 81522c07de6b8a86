"""What became of every number: job reports, read-backs, results files, follow-ups."""
