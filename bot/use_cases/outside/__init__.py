"""Programs outside: the keys by which they read what a movement shows."""
