"""The rules of the practice, as plain dataclasses and functions."""
