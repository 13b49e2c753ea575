"""Slack: requests in, posts out, names looked up. Nothing is imported here: a constant costs no client."""
