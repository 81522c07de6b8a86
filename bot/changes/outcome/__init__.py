"""The outcome of every number: job reports, read-backs, results files, follow-ups."""
