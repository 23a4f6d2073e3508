"""OAuth errors of Logto: the same table for the callback and for the token endpoint, with a remedy for the operator."""

from __future__ import annotations

import json

import pytest

from logto_auth.oidc.authorization_response import AuthorizationResponse
from logto_auth.oidc.errors import ProviderError
from logto_auth.oidc.http import Response
from logto_auth.oidc.oauth_errors import Fault, meaning_of
from logto_auth.oidc.token_endpoint import provider_error

OPERATORS = [
    "insufficient_scope",
    "invalid_redirect_uri",
    "invalid_request",
    "invalid_scope",
    "invalid_target",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
]


def at_callback(error: str, description: str = "") -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        AuthorizationResponse(error=error, error_description=description).authorization_code()
    return caught.value


def at_token_endpoint(error: str, description: str = "", status: int = 400) -> ProviderError:
    body = json.dumps({"error": error, "error_description": description}).encode()
    return provider_error(Response(status, {}, body, "https://logto.example/oidc/token"))


@pytest.mark.parametrize("error", OPERATORS)
def test_error_of_operator_has_remedy_everywhere(error: str) -> None:
    meaning = meaning_of(error)
    assert (meaning.fault, meaning.remedy.endswith(".")) == (Fault.OPERATOR, True)
    raised = at_callback(error, "Because.")
    assert (raised.code, raised.status, raised.error) == ("authorization_failed", 503, error)
    assert str(raised) == f"Logto ended the sign-in with {error}: Because. {meaning.remedy}"
    raised = at_token_endpoint(error, "because")
    assert (raised.code, raised.status, raised.error) == ("client_rejected", 503, error)
    assert str(raised).endswith(f"{error} because. {meaning.remedy}")


# The texts are those of Logto: recordings token_mfa_required, error_refresh_unknown_org, m2m_organization_not_member
# and error_m2m_by_web_app.
@pytest.mark.parametrize(
    ("error", "description", "code", "status", "remedy"),
    [
        ("access_denied", "user is not a member of the organization", "access_denied", 403, ""),
        (
            "access_denied",
            "organization requires MFA but user has no MFA configured",
            "access_denied",
            403,
            "The user has to set up multi-factor authentication",
        ),
        (
            "access_denied",
            "app has not associated with the organization",
            "client_rejected",
            503,
            "Add the machine-to-machine application to the organization",
        ),
        (
            "invalid_request",
            "requested grant type is not allowed for this client",
            "client_rejected",
            503,
            "Check the type of the application",
        ),
        ("invalid_request", "client secret has expired", "client_rejected", 503, "Create another App secret"),
        ("access_denied", "Access denied.", "access_denied", 403, "the access control of the application"),
    ],
)
def test_description_tells_remedy(error: str, description: str, code: str, status: int, remedy: str) -> None:
    raised = at_token_endpoint(error, description, status=403)
    assert (raised.code, raised.status) == (code, status)
    assert remedy in str(raised)
    assert "  " not in str(raised)


@pytest.mark.parametrize("error", ["", "made_up", "INVALID_SCOPE", "a" * 300])
def test_unknown_error_has_no_remedy(error: str) -> None:
    assert meaning_of(error).fault is Fault.UNKNOWN
    assert at_callback(error).status == 400
    assert at_token_endpoint(error).code == "provider_error"
