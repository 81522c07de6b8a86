"""From an approved plan to verified numbers: start, staleness, jobs, read-back, waves, completion."""
