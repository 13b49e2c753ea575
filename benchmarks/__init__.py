"""Benchmarks for a developer's terminal."""
