"""The forms of the pages for the profile, the identifiers and the password.

They check only what Logto would refuse in words that users do not understand. Logto checks everything again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

__all__ = [
    "ADDRESS_FIELDS",
    "COMMON_PROFILE_FIELDS",
    "PROFILE_FIELDS",
    "AboutForm",
    "AddressForm",
    "CodeForm",
    "EmailForm",
    "NewPasswordForm",
    "PhoneForm",
    "ProfileForm",
    "StepForm",
    "UsernameForm",
]

# Lengths of Logto's database columns.
MAX_NAME_LENGTH = 128
MAX_AVATAR_LENGTH = 2048
# Logto has no limit for these. They are in each ID token, so they stay short.
MAX_PROFILE_LENGTH = 256
MAX_ADDRESS_LENGTH = 512
# Enough for a picture. It is in memory while it is sent, and Logto accepts more.
MAX_UPLOAD_BYTES = 8 * 1024 * 1024
# Beyond this, hashing the password costs more than it protects. Logto's default policy has the same limit.
MAX_PASSWORD_LENGTH = 256

# How the files of images begin. SVG is not among them, because it can contain scripts.
IMAGE_TYPES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"RIFF", "image/webp"),
)


class AboutForm(forms.Form):
    """Name and picture. A field that the user may not change is left out.

    Like the other forms of the profile it repeats the present values in hidden fields. So only what the user has
    changed is sent to Logto, without asking it for the present values first.
    """

    name = forms.CharField(
        label=_("Name"),
        max_length=MAX_NAME_LENGTH,
        required=False,
        show_hidden_initial=True,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    avatar_file = forms.FileField(
        label=_("Upload a picture"),
        required=False,
        help_text=_("PNG, JPEG, GIF or WebP, at most 8 MB."),
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/gif,image/webp"}),
    )
    avatar = forms.URLField(
        label=_("Address of your picture"),
        max_length=MAX_AVATAR_LENGTH,
        required=False,
        show_hidden_initial=True,
        assume_scheme="https",
        help_text=_("The URL of an image on the web. Leave it empty to have no picture."),
    )

    def __init__(self, *args: Any, may_edit_name: bool = True, may_edit_avatar: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_edit_name:
            del self.fields["name"]
        if not may_edit_avatar:
            del self.fields["avatar"], self.fields["avatar_file"]

    def clean_avatar(self) -> str:
        """Return the URL. Raise ValidationError for a scheme that browsers must not follow."""
        return _http_url(self.cleaned_data["avatar"])

    def clean_avatar_file(self) -> Any:
        """Return the file. Raise ValidationError if it is too large, or no image."""
        file = self.cleaned_data["avatar_file"]
        if file is None:
            return None
        if (file.size or 0) > MAX_UPLOAD_BYTES:
            raise forms.ValidationError(_("This file is larger than 8 MB."))
        start = file.read(16)
        file.seek(0)
        # The type that the browser names is not checked by anybody.
        content_type = next((kind for mark, kind in IMAGE_TYPES if start.startswith(mark)), None)
        if content_type is None or (content_type == "image/webp" and start[8:12] != b"WEBP"):
            raise forms.ValidationError(_("This file is not a PNG, JPEG, GIF or WebP image."))
        file.content_type = content_type
        return file


def _http_url(url: str) -> str:
    if url and not url.lower().startswith(("http://", "https://")):
        raise forms.ValidationError(_("Enter a URL that begins with https:// or http://."))
    return url


def _text(label: Any, **attributes: Any) -> forms.CharField:
    help_text = attributes.pop("help_text", "")
    return forms.CharField(
        label=label,
        max_length=MAX_PROFILE_LENGTH,
        required=False,
        help_text=help_text,
        widget=forms.TextInput(attrs=attributes),
    )


def _url(label: Any) -> forms.URLField:
    return forms.URLField(label=label, max_length=MAX_PROFILE_LENGTH, required=False, assume_scheme="https")


# OpenID Connect Core 1.0, section 5.1: a year alone, or a date whose year may be 0000.
BIRTHDATE = RegexValidator(r"\A\d{4}(-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]))?\Z", _("Enter a date as YYYY-MM-DD."))
LOCALE = RegexValidator(
    r"\A[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,4}\Z", _("Enter the tag of a language, such as en or zh-CN.")
)


# The regions of time zones that are not only other names of zones elsewhere.
REGIONS = (
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)


@lru_cache(maxsize=1)
def _time_zones() -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Return the names of all time zones as groups of choices; none on a system without them."""
    names = sorted(available_timezones())
    groups = ((region, tuple((name, name) for name in names if name.startswith(f"{region}/"))) for region in REGIONS)
    return tuple((region, choices) for region, choices in groups if choices)


def _time_zone(value: str) -> forms.Field:
    label, groups = _("Time zone"), _time_zones()
    if not groups:
        return _text(label)
    known = {name for _region, choices in groups for name, _label in choices}
    # A present value that is not in the list is kept.
    single = [("UTC", "UTC"), *([(value, value)] if value and value not in known | {"UTC"} else [])]
    return forms.ChoiceField(label=label, required=False, choices=[("", "—"), *single, *groups])


def _birthdate(value: str) -> forms.Field:
    # The browser's date field shows nothing for a value without day and month, which would then be lost.
    is_date = not value or len(value) == len("2000-01-02")
    field = _text(
        _("Birthdate"), help_text="" if is_date else _("As YYYY-MM-DD, or the year alone."), autocomplete="bday"
    )
    field.widget.input_type = "date" if is_date else "text"
    field.validators.append(BIRTHDATE)
    return field


def _locale() -> forms.Field:
    field = _text(_("Language"), help_text=_("The tag of a language, such as en or zh-CN."), size="8")
    field.validators.append(LOCALE)
    return field


# By Logto's name of the field. Each function receives the present value.
PROFILE_FIELDS: Mapping[str, Any] = {
    "givenName": lambda value: _text(_("Given name"), autocomplete="given-name"),
    "middleName": lambda value: _text(_("Middle name"), autocomplete="additional-name"),
    "familyName": lambda value: _text(_("Family name"), autocomplete="family-name"),
    "nickname": lambda value: _text(_("Nickname"), autocomplete="nickname"),
    "preferredUsername": lambda value: _text(_("Preferred username")),
    "profile": lambda value: _url(_("Profile page")),
    "website": lambda value: _url(_("Website")),
    "gender": lambda value: _text(_("Gender"), autocomplete="sex"),
    "birthdate": _birthdate,
    "zoneinfo": _time_zone,
    "locale": lambda value: _locale(),
}
# Shown if the account center names no fields.
COMMON_PROFILE_FIELDS = (
    "givenName",
    "familyName",
    "nickname",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
)
ADDRESS_FIELDS: Mapping[str, tuple[Any, str]] = {
    "streetAddress": (_("Street"), "street-address"),
    "postalCode": (_("Postal code"), "postal-code"),
    "locality": (_("City"), "address-level2"),
    "region": (_("State or region"), "address-level1"),
    "country": (_("Country"), "country-name"),
}


class ProfileForm(forms.Form):
    """The fields of the profile that the account center names."""

    def __init__(self, *args: Any, names: Iterable[str], values: Mapping[str, Any], **kwargs: Any) -> None:
        initial = {name: str(values.get(name) or "") for name in names}
        super().__init__(*args, **{**kwargs, "initial": initial})
        for name, value in initial.items():
            field = PROFILE_FIELDS[name](value)
            field.show_hidden_initial = True
            self.fields[name] = field

    def clean(self) -> dict[str, Any]:
        """Return the values. URLs have the scheme http or https."""
        for name in {"profile", "website"} & set(self.cleaned_data):
            try:
                self.cleaned_data[name] = _http_url(self.cleaned_data[name])
            except forms.ValidationError as error:
                self.add_error(name, error)
        return self.cleaned_data

    @property
    def changes(self) -> dict[str, str]:
        """The values that differ from the present ones."""
        return {name: self.cleaned_data[name] for name in self.changed_data}


class AddressForm(forms.Form):
    """The postal address."""

    def __init__(self, *args: Any, values: Mapping[str, Any], **kwargs: Any) -> None:
        initial = {name: values.get(name) or "" for name in ADDRESS_FIELDS}
        super().__init__(*args, **{**kwargs, "initial": initial})
        for name, (label, autocomplete) in ADDRESS_FIELDS.items():
            self.fields[name] = forms.CharField(
                label=label,
                max_length=MAX_ADDRESS_LENGTH,
                required=False,
                show_hidden_initial=True,
                widget=forms.TextInput(attrs={"autocomplete": autocomplete}),
            )

    @property
    def parts(self) -> dict[str, str]:
        """The parts that are not empty."""
        return {name: value for name, value in self.cleaned_data.items() if value}


class UsernameForm(forms.Form):
    """A new username. Logto has rules of its own beside this one."""

    username = forms.CharField(
        label=_("New username"),
        max_length=MAX_NAME_LENGTH,
        validators=[
            RegexValidator(
                re.compile(r"\A[A-Z_a-z]\w*\Z", re.ASCII),
                _("Use letters, digits and underscores. The first character must not be a digit."),
            )
        ],
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )


class StepForm(forms.Form):
    """A form of several steps. `step` holds, encrypted, what the steps before have found out."""

    step = forms.CharField(required=False, widget=forms.HiddenInput)


class EmailForm(forms.Form):
    """A new e-mail address."""

    value = forms.EmailField(
        label=_("New e-mail address"),
        max_length=MAX_NAME_LENGTH,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )


class PhoneForm(forms.Form):
    """A new phone number. Logto stores its digits, with the country code and without a plus sign."""

    value = forms.CharField(
        label=_("New phone number"),
        max_length=32,
        help_text=_("With the country code, such as +81 90 1234 5678."),
        widget=forms.TextInput(attrs={"autocomplete": "tel", "type": "tel"}),
    )

    def clean_value(self) -> str:
        """Return the digits. Raise ValidationError for a number without a country code."""
        text = re.sub(r"[\s().\-/]", "", self.cleaned_data["value"])
        match = re.fullmatch(r"(?:\+|00)?([1-9][0-9]{6,14})", text)
        if match is None:
            raise forms.ValidationError(_("Enter a phone number with its country code, such as +81 90 1234 5678."))
        return match[1]


class CodeInput(forms.TextInput):
    """A field that does not repeat the code that was typed."""

    def format_value(self, value: Any) -> None:
        """Return None, so that the field is empty."""


class CodeForm(StepForm):
    """The code that was sent to a new address. It is never shown again."""

    code = forms.CharField(
        label=_("Code"),
        max_length=16,
        widget=CodeInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def clean_code(self) -> str:
        """Return the code without spaces."""
        return re.sub(r"\s", "", self.cleaned_data["code"])


class NewPasswordForm(forms.Form):
    """A new password, typed twice. Neither is shown again."""

    new_password = forms.CharField(
        label=_("New password"),
        max_length=MAX_PASSWORD_LENGTH,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    repeated = forms.CharField(
        label=_("The same password again"),
        max_length=MAX_PASSWORD_LENGTH,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        """Return the values. Add an error if they differ."""
        data = super().clean() or {}
        if "new_password" in data and "repeated" in data and data["new_password"] != data["repeated"]:
            self.add_error("repeated", _("The two passwords are not the same."))
        return data
