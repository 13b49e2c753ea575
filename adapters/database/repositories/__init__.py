"""Repositories: named queries, each scoped by workspace or by movement."""
