"""The drivers: connections, their errors and clocks, and transactions that were in each other's way."""
