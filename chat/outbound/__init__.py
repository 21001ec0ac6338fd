"""The one way to the world outside: every tool's request passes here, is checked, bounded and noted."""
