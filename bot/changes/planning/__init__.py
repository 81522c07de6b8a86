"""From current and wanted values to a plan: differences, batches, digest, summary."""
