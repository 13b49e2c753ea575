"""Teams: activities in, activities out. Nothing is imported here: a constant costs no SDK."""
