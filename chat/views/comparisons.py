"""Several models side by side. Plain forms; htmx only saves the reload."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_list_or_404, get_object_or_404, redirect, render
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from chat.access import own_comparison
from chat.comparison_form import ComparisonForm
from chat.generation.updates import Kind
from chat.models import Comparison, Conversation, Status
from chat.presenting.comparison import comparison_view
from chat.presenting.endings import model_label
from chat.presenting.sidebar import sidebar_view
from chat.presenting.window import Window, after, around, before
from chat.realtime import frames
from chat.services import comparing, deciding
from chat.services.refusals import Refused
from chat.services.sending import Sent, tell
from chat.views.messages import articles_of, files_of, fresh_key, key_of, text_of
from chat.views.pages import bring_into_view, number
from chat.views.requests import is_htmx, person, posted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def begin(request: HttpRequest) -> HttpResponse:
    """Choose models and ask the first question."""
    if request.method != "POST":
        return begin_page(request, ComparisonForm(person(request)))
    form = ComparisonForm(person(request), request.POST)
    if not form.is_valid():
        return begin_page(request, form)
    try:
        comparison = comparing.begin_comparison(
            person(request), text_of(request), form.wishes(), key_of(request),
            blind=form.blind, uploads=files_of(request),
        )  # fmt: skip
    except Refused as refused:
        return begin_page(request, form, str(refused))
    return redirect(comparison)


def begin_page(request: HttpRequest, form: ComparisonForm, error: str = "") -> HttpResponse:
    """The form; what was typed is in it."""
    context = {"form": form, "error": error, "tally": deciding.tally(person(request))}
    status = 422 if error or not form.fits else 200
    return render(request, "chat/pages/compare.html", context, status=status)


@require_safe
@login_required
@vary_on_headers("HX-Request")
def show(request: HttpRequest, comparison_id: UUID) -> HttpResponse:
    """All columns, or what is right of the sidebar. ``?message=ID`` has the column of that message show it.

    ``?before=ID``, ``?after=ID`` and ``?around=ID`` are as in a conversation.
    """
    comparison = own_comparison(person(request), comparison_id)
    try:
        shown = windows(request, comparison)
    except Refused as refused:
        messages.info(request, str(refused))
        return redirect(comparison)
    return page(request, comparison, shown=shown)


def windows(request: HttpRequest, comparison: Comparison) -> dict[UUID, Window]:
    """Column -> which of its messages the address asks for. Raises Refused, and Http404 where none has that."""
    for name, window in (("message", around), ("before", before), ("after", after), ("around", around)):
        if message_id := number(request, name):
            column = get_object_or_404(comparison.columns, messages=message_id)
            if name == "message":
                bring_into_view(column, message_id)
            return {column.pk: window(column, message_id)}
    return {}


def page(
    request: HttpRequest,
    comparison: Comparison,
    *,
    draft: str = "",
    error: str = "",
    shown: Mapping[UUID, Window] | None = None,
) -> HttpResponse:
    """The page of a comparison; a text that was refused is in it. ``shown`` as in ``comparison_view``."""
    view = comparison_view(comparison, draft=draft, error=error, shown=shown)
    context: dict[str, Any] = {"comparison": view}
    if is_htmx(request):
        response = render(request, "chat/fragments/comparison.html", context)
        if "/compare/" not in request.headers.get("HX-Current-URL", ""):
            wanted = number(request, "message")
            response["HX-Push-Url"] = f"{view.url}?message={wanted}#message-{wanted}" if wanted else view.url
        return response
    first = comparison.columns.get(column=0)
    context["sidebar"] = sidebar_view(person(request), first)
    return render(request, "chat/pages/comparison.html", context, status=422 if error else 200)


@require_POST
@login_required
def send(request: HttpRequest, comparison_id: UUID) -> HttpResponse:
    """The next question, to all columns or to one."""
    comparison = own_comparison(person(request), comparison_id)
    columns = chosen_columns(comparison, posted(request, "to"))
    try:
        sent = comparing.ask_columns(
            person(request), columns, text_of(request), key_of(request), files_of(request)
        )
    except Refused as refused:
        if is_htmx(request):
            headers = {"HX-Retarget": "#composer-error", "HX-Reswap": "innerHTML"}
            return HttpResponse(escape(str(refused)), status=422, headers=headers)
        return page(request, comparison, draft=text_of(request), error=str(refused))
    announce(sent)
    if not is_htmx(request):
        return redirect(comparison)
    places = (
        frames.partial(f"messages-{each.conversation.column}", "appendMissing", articles_of(each))
        for each in sent
    )
    return HttpResponse("".join(places) + fresh_key())


def chosen_columns(comparison: Comparison, to: str) -> list[Conversation]:
    """The column of that number, or all. Raises Http404."""
    rows = comparison.columns.select_related("backend", "comparison").order_by("column")
    if not to:
        return get_list_or_404(rows)
    return [get_object_or_404(rows, column=int(to) if to.isdecimal() and len(to) < 3 else -1)]


def announce(sent: Iterable[Sent]) -> None:
    """Tell the pages that watch the columns, this one too."""
    for each in sent:
        label = model_label(each.generation) if each.generation.status == Status.RUNNING else ""
        html = articles_of(each)
        tell(Kind.ADDED, each.conversation, message_id=each.answer.pk, html=html, model_label=label)


@require_POST
@login_required
def stop(request: HttpRequest, comparison_id: UUID) -> HttpResponse:
    """Stop all columns."""
    comparison = own_comparison(person(request), comparison_id)
    comparing.stop_all(comparison)
    return HttpResponse(status=204) if is_htmx(request) else redirect(comparison)


@require_POST
@login_required
def vote(request: HttpRequest, comparison_id: UUID) -> HttpResponse:
    """Which answer is best; then the names are told."""
    comparison = own_comparison(person(request), comparison_id)
    choice = posted(request, "best")
    winner = None if choice == "none" else chosen_columns(comparison, choice or "-")[0]
    try:
        deciding.vote(comparison, winner)
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect(comparison)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def keep(request: HttpRequest, comparison_id: UUID, column: int) -> HttpResponse:
    """Go on with one column; the others are deleted."""
    comparison = own_comparison(person(request), comparison_id)
    (chosen,) = chosen_columns(comparison, str(column))
    if request.method == "POST":
        kept, moment = deciding.keep(comparison, chosen)
        messages.success(request, _("The other columns were deleted."), extra_tags=moment.isoformat())
        return redirect(kept)
    context = {
        "question": _("Go on with this answer alone?"),
        "detail": _("It becomes an ordinary conversation; the other columns are deleted."),
        "button": _("Keep this one"),
        "back_url": comparison.get_absolute_url(),
    }
    return render(request, "chat/pages/confirm_delete.html", context)
