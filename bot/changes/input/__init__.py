"""From what people type to a request: drafts, filters, start times, list queries, templates."""
