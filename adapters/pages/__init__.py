"""The pages in a browser, for people of every platform."""
