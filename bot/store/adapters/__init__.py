"""What the providers are given of the store, each call a transaction of its own."""
