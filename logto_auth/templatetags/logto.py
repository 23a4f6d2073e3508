"""`{% load logto %}`: the sign-in link and the sign-in and sign-out buttons."""

from __future__ import annotations

from typing import Any

from django import template
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from logto_auth.sign_in import own_paths, sign_in_url

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
    request = _request(context)
    if request is None:
        raise template.TemplateSyntaxError("logto_sign_out_button needs the request: render with render() or a view.")
    return format_html(
        '<form method="post" action="{}"><input type="hidden" name="csrfmiddlewaretoken" value="{}">'
        '<button type="submit" class="{}">{}</button></form>',
        reverse("logto_auth:sign-out"),
        get_token(request),
        attributes.get("class", ""),
        label or _("Sign out"),
    )


def _request(context: template.Context) -> HttpRequest | None:
    """The request that the page answers, with or without Django's context processor for it."""
    return context.get("request") or getattr(context, "request", None)


def _current_page(context: template.Context) -> str:
    """The page to come back to. On a page of ours there is none: the callback's address holds a code and a state."""
    request = _request(context)
    if request is None or request.method != "GET" or request.path in own_paths():
        return ""
    return request.get_full_path()
