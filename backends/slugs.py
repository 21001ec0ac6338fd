"""Names of rows in addresses."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet


def unused(stem: str, rows: QuerySet[Any]) -> str:
    """A slug that begins with the stem and that none of the rows has, nor a page: ``…/add/`` is one."""
    taken = {"add", *rows.filter(slug__startswith=stem).values_list("slug", flat=True)}
    number, slug = 1, stem
    while slug in taken:
        number += 1
        slug = f"{stem}-{number}"
    return slug
