"""The row of the current organization, for rows of a site to point to."""

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
    """A request with a machine's token, whose address may name an organization."""
    now = logto.clock.now()
    token = logto.sign(
        {"iss": logto.issuer, "sub": "robot", "client_id": "robot", "iat": now, "exp": now + 60, **claims},
        header={"typ": "at+jwt"},
    )
    request = RequestFactory().get("/", headers={"authorization": f"Bearer {token}"})
    request.resolver_match = ResolverMatch(lambda: None, (), {"organization_id": named} if named else {})
    authenticate(request, of_organization=True)
    return request


def test_it_is_made_once_for_the_organization_of_the_token(logto: Emulator) -> None:
    request = call(logto, aud="urn:logto:organization:harbourbr001", named="harbourbr001")
    row = organization_of(request)
    assert (row.issuer, row.logto_id, row.name) == (logto.issuer, "harbourbr001", "")
    assert organization_of(request) == row
    assert Organization.objects.get() == row


def test_the_address_alone_makes_none(logto: Emulator) -> None:
    request = call(logto, aud="urn:logto:organization:harbourbr001", named="hillbranch01")
    with pytest.raises(OrganizationRequired):
        organization_of(request)
    assert not Organization.objects.exists()


def test_that_of_a_session_is_the_one_its_members_have(browser: Browser, logto: Emulator, settings) -> None:
    settings.LOGTO_SCOPES = ("openid", "offline_access", "urn:logto:scope:organizations")
    settings.LOGTO_USERINFO_CLAIMS = ("organization_data",)
    logto.tenant.add_organization("Harbour Branch", id="harbourbr001")
    logto.tenant.add_member("harbourbr001", logto.tenant.add_user(username="reader").id)
    browser.sign_in("reader")
    assert organization_of(browser.client.get("/sign-in").wsgi_request).name == "Harbour Branch"
    assert Organization.objects.count() == 1
