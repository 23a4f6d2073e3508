"""The response to an API call that is refused: status, body and challenge (RFC 6750, section 3; RFC 9728)."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.test import RequestFactory
from django.utils import translation

from logto_auth.access import MissingRequirement, RequirementKind
from logto_auth.api import ErrorResponse
from logto_auth.exceptions import (
    AuthorizationHeaderError,
    LogtoError,
    ProviderError,
    ProviderUnreachable,
    SignInRefused,
    TokenError,
)

SCOPE, ROLE = RequirementKind.SCOPE, RequirementKind.ROLE


def challenge_of(error: ErrorResponse, rf: RequestFactory) -> str:
    return error.headers(rf.get("/"))["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (AuthorizationHeaderError("Two tokens."), 400, "invalid_request"),
        (TokenError("The token has expired.", claim="exp"), 401, "invalid_token"),
        (SignInRefused("Inactive.", code="account_disabled"), 401, "invalid_token"),
        (SignInRefused("Unknown.", code="account_unknown"), 403, "account_unknown"),
        (SignInRefused("A machine.", code="machine_refused"), 403, "machine_refused"),
        (SignInRefused("Not this user."), 403, "refused_by_site"),
        (ProviderError("No keys."), 503, "temporarily_unavailable"),
        (ProviderUnreachable("No answer."), 503, "temporarily_unavailable"),
    ],
    ids=lambda value: getattr(value, "code", value),
)
def test_each_error_has_its_status_and_code(error: LogtoError, status: int, code: str) -> None:
    response = ErrorResponse.of(error)
    assert (response.status, response.error) == (status, code)
    assert response.description


@pytest.mark.parametrize("status", [400, 401, 403, 503])
def test_error_is_neither_cached_nor_framed(rf: RequestFactory, status: int) -> None:
    headers = ErrorResponse(status=status, error="x", description="x").headers(rf.get("/"))
    assert (headers["Cache-Control"], headers["X-Frame-Options"]) == ("no-store", "DENY")


def test_text_of_operator_stays_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "logto_auth"):
        response = ErrorResponse.of(SignInRefused("The account 7 is inactive.", code="account_disabled"))
    assert "account 7" in caplog.text
    assert "account 7" not in response.description


def test_text_for_the_visitor_reaches_the_client() -> None:
    assert ErrorResponse.of(SignInRefused("Internal.", visitor_message="Closed today.")).description == "Closed today."


def test_missing_scope_is_named_in_the_challenge(rf: RequestFactory) -> None:
    response = ErrorResponse.insufficient(MissingRequirement(SCOPE, ("write:books",)))
    assert (response.status, response.error) == (403, "insufficient_scope")
    assert 'scope="write:books"' in challenge_of(response, rf)


def test_missing_role_is_no_scope_of_the_challenge(rf: RequestFactory) -> None:
    challenge = challenge_of(ErrorResponse.insufficient(MissingRequirement(ROLE, ("editor",))), rf)
    assert "scope=" not in challenge.replace("insufficient_scope", "")
    assert "You need the role editor." in challenge


def test_missing_second_factor_is_401_of_rfc_9470(rf: RequestFactory) -> None:
    missing = MissingRequirement(RequirementKind.SECOND_FACTOR, ("Totp", "WebAuthn"))
    with translation.override("de"):
        response = ErrorResponse.insufficient(missing)
    assert (response.status, response.error, response.scopes) == (401, "insufficient_user_authentication", ())
    challenge = challenge_of(response, rf)
    assert challenge.startswith('Bearer error="insufficient_user_authentication", error_description="')
    assert "with one of these second factors: Totp, WebAuthn." in challenge


def test_description_is_english_in_every_language(rf: RequestFactory) -> None:
    with translation.override("ja"):
        challenge = challenge_of(ErrorResponse.insufficient(MissingRequirement(ROLE, ("editor",))), rf)
    assert challenge.isascii()


def test_missing_token_gets_a_challenge_without_error(rf: RequestFactory, settings: Any) -> None:
    settings.LOGTO_API_RESOURCE = ""
    response = ErrorResponse.without_token()
    assert response.status == 401
    assert challenge_of(response, rf) == 'Bearer realm="Logto"'


def test_challenge_contains_only_allowed_characters(rf: RequestFactory) -> None:
    error = ErrorResponse.of(TokenError('The claim "aud" is \\ wrong\r\nSet-Cookie: a=b\u3042', claim="aud"))
    challenge = challenge_of(error, rf)
    description = challenge.split('error_description="')[1].split('"')[0]
    assert description.isascii()
    assert description.isprintable()
    assert not set(description) & {'"', "\\"}


def test_unreachable_logto_gets_retry_after_and_no_challenge(rf: RequestFactory) -> None:
    headers = ErrorResponse.of(ProviderUnreachable("Busy.", retry_after_seconds=7)).headers(rf.get("/"))
    assert headers["Retry-After"] == "7"
    assert "WWW-Authenticate" not in headers
    assert headers["Cache-Control"] == "no-store"
