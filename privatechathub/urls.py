"""All addresses."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from privatechathub import views
from privatechathub.accounts import views as accounts

hub = (
    [
        path("settings/", accounts.settings, name="settings"),
        path("settings/theme/", accounts.theme, name="theme"),
        path("people/", accounts.people, name="people"),
        path("people/invite/", accounts.invite, name="invite"),
        path("people/invitations/<int:invitation_id>/revoke/", accounts.revoke, name="invitation-revoke"),
        path("invitation/<str:token>/", accounts.invitation, name="invitation"),
        path("setup/servers/", accounts.setup_servers, name="setup-servers"),
        path("setup/<str:token>/", accounts.setup, name="setup"),
    ],
    "hub",
)

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/sessions/", include("allauth.usersessions.urls")),
    path("admin/", admin.site.urls),
    path("", include(hub)),
    path("", include("chat.urls")),
]

if settings.DEBUG:
    from django.contrib.staticfiles.urls import staticfiles_urlpatterns

    urlpatterns += staticfiles_urlpatterns()
