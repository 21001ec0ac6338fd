"""Images from people, made harmless: decoded and written anew in a process of its own with strict limits."""

from chat.imaging.cleaning import BadImage, CleanImage, Trouble, clean

__all__ = ["BadImage", "CleanImage", "Trouble", "clean"]
