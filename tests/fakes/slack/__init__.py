"""A fake Slack, written from Slack's documentation; it refuses more than Slack itself does."""
