"""Measures the hub beside the backend alone: ``python -m tests.bench``."""
