"""`{% load logto %}`: links, buttons, the organization switcher, and checks of permissions and roles."""

from __future__ import annotations

import logging
from typing import Any

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from logto_auth.access.requirements import Requirement
from logto_auth.access.responses import page_of_request
from logto_auth.account.links import PAGES as ACCOUNT_PAGES
from logto_auth.account.links import account_url
from logto_auth.exceptions import InvalidAccountTask, InvalidSignInOption, LogtoError, NotDuringImpersonation
from logto_auth.impersonation.banner import render_banner
from logto_auth.sessions.principal import session_principal
from logto_auth.sign_in.next_url import is_sign_in_path
from logto_auth.sign_in.start import check_url_options, sign_in_url

__all__ = ["register"]

logger = logging.getLogger("logto_auth")

register = template.Library()

# Turbo, htmx and Unpoly leave such a link or form to the browser, because only the browser can go to Logto.
LINK_ATTRIBUTES = SafeString('data-turbo="false" hx-boost="false" up-follow="false"')
FORM_ATTRIBUTES = SafeString('data-turbo="false" hx-boost="false" up-submit="false"')


@register.simple_tag(takes_context=True)
def logto_sign_in_url(context: template.Context, next: str = "", **options: str) -> str:
    """Return the URL that starts a sign-in and returns to `next`, by default this page.

    `options` are the sign-in options that a URL may set, such as `direct_sign_in="social:alipay"`.
    """
    return _sign_in_url(context, next, options)


@register.simple_tag(takes_context=True)
def logto_sign_in_button(
    context: template.Context, label: str = "", next: str = "", **attributes_and_options: Any
) -> SafeString:
    """Return a link that starts a sign-in. `class` is its CSS class; see `logto_sign_in_url` for the rest."""
    css_class = attributes_and_options.pop("class", "")
    url = _sign_in_url(context, next, attributes_and_options)
    return format_html(
        '<a class="{}" href="{}" rel="nofollow" {}>{}</a>', css_class, url, LINK_ATTRIBUTES, label or _("Sign in")
    )


@register.simple_tag(takes_context=True)
def logto_sign_out_button(context: template.Context, label: str = "", **attributes: Any) -> SafeString:
    """Return a form with a button that signs out here and at Logto. `class` is the CSS class of the button."""
    return _button(context, reverse("logto_auth:sign-out"), label or _("Sign out"), _css_class(attributes))


@register.simple_tag(takes_context=True)
def logto_sign_out_others_button(context: template.Context, label: str = "", **attributes: Any) -> SafeString:
    """Return a form with a button that ends the user's other sessions on this site and returns to this page."""
    url = reverse("logto_auth:sign-out-others")
    css_class, next_url = _css_class(attributes), _current_page(context)
    return _button(context, url, label or _("Sign out everywhere else"), css_class, next_url=next_url)


@register.simple_tag(takes_context=True)
def logto_account_link(context: template.Context, task: str, next: str = "", **options: Any) -> str:
    """Return the URL of a page or a task of Logto's Account Center: `<a href="{% logto_account_link "password" %}">`.

    After the task the browser comes back to `next`, by default this page. `options` are those of `account_url`:
    `show_success`, `identifier`, `ui_locales`, and `connector_id` for the tasks with "social".
    Return "" while staff act as the user.
    """
    request = _request(context)
    if request is None:
        return ""
    try:
        return account_url(
            request, task, next=None if task in ACCOUNT_PAGES else next or _current_page(context), **options
        )
    except NotDuringImpersonation:
        return ""
    except (InvalidAccountTask, TypeError) as error:
        _report(str(error))
        return ""


@register.simple_tag(takes_context=True)
def logto_organization_switcher(
    context: template.Context, label: str = "", next: str = "", **attributes: Any
) -> SafeString:
    """Return a form that chooses one of the user's organizations and returns to `next`, by default this page.

    Return "" for a user with fewer than two organizations. `class` is the CSS class of the form. On a page whose URL
    selects an organization, set `next` to a URL that selects none: the organization in the URL has precedence.
    """
    css_class, request = _css_class(attributes), _request(context)
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
        '<form method="post" action="{}" class="{}" {}><input type="hidden" name="csrfmiddlewaretoken" value="{}">'
        '<input type="hidden" name="next" value="{}">'
        '<select name="organization_id" aria-label="{}" required>{}</select><button type="submit">{}</button></form>',
        reverse("logto_auth:choose-organization"),
        css_class,
        FORM_ATTRIBUTES,
        get_token(request),
        next or _current_page(context),
        label,
        options,
        _("Switch"),
    )


@register.simple_tag(takes_context=True)
def logto_impersonation_banner(context: template.Context) -> SafeString:
    """Return the banner of support access; "" unless staff act as a user. `LogtoMiddleware` then inserts no other one.

    Put it right after `<body>`, and not inside `{% cache %}`.
    """
    request = _request(context)
    # A nonce that the view, rather than a context processor, has put into the context.
    nonce = {name: context[name] for name in ("csp_nonce",) if name in context}
    return SafeString() if request is None else render_banner(request, nonce)


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
        return SafeString()
    next_field = format_html('<input type="hidden" name="next" value="{}">', next_url) if next_url else ""
    return format_html(
        '<form method="post" action="{}" {}><input type="hidden" name="csrfmiddlewaretoken" value="{}">{}'
        '<button type="submit" class="{}">{}</button></form>',
        url,
        FORM_ATTRIBUTES,
        get_token(request),
        next_field,
        css_class,
        label,
    )


def _sign_in_url(context: template.Context, next_url: str, options: dict[str, Any]) -> str:
    """Return the URL of a sign-in; without `options` if one of them is wrong."""
    options = {name: value for name, value in options.items() if value not in ("", None)}
    try:
        check_url_options(options)
    except InvalidSignInOption as error:
        _report(str(error))
        options = {}
    return sign_in_url(next_url or _current_page(context), **options)


def _css_class(attributes: dict[str, Any]) -> str:
    """Return the CSS class, the only attribute that a form of this module has."""
    css_class: str = attributes.pop("class", "")
    if attributes:
        _report(f"The tag does not know the argument {', '.join(attributes)}.")
    return css_class


def _request(context: template.Context) -> HttpRequest | None:
    """Return the request, with or without Django's context processor for it. Report it if there is none."""
    request: HttpRequest | None = context.get("request") or getattr(context, "request", None)
    if request is None:
        _report("The tag needs the request in the context: use render(), or the context processor for the request.")
    return request


def _report(mistake: str) -> None:
    """Raise TemplateSyntaxError for a mistake in a template, or log it if the site is in use."""
    if settings.DEBUG:
        raise template.TemplateSyntaxError(mistake)
    logger.error("A template uses a tag of logto_auth in a wrong way: %s", mistake)


def _current_page(context: template.Context) -> str:
    """Return the URL of this page, or "" on a page of this package: the URL of the callback contains a code.

    For the response to a form, it is the page that contains the form.
    """
    request = _request(context)
    return "" if request is None or is_sign_in_path(request.path) else page_of_request(request)
