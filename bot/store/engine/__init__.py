"""The drivers: connections, their errors and clocks, and conflicts between transactions."""
