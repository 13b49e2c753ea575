"""Fuzzing of every door: correct payloads, mutated and correctly signed, over a living movement (`make fuzz`)."""
