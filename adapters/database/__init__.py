"""Storage through SQLAlchemy: the same tables and repositories on SQLite and PostgreSQL."""
