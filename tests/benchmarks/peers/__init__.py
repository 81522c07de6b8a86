"""What people do without Linesman: competent scripts on the official SDK, one function each."""
