"""What a process tells of itself while it works: log, times of calls, traces."""
