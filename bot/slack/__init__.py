"""What people see and press in Slack: the manifest, the listeners and the Block Kit they answer with."""
