"""What a model may use beside its own words: one tool a file, a literal registry."""
