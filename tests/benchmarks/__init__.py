"""Benchmarks: `python -m tests.benchmarks`; docs/benchmarks.md says how to read them."""
