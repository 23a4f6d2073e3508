"""Checks of the access tokens for scripts (`LOGTO_BROWSER_TOKENS`)."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.checks import CheckMessage

from logto_auth.management_api.transport import resource_indicator
from logto_auth.oidc.types import ORGANIZATIONS_RESOURCE

from .lenient_conf import conf
from .problem import Problem
from .sign_in import url_path

NO_TOKEN_POSSIBLE = Problem(
    "logto_auth.E051",
    "LOGTO_BROWSER_TOKENS hands out no tokens for {resource}: {reason}.",
    "Name the API resource in LOGTO_RESOURCES, list at least one of its permissions, include the URLs of logto_auth, "
    "and request refresh tokens: offline_access in LOGTO_SCOPES, and another LOGTO_PROMPT than none.",
)
PERMISSION_NOT_REQUESTED = Problem(
    "logto_auth.W043",
    "LOGTO_BROWSER_TOKENS lists {names} of {resource}, which LOGTO_SCOPES lacks: no token for scripts has it.",
    "Add it to LOGTO_SCOPES, or remove it from LOGTO_BROWSER_TOKENS.",
)


def check_browser_tokens() -> Iterator[CheckMessage]:
    """Yield the problems of each resource for which scripts get tokens."""
    for resource, scopes in conf.browser_tokens.items():
        if reason := _why_no_token(resource, scopes):
            yield NO_TOKEN_POSSIBLE(resource=repr(resource), reason=reason)
        elif missing := [name for name in scopes if name not in conf.scopes]:
            yield PERMISSION_NOT_REQUESTED(names=", ".join(missing), resource=resource)


def _why_no_token(resource: str, scopes: object) -> str:
    """Return why no script gets a token for `resource`, or may get one; "" if all is well."""
    if resource == ORGANIZATIONS_RESOURCE:
        return "it is not an API"
    if resource == (conf.management_api_resource or resource_indicator(conf.endpoint)):
        return "it is the Management API of Logto, whose tokens may not be in a browser"
    if resource not in conf.sign_in_resources:
        return "LOGTO_RESOURCES does not contain it"
    if not scopes:
        return "it lists no permission"
    if "offline_access" not in conf.scopes or conf.prompt.split() == ["none"]:
        return "no refresh token is requested"
    if url_path("logto_auth:access-token") is None:
        return "the site's URLs do not contain logto_auth:access-token"
    return ""
