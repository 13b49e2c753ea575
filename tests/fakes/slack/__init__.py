"""A Slack of our own, written from its documentation, and stricter than comfortable."""
