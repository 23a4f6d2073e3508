"""What staff see of Logto while they act as a user: the claims and the permissions of the user."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured

from logto_auth.conf import conf
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser
from tests.ageing import age
from tests.rights import API, HARBOUR

from .conftest import Events
from .test_journey import who

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.impersonation.site")]
User = get_user_model()


def test_rights_are_those_of_the_user(acting: Browser) -> None:
    assert acting.client.get("/rights").json() == {
        "roles": ["reader"],
        "organizations": [HARBOUR],
        "organization_roles": ["staff"],
        "permissions": ["read:books"],
        "may": True,
        "may not": False,
        "email": None,
        "methods": [],
        "sessions": [[True, True, "editor"], [False, False, ""]],
    }


def test_user_sees_the_session_and_may_end_it(acting: Browser, customer: Browser, events: Events) -> None:
    assert customer.client.get("/rights").json()["sessions"] == [[False, True, "editor"], [True, False, ""]]
    customer.client.post("/sign-out-others")
    assert events.short[-1] == ("ended", "reader", "editor", "session_ended")
    acting.client.get("/")
    assert who(acting)["user"] == "editor"


def test_api_token_names_who_acts(acting: Browser) -> None:
    claims = acting.client.get(f"/api-token?resource={API}").json()
    assert (claims["sub"], claims["act"]) == ("reader000001", {"sub": "editor000001"})
    assert claims["scope"] == "read:books"


def test_organization_token_names_who_acts(acting: Browser) -> None:
    claims = acting.client.get(f"/api-token?resource={API}&organization={HARBOUR}").json()
    assert (claims["sub"], claims["act"]) == ("reader000001", {"sub": "editor000001"})
    assert claims["organization_id"] == HARBOUR


def test_token_is_kept(acting: Browser, site: Emulator) -> None:
    first = acting.client.get(f"/api-token?resource={API}").json()
    assert acting.client.get(f"/api-token?resource={API}").json() == first


def test_tokens_of_the_staff_member_are_not_used(acting: Browser) -> None:
    row = LogtoSession.objects.impersonations().get()
    assert "refresh_token" not in row.tokens
    assert "id_token" not in row.tokens
    own = LogtoSession.objects.get(user__username="editor")
    mine = {each["token"] for each in own.tokens["access_tokens"].values()}
    assert mine.isdisjoint(each["token"] for each in row.tokens["access_tokens"].values())


def test_claims_are_fetched_again(acting: Browser, site: Emulator) -> None:
    site.tenant.users["reader000001"].roles.clear()
    acting.client.get("/rights")
    age(acting)
    now = acting.client.get("/rights").json()
    assert (now["roles"], now["permissions"]) == ([], [])


def test_token_for_api_keeps_the_claims_as_old_as_they_are(acting: Browser) -> None:
    before = LogtoSession.objects.impersonations().get().fresh_until
    acting.client.get(f"/api-token?resource={API}")
    assert LogtoSession.objects.impersonations().get().fresh_until == before


def test_last_sign_in_of_the_user_stays(staff: Browser) -> None:
    before = User.objects.get(username="reader").last_login
    staff.client.post("/start/reader")
    assert User.objects.get(username="reader").last_login == before


def test_suspension_at_logto_ends_it_when_the_claims_are_old(acting: Browser, site: Emulator, events: Events) -> None:
    site.tenant.suspend_user("reader000001")
    age(acting)
    assert acting.client.get("/").status_code == 302
    assert events.short[-1] == ("ended", "reader", "editor", "user_refused")
    assert who(acting)["user"] == "editor"


# What the operator has to do


def test_application_must_be_allowed_to_exchange_tokens(staff: Browser, site: Emulator) -> None:
    site.tenant.applications[conf.app_id].allow_token_exchange = False
    with pytest.raises(ImproperlyConfigured, match="token_exchange=True"):
        staff.client.post("/start/reader")
    assert who(staff)["user"] == "editor"


def test_machine_application_is_needed(staff: Browser, settings: Any) -> None:
    settings.LOGTO_M2M_APP_ID = settings.LOGTO_M2M_APP_SECRET = ""
    with pytest.raises(ImproperlyConfigured, match="LOGTO_M2M_APP_ID"):
        staff.client.post("/start/reader")
    assert who(staff)["user"] == "editor"


@pytest.mark.parametrize("endpoint", ["token", "me"])
@pytest.mark.parametrize("fault", [HttpFault(drop=True), HttpFault(status=500), HttpFault(status=200, body="<html>")])
def test_failure_of_logto_changes_nothing(staff: Browser, site: Emulator, endpoint: str, fault: HttpFault) -> None:
    site.faults.http[endpoint] = fault
    assert staff.client.post("/start/reader").status_code in (502, 503)
    site.faults.clear()
    assert who(staff)["user"] == "editor"
    assert not LogtoSession.objects.impersonations().exists()


def test_userinfo_of_another_user_is_refused(staff: Browser, site: Emulator) -> None:
    site.faults.http["me"] = HttpFault(status=200, body='{"sub": "customer0001"}')
    assert staff.client.post("/start/reader").status_code == 400
    assert who(staff)["user"] == "editor"
    assert not LogtoSession.objects.impersonations().exists()


def test_user_sees_support_access_on_the_page_of_sessions(acting: Browser, customer: Browser) -> None:
    page = customer.client.get("/account/sessions").content.decode()
    assert page.count("Support access") == 1
