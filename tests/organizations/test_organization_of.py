"""The row of the current organization."""

from __future__ import annotations

import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import ResolverMatch

from logto_auth.api.authentication import authenticate
from logto_auth.emulator import Emulator
from logto_auth.exceptions import OrganizationRequired
from logto_auth.models import Organization
from logto_auth.organizations import organization_of
from logto_auth.testing import Browser

pytestmark = pytest.mark.django_db


def call(logto: Emulator, *, named: str | None = None, **claims: str) -> HttpRequest:
    """Return a request with a token of a machine; its URL may select an organization."""
    now = logto.clock.now()
    token = logto.sign(
        {"iss": logto.issuer, "sub": "robot", "client_id": "robot", "iat": now, "exp": now + 60, **claims},
        header={"typ": "at+jwt"},
    )
    request = RequestFactory().get("/", headers={"authorization": f"Bearer {token}"})
    request.resolver_match = ResolverMatch(lambda: None, (), {"organization_id": named} if named else {})
    authenticate(request, of_organization=True)
    return request


def test_row_is_created_once_for_token_organization(logto: Emulator) -> None:
    request = call(logto, aud="urn:logto:organization:harbourbr001", named="harbourbr001")
    row = organization_of(request)
    assert (row.issuer, row.logto_id, row.name) == (logto.issuer, "harbourbr001", "")
    assert organization_of(request) == row
    assert Organization.objects.get() == row


def test_url_alone_creates_no_row(logto: Emulator) -> None:
    request = call(logto, aud="urn:logto:organization:harbourbr001", named="hillbranch01")
    with pytest.raises(OrganizationRequired):
        organization_of(request)
    assert not Organization.objects.exists()


def test_session_returns_row_of_memberships(browser: Browser, logto: Emulator, settings) -> None:
    settings.LOGTO_SCOPES = ("openid", "offline_access", "urn:logto:scope:organizations")
    settings.LOGTO_USERINFO_CLAIMS = ("organization_data",)
    logto.tenant.add_organization("Harbour Branch", id="harbourbr001")
    logto.tenant.add_member("harbourbr001", logto.tenant.add_user(username="reader").id)
    browser.sign_in("reader")
    assert organization_of(browser.client.get("/sign-in").wsgi_request).name == "Harbour Branch"
    assert Organization.objects.count() == 1
