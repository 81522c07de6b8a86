"""The rows of changes and of all that belongs to them."""
