"""The core of Ritme: what a movement does, without knowing Slack, Teams, a database or a clock."""
