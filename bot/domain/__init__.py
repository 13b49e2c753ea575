"""The rules of the practice, as plain dataclasses and functions without input or output."""
