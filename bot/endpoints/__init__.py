"""The HTTP endpoints: Slack's deliveries, probes and metrics."""
