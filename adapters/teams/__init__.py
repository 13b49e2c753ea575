"""Teams: activities in, activities out. A workspace is "teams:<tenant id>"."""
