"""Processes killed at random while people talk and Slack misbehaves."""
