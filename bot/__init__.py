"""The core of Ritme: what a movement does, without knowing Slack, Teams, a database or a clock."""

__version__ = "0.1.0"
