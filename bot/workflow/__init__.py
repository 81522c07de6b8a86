"""What happens and when. Knows providers and the store; never Slack's blocks."""
