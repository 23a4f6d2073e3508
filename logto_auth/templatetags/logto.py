"""`{% load logto %}`: links, buttons, the organization switcher, and questions about permissions and roles."""

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
from logto_auth.sessions.context import SessionPrincipal
from logto_auth.sign_in.start import sign_in_paths, sign_in_url

logger = logging.getLogger("logto_auth")

register = template.Library()


@register.simple_tag(takes_context=True)
def logto_sign_in_url(context: template.Context, next: str = "", **options: str) -> str:
    """The address that starts a sign-in and comes back to `next`, by default this page.

    `options` are sign-in options that a URL may set, such as `direct_sign_in="social:alipay"`.
    """
    return sign_in_url(next or _current_page(context), **options)


@register.simple_tag(takes_context=True)
def logto_sign_in_button(
    context: template.Context, label: str = "", next: str = "", **attributes_and_options: Any
) -> SafeString:
    """A link that starts a sign-in. `class` is the link's; all else is as for `logto_sign_in_url`."""
    css_class = attributes_and_options.pop("class", "")
    url = sign_in_url(next or _current_page(context), **attributes_and_options)
    return format_html('<a class="{}" href="{}" rel="nofollow">{}</a>', css_class, url, label or _("Sign in"))


@register.simple_tag(takes_context=True)
def logto_sign_out_button(context: template.Context, label: str = "", **attributes: Any) -> SafeString:
    """A button, in a form of its own, that signs out here and at Logto. `class` is the button's."""
    return _button(context, reverse("logto_auth:sign-out"), label or _("Sign out"), attributes.get("class", ""))


@register.simple_tag(takes_context=True)
def logto_sign_out_others_button(context: template.Context, label: str = "", **attributes: Any) -> SafeString:
    """A button that ends the visitor's other sessions on this site, and comes back to this page."""
    url = reverse("logto_auth:sign-out-others")
    css_class = attributes.get("class", "")
    return _button(context, url, label or _("Sign out everywhere else"), css_class, next_url=_current_page(context))


@register.simple_tag(takes_context=True)
def logto_organization_switcher(
    context: template.Context, label: str = "", next: str = "", **attributes: Any
) -> SafeString:
    """A form that makes one of the person's organizations the current one, and comes back to `next`, by default this
    page; nothing for somebody who belongs to fewer than two. `class` is the form's.

    A page whose address names an organization stays with that one: there, let `next` be an address that names none.
    """
    request = _request(context)
    logto = SessionPrincipal(request) if request else None
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
        # Else browsers would show the first one as if it had been chosen.
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
    """Whether the signed-in person holds all these permissions: `{% logto_has_scope "write:books" as may_write %}`.

    False while Logto cannot be asked.
    """
    return _meets(context, Requirement(scopes=scopes))


@register.simple_tag(takes_context=True)
def logto_has_role(context: template.Context, *roles: str) -> bool:
    """Whether the signed-in person has one of these global roles."""
    return _meets(context, Requirement(roles=roles))


@register.simple_tag(takes_context=True)
def logto_has_organization_role(context: template.Context, *roles: str) -> bool:
    """Whether the signed-in person has one of these roles in the current organization."""
    return _meets(context, Requirement(organization_roles=roles))


@register.simple_tag(takes_context=True)
def logto_has_organization_scope(context: template.Context, *scopes: str) -> bool:
    """Whether the signed-in person holds all these permissions in the current organization."""
    return _meets(context, Requirement(organization_scopes=scopes))


def _meets(context: template.Context, demand: Requirement) -> bool:
    request = _request(context)
    try:
        return request is not None and demand.missing_from(SessionPrincipal(request)) is None
    except LogtoError as error:
        logger.error("A template asks for permissions that cannot be had, and count as not held: %s", error)
        return False


def _button(context: template.Context, url: str, label: str, css_class: str, *, next_url: str = "") -> SafeString:
    request = _request(context)
    if request is None:
        raise template.TemplateSyntaxError("The button needs the request: render with render() or a view.")
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
    """The request that the page answers, with or without Django's context processor for it."""
    return context.get("request") or getattr(context, "request", None)


def _current_page(context: template.Context) -> str:
    """The page to come back to. On a page of ours there is none: the callback's address holds a code and a state."""
    request = _request(context)
    if request is None or request.method != "GET" or request.path in sign_in_paths():
        return ""
    return request.get_full_path()
