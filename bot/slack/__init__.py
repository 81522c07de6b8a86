"""The user interface in Slack: the manifest, the listeners and their Block Kit answers."""
