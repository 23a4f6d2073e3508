"""Open sessions learn at once what has changed at Logto: by a webhook, or because the site asks."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.db import connections

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.exceptions import ProviderUnreachable, SignInRequired, TokenError
from logto_auth.models import LogtoSession
from logto_auth.sessions import SessionPrincipal
from logto_auth.testing import Browser
from tests.ageing import age
from tests.rights import API, HARBOUR, HILL, ask_for_rights, set_up
from tests.support import row_of
from tests.webhooks.deliveries import SIGNING_KEY, deliver, event, user_event

pytestmark = pytest.mark.django_db
User = get_user_model()


@pytest.fixture
def editor(browser: Browser, logto: Emulator, settings: Any) -> Browser:
    settings.LOGTO_WEBHOOK_SIGNING_KEY = SIGNING_KEY
    set_up(logto)
    ask_for_rights(settings)
    browser.sign_in("editor")
    logto.requests.clear()
    return browser


def principal(browser: Browser) -> SessionPrincipal:
    logto: SessionPrincipal = browser.client.get("/").wsgi_request.logto
    return logto


def organizations(browser: Browser) -> list[str]:
    return [each.id for each in principal(browser).organizations]


def report(name: str, **members: Any) -> None:
    assert deliver(event(name, **members)).status_code == 204


def membership_event(organization_id: str, **changes: list[str]) -> None:
    report("Organization.Membership.Updated", params={"id": organization_id}, organizationId=organization_id, **changes)


# By webhooks


def test_ended_membership_is_missing_at_next_request(editor: Browser, logto: Emulator) -> None:
    logto.tenant.remove_member(HILL, "editor000001")
    assert organizations(editor) == [HARBOUR, HILL]
    membership_event(HILL, removedUserIds=["editor000001"])
    assert organizations(editor) == [HARBOUR]
    assert len(logto.requests.to("token")) == 1


def test_new_membership_is_there_at_next_request(editor: Browser, logto: Emulator) -> None:
    logto.tenant.add_organization("Island", id="islebranch01")
    logto.tenant.add_member("islebranch01", "editor000001")
    membership_event("islebranch01", addedUserIds=["editor000001"])
    assert "islebranch01" in organizations(editor)


def test_members_of_deleted_organization_are_revalidated(editor: Browser, logto: Emulator) -> None:
    other = Browser(logto)
    other.sign_in("customer")
    logto.requests.clear()
    logto.tenant.delete_organization(HILL)
    report("Organization.Deleted", params={"id": HILL}, organizationId=HILL)
    assert organizations(editor) == [HARBOUR]
    assert organizations(other) == []
    assert len(logto.requests.to("token")) == 1, "the customer is not a member"


def test_changed_data_is_in_claims_at_next_request(editor: Browser, logto: Emulator) -> None:
    logto.tenant.update_user("editor000001", name="Renamed")
    assert deliver(user_event("User.Data.Updated", "editor000001", name="Renamed")).status_code == 204
    assert principal(editor).claims["name"] == "Renamed"


def test_revalidation_during_outage_starts_the_usual_grace(editor: Browser, logto: Emulator) -> None:
    logto.faults.http["token"] = HttpFault(drop=True)
    membership_event(HILL, removedUserIds=["editor000001"])
    assert principal(editor).is_authenticated
    assert row_of(editor).fresh_until == pytest.approx(time.time(), abs=5)


def test_required_revalidation_does_not_prolong_stale_session(editor: Browser) -> None:
    age(editor, 5000)
    before = row_of(editor).fresh_until
    LogtoSession.objects.of_user(User.objects.get(username="editor")).require_revalidation()
    assert row_of(editor).fresh_until == before


@pytest.mark.django_db(transaction=True)
def test_revalidation_required_during_refresh_leaves_session_stale(editor: Browser, logto: Emulator) -> None:
    age(editor)
    logto.faults.http["token"] = HttpFault(delay_seconds=0.5, times=1)

    def visit() -> None:
        editor.client.get("/")
        connections.close_all()

    visiting = threading.Thread(target=visit)
    visiting.start()
    while not logto.requests.to("token"):
        time.sleep(0.01)
    LogtoSession.objects.of_sub(logto.issuer, "editor000001").require_revalidation()
    visiting.join()
    assert row_of(editor).fresh_until < time.time()
    assert row_of(editor).no_refresh_before == 0
    logto.requests.clear()
    editor.client.get("/")
    assert len(logto.requests.to("token")) == 1
    assert row_of(editor).fresh_until > time.time()


def test_new_roles_bring_new_permissions_at_next_refresh(editor: Browser, logto: Emulator) -> None:
    assert principal(editor).permissions() == {"read:books", "write:books"}
    logto.tenant.update_user("editor000001", roles=["reader"])
    logto.tenant.remove_member(HARBOUR, "editor000001")
    LogtoSession.objects.all().require_revalidation()
    assert principal(editor).permissions() == {"read:books"}, "the former access token has not expired"


def test_refresh_without_change_keeps_access_tokens(editor: Browser, logto: Emulator) -> None:
    principal(editor).permissions()
    LogtoSession.objects.all().require_revalidation()
    logto.requests.clear()
    assert principal(editor).permissions() == {"read:books", "write:books"}
    assert len(logto.requests.to("token")) == 1


# Because the site asks


def test_refresh_brings_new_claims_and_permissions(editor: Browser, logto: Emulator) -> None:
    request_logto = principal(editor)
    assert request_logto.permissions() == {"read:books", "write:books"}
    logto.tenant.update_user("editor000001", roles=["reader"])
    logto.tenant.remove_member(HARBOUR, "editor000001")
    request_logto.refresh()
    assert request_logto.roles == ("reader",)
    assert [each.id for each in request_logto.organizations] == [HILL]
    assert request_logto.permissions() == {"read:books"}
    assert principal(editor).roles == ("reader",), "it is stored"
    user = User.objects.get(username="editor")
    assert [each.organization.logto_id for each in user.logto_identities.get().memberships.all()] == [HILL]


def test_async_refresh_brings_new_claims(editor: Browser, logto: Emulator) -> None:
    request_logto = principal(editor)
    logto.tenant.update_user("editor000001", roles=["reader"])
    async_to_sync(request_logto.arefresh)()
    assert request_logto.roles == ("reader",)


def test_refresh_without_refresh_token_says_so(editor: Browser, logto: Emulator, settings: Any) -> None:
    settings.LOGTO_SCOPES = ("openid", "profile")
    editor.sign_in("editor", prompt="login")
    request_logto = principal(editor)
    with pytest.raises(SignInRequired, match="offline_access"):
        request_logto.refresh()
    assert request_logto.is_authenticated


def test_refresh_without_session_requires_sign_in(client: Any) -> None:
    with pytest.raises(SignInRequired):
        client.get("/").wsgi_request.logto.refresh()


def test_refresh_of_suspended_user_ends_session(editor: Browser, logto: Emulator) -> None:
    request_logto = principal(editor)
    logto.tenant.suspend_user("editor000001")
    with pytest.raises(SignInRequired):
        request_logto.refresh()
    assert not request_logto.is_authenticated
    assert not principal(editor).is_authenticated


def test_refresh_in_outage_keeps_session(editor: Browser, logto: Emulator) -> None:
    request_logto = principal(editor)
    logto.faults.http["token"] = HttpFault(drop=True)
    with pytest.raises(ProviderUnreachable):
        request_logto.refresh()
    assert request_logto.roles == ("editor",)


def test_refresh_with_wrong_token_ends_session(editor: Browser, logto: Emulator) -> None:
    request_logto = principal(editor)
    logto.faults.id_token_claims = lambda claims: {**claims, "sub": "somebody0001"}
    with pytest.raises(TokenError):
        request_logto.refresh()
    assert not request_logto.is_authenticated


@pytest.mark.django_db(transaction=True)
def test_refresh_waits_for_another_and_then_asks_itself(editor: Browser, logto: Emulator) -> None:
    request_logto = principal(editor)
    logto.faults.http["token"] = HttpFault(delay_seconds=0.5, times=1)

    def fetch_token() -> None:
        principal(editor).access_token(API)
        connections.close_all()

    fetching = threading.Thread(target=fetch_token)
    fetching.start()
    while not logto.requests.to("token"):
        time.sleep(0.01)
    logto.tenant.update_user("editor000001", roles=["reader"])
    request_logto.refresh()
    fetching.join()
    assert request_logto.roles == ("reader",)
    assert len(logto.requests.to("token")) == 2
