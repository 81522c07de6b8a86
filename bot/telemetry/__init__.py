"""Information about a running process: log, times of calls, traces."""
