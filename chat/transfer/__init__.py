"""Conversations as files: out as JSON, Markdown, HTML and text; in from those of this hub and of other programs."""
