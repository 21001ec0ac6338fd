"""Forms about people."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from privatechathub.accounts.models import User


class SetupForm(forms.ModelForm):  # type: ignore[type-arg]
    """The first account."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 8 characters. A few words are easier to remember than a few signs."),
    )
    repeated = forms.CharField(
        label=_("Password again"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = User
        fields = ["username"]
        labels = {"username": _("User name")}
        widgets = {"username": forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"})}
        help_texts = {"username": _("You sign in with it. Letters, digits and @ . + - _")}

    def clean(self) -> dict[str, Any]:
        """Both passwords are the same, and a good one."""
        cleaned: dict[str, Any] = super().clean() or {}
        password = cleaned.get("password")
        if password and cleaned.get("repeated") and password != cleaned["repeated"]:
            self.add_error("repeated", _("The two passwords differ."))
        if password:
            try:
                validate_password(password, User(username=cleaned.get("username", "")))
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned


class PlaceForm(forms.ModelForm):  # type: ignore[type-arg]
    """Where a person is, as models may know it."""

    class Meta:
        model = User
        fields = ["place", "time_zone"]
        labels = {"place": _("Your place"), "time_zone": _("Your time zone")}
        help_texts = {
            "place": _("As exact as you like, for example “Bergen, Norway”. Empty: nothing is told."),
            "time_zone": _("A name like Europe/Oslo. Empty: the hub’s own."),
        }
        widgets = {"time_zone": forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})}

    def clean_time_zone(self) -> str:
        """The zone in its one spelling, or nothing."""
        typed = self.cleaned_data["time_zone"].strip().replace(" ", "_")
        zones = {name.casefold(): name for name in available_timezones()}
        if typed and typed.casefold() not in zones:
            raise forms.ValidationError(_("There is no such time zone. It looks like Europe/Oslo."))
        return zones.get(typed.casefold(), "")

    def save(self, commit: bool = True) -> User:
        """Only these columns: a page that was opened long ago must not undo anything else."""
        user: User = super().save(commit=False)
        if commit:
            user.save(update_fields=["place", "time_zone"])
        return user
