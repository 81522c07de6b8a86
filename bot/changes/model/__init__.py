"""What a change consists of: its records, states, settings, values and batches."""
