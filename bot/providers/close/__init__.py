"""Close: changes of phone numbers one by one, carried out by us as a durable run."""
