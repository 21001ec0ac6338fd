"""Whether models may use the internet, and whom tools have contacted there."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from chat.internet_form import InternetForm
from chat.models import Internet, OutsideContact
from chat.views.requests import administrators_only, person

#: Lines of the list that a page shows.
PAGE = 100


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def settings(request: HttpRequest) -> HttpResponse:
    """The decision of an administrator."""
    form = InternetForm(request.POST or None, instance=Internet.current())
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("chat:internet")
    context = {"section": "internet", "form": form}
    return render(request, "chat/pages/internet.html", context, status=422 if form.errors else 200)


@require_safe
@login_required
def contacts(request: HttpRequest) -> HttpResponse:
    """Every host outside that was contacted: a person's own, for administrators everybody's."""
    rows = OutsideContact.objects.visible_to(person(request)).select_related("user")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    return render(request, "chat/pages/contacts.html", {"section": "internet", "page": page})
