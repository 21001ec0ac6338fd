"""All models of all servers: everybody looks, and sets their own wishes; administrators set the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from chat.catalogue import Filters, abilities, catalogue_view, manage_url, model_row
from chat.generation.sampling import taken_by
from chat.health import health_view
from chat.model_details import model_facts
from chat.model_forms import ModelRulesForm
from chat.sampling_form import SamplingForm
from chat.services.models import Offer, find_model, visible_models
from chat.services.preferences import WISHES
from chat.services.refusals import Refused
from chat.views.requests import administrators_only, is_htmx, person, posted

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


@require_safe
@login_required
@vary_on_headers("HX-Request")
def index(request: HttpRequest) -> HttpResponse:
    """The models that this person may see; the address narrows them down."""
    view = catalogue_view(person(request), Filters.of(request.GET))
    page = "chat/fragments/catalogue.html" if is_htmx(request) else "chat/pages/models.html"
    return render(request, page, {"section": "models", "catalogue": view})


@require_safe
@login_required
def details(request: HttpRequest, model_pk: int) -> HttpResponse:
    """Everything about one model."""
    return render_details(request, visible(person(request), model_pk))


@require_POST
@login_required
def prefer(request: HttpRequest) -> HttpResponse:
    """One wish of this person: the button's name says which, its value of which model."""
    wish = next((name for name in WISHES if name in request.POST), "")
    if not wish:
        return HttpResponseBadRequest()
    user, ref = person(request), posted(request, wish)
    try:
        model = find_model(user, ref)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        WISHES[wish](user, model)
        if posted(request, "from") == "details":
            return redirect("chat:model", model.pk)
    filters = Filters.of(QueryDict(posted(request, "filters")))
    if is_htmx(request):
        view = catalogue_view(user, filters, keep=ref)
        return render(request, "chat/fragments/catalogue.html", {"catalogue": view})
    return redirect(f"{reverse('chat:models')}?{filters.query}")


@require_POST
@administrators_only
def rules(request: HttpRequest, model_pk: int) -> HttpResponse:
    """What the hub calls a model, who may use it, whether it is offered."""
    offer = visible(person(request), model_pk)
    form = ModelRulesForm(request.POST, instance=offer.model)
    if not form.is_valid():
        return render_details(request, visible(person(request), model_pk), form)
    saved = form.save()
    messages.success(request, _("%(name)s was saved.") % {"name": saved})
    return redirect("chat:model", saved.pk)


@require_POST
@administrators_only
def sampling(request: HttpRequest, model_pk: int) -> HttpResponse:
    """The options that a model is sent where nobody chose others."""
    offer = visible(person(request), model_pk)
    form = SamplingForm(request.POST, options=offer.model.sampling, names=taken_by(offer.model))
    if not form.is_valid():
        return render_details(request, offer, sampling_form=form)
    offer.model.sampling = form.options()
    offer.model.save(update_fields=["sampling"])
    messages.success(request, _("The defaults of %(name)s were saved.") % {"name": offer.model})
    return redirect("chat:model", model_pk)


def visible(user: User, pk: int) -> Offer:
    """A model of this person's list. Raises Http404, also where it exists for others."""
    for offer in visible_models(user, pk=pk):
        return offer
    raise Http404


def render_details(
    request: HttpRequest,
    offer: Offer,
    form: ModelRulesForm | None = None,
    sampling_form: SamplingForm | None = None,
) -> HttpResponse:
    """The page of one model; the rules are for administrators."""
    user, model = person(request), offer.model
    context = {
        "section": "models",
        "model": model_row(user, offer),
        "abilities": tuple(abilities(model.capabilities or ())),
        "backend": {
            "name": model.backend.name,
            "health": health_view(model.backend),
            "manage_url": manage_url(model.backend) if user.is_staff else "",
        },
        "facts": model_facts(model),
    }
    if user.is_staff:
        context["form"] = form or ModelRulesForm(instance=model)
        context["sampling"] = sampling_form or SamplingForm(options=model.sampling, names=taken_by(model))
    code = 422 if (form and form.errors) or (sampling_form and sampling_form.errors) else 200
    return render(request, "chat/pages/model.html", context, status=code)
