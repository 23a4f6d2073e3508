"""The page that asks for a second factor: its URL, and the response that sends a user there."""

from __future__ import annotations

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import NoReverseMatch

from logto_auth.exceptions import ConfigurationError, InvalidSignInOption
from logto_auth.navigation import is_from_script
from logto_auth.oidc.authentication_methods import SECOND_FACTORS
from logto_auth.sign_in.next_url import view_url, with_query
from logto_auth.sign_in.start import number_or_text

from .requirements import SecondFactor
from .responses import is_impersonated, not_during_impersonation_response, page_of_request, unauthorized_response

__all__ = ["second_factor_from_query", "second_factor_response", "second_factor_url"]


def second_factor_url(next_url: str, second_factor: SecondFactor) -> str:
    """Return the URL of the page that asks the user for `second_factor` and then leads to `next_url`.

    Raise ConfigurationError if the site does not have the page.
    """
    query: dict[str, str] = {}
    if second_factor.max_age is not None:
        query["max_age"] = str(second_factor.max_age)
    if second_factor.methods != SECOND_FACTORS:
        query["methods"] = " ".join(second_factor.methods)
    if next_url:
        query[REDIRECT_FIELD_NAME] = next_url
    try:
        url = view_url("second-factor")
    except NoReverseMatch as error:
        raise ConfigurationError(
            "A view requires a second factor of the user of a session, but the site's URLs do not have the page that "
            "asks for one. Add path('', include('logto_auth.urls'))."
        ) from error
    return with_query(url, query)


def second_factor_from_query(query: QueryDict) -> SecondFactor:
    """Return the second factor that `second_factor_url` has put into `query`.

    Raise InvalidSignInOption for a value that no requirement has. A user who changes the query gains nothing: the view
    that requires the second factor checks its own requirement again.
    """
    methods = tuple(query.get("methods", "").split()) or SECOND_FACTORS
    text = query.get("max_age", "").strip()
    max_age = number_or_text(text) if text else None
    if isinstance(max_age, str):
        raise InvalidSignInOption(f"max_age is {max_age!r:.40}, expected a whole number of seconds.")
    try:
        return SecondFactor(methods=methods, max_age=max_age)
    except ValueError as error:
        raise InvalidSignInOption(str(error)) from error


def second_factor_response(request: HttpRequest, second_factor: SecondFactor) -> HttpResponse:
    """Return the redirect to the page that asks for `second_factor`; for scripts, a 401 with its URL.

    After it the user goes to the page of the request: for a form, to the page that contains it. While staff act as the
    user, who alone can prove a second factor, the response is a 403.
    """
    if is_impersonated(request):
        return not_during_impersonation_response(request)
    url = second_factor_url(page_of_request(request), second_factor)
    if is_from_script(request):
        return unauthorized_response(request, url, error="second_factor_required")
    return HttpResponseRedirect(url)
