"""The page of the profile: name, picture, further fields, and the identifiers with links to their pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from logto_auth.account_api.types import Address, ProfileFields
from logto_auth.exceptions import FieldNotEditable

from .forms import ADDRESS_FIELDS, COMMON_PROFILE_FIELDS, PROFILE_FIELDS, AboutForm, AddressForm, ProfileForm
from .navigation import url_of
from .page import AccountPage

__all__ = ["Identifier", "ProfilePage", "shown_phone"]


class Identifier(NamedTuple):
    """A row of the page: something that the user signs in with."""

    label: str | Promise
    value: str
    url: str
    """The page that changes it; "" if there is none, or the user may not."""


# Name of the URL and of the field, key in the account, label.
IDENTIFIERS: tuple[tuple[str, str, str | Promise], ...] = (
    ("username", "username", _("Username")),
    ("email", "primaryEmail", _("E-mail address")),
    ("phone", "primaryPhone", _("Phone number")),
)


# The texts of the form for name and picture.
TEXTS = ("name", "avatar")
# The parts of a field that Logto's catalog of profile fields composes.
FULL_NAME = {"fullname": ("givenName", "middleName", "familyName")}


class ProfilePage(AccountPage):
    """Show and change the profile."""

    template_name = "profile.html"
    section = "profile"
    actions = {"about": "save_about", "details": "save_details", "address": "save_address"}
    done_texts = {"profile-saved": _("Your profile has been saved.")}

    def get(self, request: Any) -> HttpResponse:
        """Return the page."""
        return self.page()

    def page(self, **forms: Any) -> HttpResponse:
        """Return the page with `forms` in place of new ones."""
        account = self.shown_account
        profile: Mapping[str, Any] = account.get("profile") or {}
        address: Mapping[str, Any] = profile.get("address") or {}
        may_edit_profile = self.may_edit("profile")
        return self.render(
            {
                "account": account,
                "initials": initials(str(account.get("name") or account.get("username") or "")),
                "shows_name": self.permission("name") != "Off",
                "identifiers": self.identifiers(account),
                "about_form": self.about_form(account),
                "details_form": self.details_form(profile) if may_edit_profile else None,
                "details": self.details(profile) if not may_edit_profile else [],
                "address_form": AddressForm(values=address) if may_edit_profile and self.shows_address() else None,
                "address": [address[name] for name in ADDRESS_FIELDS if address.get(name)],
                **forms,
            }
        )

    def about_form(self, account: Mapping[str, Any], *data: Any) -> AboutForm | None:
        """Return the form for name and picture; None if the user may change neither."""
        may_edit = {f"may_edit_{field}": self.may_edit(field) for field in ("name", "avatar")}
        initial = {"name": account.get("name") or "", "avatar": account.get("avatar") or ""}
        return AboutForm(*data, initial=initial, **may_edit) if any(may_edit.values()) else None

    def details_form(self, profile: Mapping[str, Any]) -> ProfileForm | None:
        """Return the form for the further fields; None if the account center shows none."""
        names = [name for name in self.profile_fields() if name in PROFILE_FIELDS]
        return ProfileForm(names=names, values=profile) if names else None

    def details(self, profile: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return labels and values of the further fields, for users who may only read them."""
        names = [name for name in self.profile_fields() if name in PROFILE_FIELDS and profile.get(name)]
        return [(str(PROFILE_FIELDS[name]("").label), str(profile[name])) for name in names]

    def profile_fields(self) -> Iterable[str]:
        """Return Logto's names of the further fields to show, in the order of the account center.

        Fields of the site's own, which Logto keeps in the custom data, are among them, and have no form here.
        """
        if self.permission("profile") == "Off" or self.permissions is None:
            return ()
        chosen = self.center.get("profileFields")
        if chosen is None:
            return COMMON_PROFILE_FIELDS
        names = [str(field.get("name")) for field in chosen]
        # Logto's field of the whole name.
        return dict.fromkeys(part for name in names for part in FULL_NAME.get(name, (name,)))

    def shows_address(self) -> bool:
        """Return whether the page has the address: the token has its scope, and the account center does not omit it."""
        if not self.account.has_scopes("address") or self.permissions is None:
            return False
        return self.center.get("profileFields") is None or "address" in self.profile_fields()

    def identifiers(self, account: Mapping[str, Any]) -> list[Identifier]:
        """Return the rows for username, e-mail address and phone number."""
        rows = []
        for name, key, label in IDENTIFIERS:
            if self.permission(name) == "Off":
                continue
            value = str(account.get(key) or "")
            shown = shown_phone(value) if name == "phone" else value
            rows.append(Identifier(label, shown, url_of(name) if self.may_edit(name) else ""))
        return rows

    # Changes

    def save_about(self) -> HttpResponseBase:
        """Change name and picture."""
        form = self.about_form({}, self.request.POST, self.request.FILES)
        if form is None:
            raise FieldNotEditable("Neither name nor avatar is Edit in the account center.", field="name")
        if form.is_valid():
            changes: dict[str, Any] = {
                name: form.cleaned_data[name] or None for name in form.changed_data if name in TEXTS
            }
            with self.form_errors(form, "avatar_file", field_of_error=False):
                changes |= self._uploaded(form.cleaned_data.get("avatar_file"))
        if form.is_valid():
            with self.form_errors(form):
                if changes:
                    self.account.update(**changes)
                return self.done("profile-saved")
        return self.page(about_form=form)

    def _uploaded(self, file: Any) -> dict[str, str]:
        """Upload the picture, and return the argument of `account.update`; nothing without a picture."""
        if file is None:
            return {}
        name = "avatar." + file.content_type.partition("/")[2]
        return {"avatar": self.account.upload_avatar(file.read(), filename=name, content_type=file.content_type)}

    def save_details(self) -> HttpResponseBase:
        """Change the further fields."""
        # Those that the form had: the account center may name others by now.
        names = [name for name in self.request.POST if name in PROFILE_FIELDS]
        form = ProfileForm(self.request.POST, names=names, values={})
        if form.is_valid():
            with self.form_errors(form):
                if form.changes:
                    self.account.update_profile(cast(ProfileFields, form.changes))
                return self.done("profile-saved")
        return self.page(details_form=form)

    def save_address(self) -> HttpResponseBase:
        """Change the address, as a whole."""
        form = AddressForm(self.request.POST, values={})
        if form.is_valid():
            with self.form_errors(form):
                if form.has_changed():
                    self.account.update_profile({"address": cast(Address, form.parts)})
                return self.done("profile-saved")
        return self.page(address_form=form)


def initials(name: str) -> str:
    """Return one or two letters for the round picture: "JA" for two words, one character for 曹雪芹."""
    words = name.split()
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper() if words else ""


def shown_phone(number: str) -> str:
    """Return a phone number of Logto, which has digits only, with the plus sign of its country code."""
    return f"+{number}" if number else ""
