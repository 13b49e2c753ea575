"""A Teams of Microsoft's own, for tests, and what people do in it."""
