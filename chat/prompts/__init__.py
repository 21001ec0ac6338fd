"""System prompts: what may stand in their text, and what becomes of it."""
