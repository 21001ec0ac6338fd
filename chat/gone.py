"""Rows that go for good between a look at them and holding them, as if they had never been there."""

from __future__ import annotations

from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError
from django.http import Http404, HttpRequest
from django.utils.deprecation import MiddlewareMixin

from chat import models

#: What is said where a row is missing that a view had a moment ago. Rows of other apps are no person's.
MISSING: tuple[type[ObjectDoesNotExist], ...] = tuple(
    getattr(models, name).DoesNotExist
    for name in models.__all__
    if hasattr(getattr(models, name), "DoesNotExist")
)
#: Django has no type of its own for this before its version 6.
NOT_SAVED = "Save with update_fields did not affect any rows."


class GoneMeanwhile(MiddlewareMixin):
    """Whoever was let in and then finds nothing gets the page of what is not there, in place of an error.

    Another tab may have deleted it, or it was deleted long ago and is purged right now.
    """

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Raises Http404 in place of what tells that a row is missing; anything else stays an error."""
        if isinstance(exception, MISSING) or is_not_saved(exception):
            raise Http404 from exception


def is_not_saved(exception: Exception) -> bool:
    """Whether a row was to be changed that is no more."""
    return isinstance(exception, DatabaseError) and exception.args == (NOT_SAVED,)
