"""All addresses."""

from __future__ import annotations

from allauth.account import views as account
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

# allauth's own list would add pages about e-mail, which this hub neither knows nor sends.
people = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("signup/", account.signup, name="account_signup"),
    path("password/change/", account.password_change, name="account_change_password"),
]

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("accounts/", include(people)),
    path("accounts/sessions/", include("allauth.usersessions.urls")),
    path("admin/", admin.site.urls),
    path("", include(hub)),
    path("", include("chat.urls")),
]

if settings.DEBUG:
    from django.contrib.staticfiles.urls import staticfiles_urlpatterns

    urlpatterns += staticfiles_urlpatterns()
