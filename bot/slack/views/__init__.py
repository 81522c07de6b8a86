"""What people see: functions from values to Block Kit. Nothing here calls Slack."""
