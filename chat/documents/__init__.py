"""Files that a model reads as text."""

from chat.documents.kinds import Kind, kind_of
from chat.documents.pdf import pdf_text
from chat.documents.plain import plain_text
from chat.documents.unreadable import Reason, Unreadable

__all__ = ["Kind", "Reason", "Unreadable", "kind_of", "pdf_text", "plain_text"]
