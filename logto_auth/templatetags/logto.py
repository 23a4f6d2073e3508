"""`{% load logto %}`: links, buttons, the organization switcher, and checks of permissions and roles."""

from __future__ import annotations

import logging
from typing import Any

from django import template
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from logto_auth.access.requirements import Requirement
from logto_auth.exceptions import LogtoError
from logto_auth.sessions.principal import session_principal
from logto_auth.sign_in.start import is_sign_in_path, sign_in_url

__all__ = ["register"]

logger = logging.getLogger("logto_auth")

register = template.Library()


@register.simple_tag(takes_context=True)
def logto_sign_in_url(context: template.Context, next: str = "", **options: str) -> str:
    """Return the URL that starts a sign-in and returns to `next`, by default this page.

    `options` are the sign-in options that a URL may set, such as `direct_sign_in="social:alipay"`.
    """
    return sign_in_url(next or _current_page(context), **options)


@register.simple_tag(takes_context=True)
def logto_sign_in_button(
    context: template.Context, label: str = "", next: str = "", **attributes_and_options: Any
) -> SafeString:
    """Return a link that starts a sign-in. `class` is its CSS class; see `logto_sign_in_url` for the rest."""
    css_class = attributes_and_options.pop("class", "")
    url = sign_in_url(next or _current_page(context), **attributes_and_options)
    return format_html('<a class="{}" href="{}" rel="nofollow">{}</a>', css_class, url, label or _("Sign in"))


@register.simple_tag(takes_context=True)
def logto_sign_out_button(context: template.Context, label: str = "", **attributes: Any) -> SafeString:
    """Return a form with a button that signs out here and at Logto. `class` is the CSS class of the button."""
    return _button(context, reverse("logto_auth:sign-out"), label or _("Sign out"), attributes.get("class", ""))


@register.simple_tag(takes_context=True)
def logto_sign_out_others_button(context: template.Context, label: str = "", **attributes: Any) -> SafeString:
    """Return a form with a button that ends the user's other sessions on this site and returns to this page."""
    url = reverse("logto_auth:sign-out-others")
    css_class = attributes.get("class", "")
    return _button(context, url, label or _("Sign out everywhere else"), css_class, next_url=_current_page(context))


@register.simple_tag(takes_context=True)
def logto_organization_switcher(
    context: template.Context, label: str = "", next: str = "", **attributes: Any
) -> SafeString:
    """Return a form that chooses one of the user's organizations and returns to `next`, by default this page.

    Return "" for a user with fewer than two organizations. `class` is the CSS class of the form. On a page whose URL
    selects an organization, set `next` to a URL that selects none: the organization in the URL has precedence.
    """
    request = _request(context)
    logto = session_principal(request) if request else None
    if request is None or logto is None or len(logto.organizations) < 2:
        return SafeString()
    label = label or _("Organization")
    options = format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        [
            (each.id, SafeString(" selected" if each.id == logto.organization_id else ""), each.name or each.id)
            for each in logto.organizations
        ],
    )
    if logto.organization_id is None:
        # Without it, browsers would show the first organization as if it had been chosen.
        options = format_html('<option value="" selected disabled>{}</option>{}', label, options)
    return format_html(
        '<form method="post" action="{}" class="{}"><input type="hidden" name="csrfmiddlewaretoken" value="{}">'
        '<input type="hidden" name="next" value="{}">'
        '<select name="organization_id" aria-label="{}" required>{}</select><button type="submit">{}</button></form>',
        reverse("logto_auth:choose-organization"),
        attributes.get("class", ""),
        get_token(request),
        next or _current_page(context),
        label,
        options,
        _("Switch"),
    )


@register.simple_tag(takes_context=True)
def logto_has_scope(context: template.Context, *scopes: str) -> bool:
    """Return whether the user has all these permissions: `{% logto_has_scope "write:books" as may_write %}`.

    False if Logto cannot be reached to fetch them.
    """
    return _meets(context, Requirement(scopes=scopes))


@register.simple_tag(takes_context=True)
def logto_has_role(context: template.Context, *roles: str) -> bool:
    """Return whether the user has one of these global roles."""
    return _meets(context, Requirement(roles=roles))


@register.simple_tag(takes_context=True)
def logto_has_organization_role(context: template.Context, *roles: str) -> bool:
    """Return whether the user has one of these roles in the current organization."""
    return _meets(context, Requirement(organization_roles=roles))


@register.simple_tag(takes_context=True)
def logto_has_organization_scope(context: template.Context, *scopes: str) -> bool:
    """Return whether the user has all these permissions in the current organization."""
    return _meets(context, Requirement(organization_scopes=scopes))


def _meets(context: template.Context, requirement: Requirement) -> bool:
    request = _request(context)
    try:
        return request is not None and requirement.missing_from(session_principal(request)) is None
    except LogtoError as error:
        logger.error("A template checks permissions that cannot be fetched; they count as missing: %s", error)
        return False


def _button(context: template.Context, url: str, label: str, css_class: str, *, next_url: str = "") -> SafeString:
    request = _request(context)
    if request is None:
        raise template.TemplateSyntaxError(
            "The button needs the request in the context: use render(), or the context processor for the request."
        )
    next_field = format_html('<input type="hidden" name="next" value="{}">', next_url) if next_url else ""
    return format_html(
        '<form method="post" action="{}"><input type="hidden" name="csrfmiddlewaretoken" value="{}">{}'
        '<button type="submit" class="{}">{}</button></form>',
        url,
        get_token(request),
        next_field,
        css_class,
        label,
    )


def _request(context: template.Context) -> HttpRequest | None:
    """Return the request, with or without Django's context processor for it; None if there is none."""
    return context.get("request") or getattr(context, "request", None)


def _current_page(context: template.Context) -> str:
    """Return the URL of this page, or "" on a page of this package: the URL of the callback contains a code."""
    request = _request(context)
    if request is None or request.method != "GET" or is_sign_in_path(request.path):
        return ""
    return request.get_full_path()
