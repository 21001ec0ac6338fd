"""Rows to the plain values that templates show (see ``chat.presenters``)."""
