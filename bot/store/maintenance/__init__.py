"""Whole installations: prepared at the start, copied, put back, moved."""
