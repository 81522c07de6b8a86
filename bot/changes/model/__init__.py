"""The parts of a change: its records, states, settings, values and batches."""
