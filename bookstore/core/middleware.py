"""A Content-Security-Policy header that limits every page to files of this site."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse


def content_security_policy(logto_endpoint: str) -> str:
    """Return the policy of every page.

    The sign-out is a form that redirects to Logto. Browsers apply `form-action` to the redirects after a form too, so
    the policy contains Logto.
    """
    logto = urlsplit(logto_endpoint)
    form_targets = f"'self' {logto.scheme}://{logto.netloc}" if logto.netloc else "'self'"
    return "; ".join(
        (
            "default-src 'self'",
            "img-src 'self' data:",
            "object-src 'none'",
            "base-uri 'none'",
            f"form-action {form_targets}",
            "frame-ancestors 'none'",
        )
    )


class ContentSecurityPolicyMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_debug_page = settings.DEBUG and response.status_code in (404, 500)  # Django's own, with styles inside
        if "Content-Security-Policy" not in response and not is_debug_page:
            response["Content-Security-Policy"] = content_security_policy(settings.LOGTO_ENDPOINT)
        return response
