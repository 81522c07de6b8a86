"""Linesman: bulk phone-number changes from Slack, planned, approved and accounted for."""
