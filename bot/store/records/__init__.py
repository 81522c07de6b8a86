"""The rows of changes and of everything that belongs to them."""
