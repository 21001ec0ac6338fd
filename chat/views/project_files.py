"""The files of a project: listed, added, taken out. Every change is a plain POST."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from chat.access import own_project, own_project_file
from chat.presenting.documents import project_files_view
from chat.services import project_files
from chat.services.refusals import Refused
from chat.views.requests import person


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def index(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """The files; posting adds some."""
    project = own_project(person(request), project_id)
    error = ""
    if request.method == "POST":
        sent = request.FILES.getlist("files")
        if not sent:
            messages.error(request, _("Choose a file first."))
        try:
            project_files.add(person(request), project, sent)
        except Refused as refused:
            error = str(refused)
        else:
            return redirect("chat:project-files", project.pk)
    context = {"project": project_files_view(project), "error": error}
    return render(request, "chat/pages/project_files.html", context, status=422 if error else 200)


@require_POST
@login_required
def remove(request: HttpRequest, file_id: UUID) -> HttpResponse:
    """Take one out."""
    row = own_project_file(person(request), file_id)
    project_files.remove(row)
    messages.success(request, _("“%(name)s” was removed.") % {"name": row.name})
    return redirect("chat:project-files", row.project_id)
