"""Whole installations: prepared at the start, copied, restored, moved."""
