"""Made-up conversations, to look at a full hub and to measure one."""
