"""Reading phone numbers out of what people paste."""
