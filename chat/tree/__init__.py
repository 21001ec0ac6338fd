"""The tree of a conversation: which messages stand where, and which of them are shown."""
