"""Repositories: named queries, each scoped by workspace or by movement."""

# Queries for the domain's classes need their mappers, and every query stands in this package.
import adapters.database.mapping  # noqa: F401
