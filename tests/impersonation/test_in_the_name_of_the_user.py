"""What staff do in the name of a user: the console of organizations is open, what binds the user is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.urls import path

from logto_auth.audit.apps import connect_receivers, disconnect_receivers
from logto_auth.audit.models import AuditEvent
from logto_auth.emulator import Emulator
from logto_auth.testing import Browser
from logto_auth.views import AcceptInvitationView
from tests.console import console_site
from tests.console.console_site import HARBOUR, sub_of

from .conftest import permit
from .site import urlpatterns as patterns_of_site
from .test_refusals import assert_refused

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
User = get_user_model()
urlpatterns = [path("accept-invitation", AcceptInvitationView.as_view()), *patterns_of_site]


def delete_account(user: Any, **kwargs: Any) -> None:
    """What the site does for a user who deletes their account."""
    user.delete()


@pytest.fixture
def agent(logto: Emulator, settings: Any) -> Iterator[Browser]:
    """The browser of a staff member who acts as the owner of an organization. The audit trail is on."""
    console_site.set_up(logto, settings)
    settings.ROOT_URLCONF = __name__
    logto.tenant.applications[django_settings.LOGTO_APP_ID].allow_token_exchange = True
    console_site.signed_in(logto, "owner")
    agent = console_site.signed_in(logto, "stranger")
    permit("stranger")
    assert agent.client.post("/start/owner").status_code == 302
    connect_receivers()
    yield agent
    disconnect_receivers()


def latest() -> tuple[str, str, str, str, Any]:
    """Return who did what to whom, by the latest event."""
    event = AuditEvent.objects.latest("pk")
    names = {str(user.pk): user.get_username() for user in User.objects.all()}
    actor = names.get(event.actor_id, "")
    return event.action, actor, event.actor_sub, event.user_sub, event.details.get("impersonating")


def test_console_names_the_staff_member(agent: Browser) -> None:
    url = f"/organizations/{HARBOUR}/members/{sub_of('staff')}"
    response = agent.client.post(url, {"action": "roles", "roles": ["manager"], "before": ["staff"]})
    assert response.status_code == 302
    action, *rest = latest()
    assert rest == ["stranger", sub_of("stranger"), sub_of("staff"), True], action


def test_endpoints_of_the_console_name_the_staff_member(agent: Browser) -> None:
    response = agent.client.patch(
        f"/organizations-api/{HARBOUR}/members/{sub_of('staff')}/",
        {"roles": ["manager"], "before": ["staff"]},
        content_type="application/json",
    )
    assert response.status_code == 200, response.content
    action, *rest = latest()
    assert rest == ["stranger", sub_of("stranger"), sub_of("staff"), True], action


@pytest.mark.parametrize("page", ["leave", "delete"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_organization_is_neither_left_nor_deleted(agent: Browser, logto: Emulator, page: str, method: str) -> None:
    logto.tenant.add_member(HARBOUR, sub_of("other"), roles=["owner"])
    form = {"action": page, "confirmation": "Harbour Branch"}
    assert_refused(getattr(agent.client, method)(f"/organizations/{HARBOUR}/{page}", form))
    assert HARBOUR in logto.tenant.organizations


@pytest.mark.parametrize(("method", "path"), [("post", "leave/"), ("delete", "")])
def test_endpoints_neither_leave_nor_delete(agent: Browser, logto: Emulator, method: str, path: str) -> None:
    logto.tenant.add_member(HARBOUR, sub_of("other"), roles=["owner"])
    assert_refused(getattr(agent.client, method)(f"/organizations-api/{HARBOUR}/{path}"))
    assert HARBOUR in logto.tenant.organizations


@pytest.mark.parametrize("method", ["get", "post"])
def test_account_is_not_deleted(agent: Browser, settings: Any, logto: Emulator, method: str) -> None:
    settings.LOGTO_DELETE_ACCOUNT = f"{__name__}.delete_account"
    response = getattr(agent.client, method)("/account/delete", {"action": "delete", "confirmation": "owner"})
    assert_refused(response)
    assert User.objects.filter(username="owner").exists()
    assert sub_of("owner") in logto.tenant.users


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "url", ["/accept-invitation?token=abc123&email=owner@bookstore.example", "/organizations/invitation/sealed"]
)
def test_invitation_is_not_accepted(agent: Browser, method: str, url: str) -> None:
    response = getattr(agent.client, method)(url, {"action": "accept"})
    assert_refused(response)
