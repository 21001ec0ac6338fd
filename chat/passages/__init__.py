"""Passages of documents that are too long to be sent whole: cut, counted, and found by the words of a question."""
