"""What the tests of several parts use."""

from tests.integration.postgres import postgres

__all__ = ["postgres"]
