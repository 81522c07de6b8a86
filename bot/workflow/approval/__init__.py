"""Asking for approval, deciding, reminding."""
