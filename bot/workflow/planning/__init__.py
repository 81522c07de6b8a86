"""From a request to a plan that can be approved."""
