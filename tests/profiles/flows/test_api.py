"""API calls with access tokens."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth import get_user_model

from logto_auth.emulator import Emulator
from logto_auth.testing import Browser
from tests.profiles.site.visitors import SiteClient, access_token, account, call, deliver, rows
from tests.rights import HARBOUR, HILL
from tests.webhooks.deliveries import user_event

VIEWS = ["api-books", "api-shelves"]


@pytest.mark.parametrize("view", VIEWS)
def test_known_user_calls_with_own_account(reader: Browser, logto: Emulator, view: str) -> None:
    response = call(view, token=access_token(logto, "reader000001"))
    assert (response.status_code, response.json()["user"]) == (200, str(account("reader000001").pk))


@pytest.mark.parametrize("view", VIEWS)
def test_unknown_user_gets_account(logto: Emulator, view: str) -> None:
    for _ in range(2):
        assert call(view, token=access_token(logto, "customer0001")).status_code == 200
    assert rows(get_user_model()).get() == account("customer0001")


@pytest.mark.parametrize("view", VIEWS)
def test_machine_calls_without_account(logto: Emulator, view: str) -> None:
    response = call(view, token=access_token(logto, "robot", app="robot"))
    assert (response.status_code, response.json()["user"]) == (200, "robot")
    assert rows(get_user_model()).count() == 0


@pytest.mark.parametrize("view", VIEWS)
def test_missing_scope_is_refused(logto: Emulator, view: str) -> None:
    assert call(view, token=access_token(logto, "reader000001", scope="write:books")).status_code == 403


@pytest.mark.parametrize("view", VIEWS)
def test_inactive_user_is_refused(reader: Browser, logto: Emulator, view: str) -> None:
    token = access_token(logto, "reader000001")
    rows(get_user_model()).update(is_active=False)
    assert call(view, token=token).status_code == 401


def test_suspended_user_is_refused(reader: Browser, logto: Emulator) -> None:
    suspended: Any = user_event("User.SuspensionStatus.Updated", "reader000001", isSuspended=True)
    assert deliver(suspended) == 204
    assert call("api-books", token=access_token(logto, "reader000001")).status_code == 401


def test_challenge_leads_to_metadata(logto: Emulator) -> None:
    response = call("api-books")
    assert response.status_code == 401
    url = re.search(r'resource_metadata="([^"]+)"', response["WWW-Authenticate"])
    assert url
    metadata = SiteClient().get(urlsplit(url[1]).path)
    assert metadata.json()["authorization_servers"] == [logto.issuer]


def test_organization_token_is_for_one_organization(logto: Emulator) -> None:
    audience = f"urn:logto:organization:{HARBOUR}"
    token = access_token(logto, "reader000001", audience=audience, scope="manage:stock")
    assert call("api-stock", HARBOUR, token=token).json() == {"organization": HARBOUR}
    assert call("api-stock", HILL, token=token).status_code == 403
