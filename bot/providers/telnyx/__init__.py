"""Telnyx: bulk changes of phone numbers through its background jobs."""
