"""Kill processes at random while people talk and Slack misbehaves; then check that nothing was lost or doubled."""
