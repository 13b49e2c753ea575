"""Measurements for a developer's terminal."""
