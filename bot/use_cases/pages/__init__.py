"""The pages in a browser: the link and the sessions that open them, and what stands on them only."""
