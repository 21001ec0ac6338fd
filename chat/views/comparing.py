"""Answers to one question, compared."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from chat.comparing.page import comparison_view, pair_of, siblings
from chat.views.messages import place
from chat.views.pages import number


@require_safe
@login_required
def show(request: HttpRequest, message_id: int) -> HttpResponse:
    """Two of the answers, those that ``first`` and ``second`` name. Raises Http404 where there is only one."""
    answer, conversation = place(request, message_id)
    found = siblings(answer)
    if len(found) < 2 or answer.pk not in {row.pk for row in found}:
        raise Http404
    wanted = [number(request, name) for name in ("first", "second")]
    first, second = pair_of(found, wanted, answer.pk)
    view = comparison_view(found, first, second, answer, conversation)
    return render(request, "chat/pages/comparison_of_answers.html", {"comparison": view})
