"""Text that is safe to store and to show: no broken characters, no hidden ones, no formulas."""
