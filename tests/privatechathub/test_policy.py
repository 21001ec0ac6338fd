"""Headers of every answer, and the page for a form that came from nowhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory

from privatechathub.accounts.models import User
from privatechathub.middleware import POLICY, ContentSecurityPolicy
from tests.chat.page import faults

DIRECTIVES = dict(part.split(" ", 1) for part in POLICY.split("; "))


def test_nothing_runs_or_loads_but_our_own_files() -> None:
    assert DIRECTIVES["default-src"] == "'none'"
    assert DIRECTIVES["script-src"] == DIRECTIVES["style-src"] == DIRECTIVES["connect-src"] == "'self'"
    assert DIRECTIVES["form-action"] == "'self'"
    assert DIRECTIVES["base-uri"] == DIRECTIVES["frame-ancestors"] == "'none'"
    for sources in DIRECTIVES.values():
        for source in sources.split():
            assert source in ("'self'", "'none'", "data:", "blob:"), source
    assert DIRECTIVES["img-src"] == "'self' data: blob:"


VISITOR = [
    "/accounts/login/", "/accounts/signup/", "/healthz", "/nowhere/", "/setup/guess/", "/invitation/guess/",
    "/static/css/nowhere.css", "/admin/login/",
]  # fmt: skip
ADMINISTRATOR = [
    "/", "/people/", "/settings/", "/backends/", "/admin/", "/admin/accounts/user/", "/admin/backends/backend/add/",
    "/accounts/sessions/", "/accounts/logout/", "/chat/", "/static/js/thread.js",
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "who"), [(p, "visitor") for p in VISITOR] + [(p, "ada") for p in ADMINISTRATOR]
)
def test_every_answer_carries_the_policy(path: str, who: str, ada: User, as_ada: Client) -> None:
    response = (as_ada if who == "ada" else Client()).get(path)

    assert response.headers["Content-Security-Policy"] == POLICY
    assert "geolocation=()" in response.headers["Permissions-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"
    if response.headers.get("Content-Type", "").startswith("text/html"):
        assert "no-cache" in response.headers["Cache-Control"]
    response.close()


@pytest.mark.parametrize("make", [HttpResponse, StreamingHttpResponse])
def test_a_stricter_policy_of_a_view_is_kept(make: Callable[..., HttpResponse]) -> None:
    def view(_request: object) -> HttpResponse:
        return make(headers={"Content-Security-Policy": "sandbox"})

    response = ContentSecurityPolicy(view)(RequestFactory().get("/"))

    assert response.headers["Content-Security-Policy"] == "sandbox"


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}, {"Origin": "https://evil.example"}])
def test_a_form_that_came_from_nowhere_is_explained(alice: User, headers: dict[str, str]) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")

    response = browser.post("/settings/theme/", {"theme": "dark"}, headers=headers)

    assert response.status_code == 403
    assert faults(response) == []
    assert "This page has become too old" in response.content.decode()
    assert User.objects.get(pk=alice.pk).theme == "system"
