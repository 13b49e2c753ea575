"""Everything that touches the outside: platforms, database, engine, web, command line."""
