"""Sign-ins and sessions in the audit trail."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.auth.signals import user_logged_in
from django.db import DatabaseError, connection
from django.db.models.signals import post_save, pre_save
from django.test.utils import CaptureQueriesContext

from logto_auth.audit.apps import connect_receivers, disconnect_receivers
from logto_auth.audit.models import AuditEvent
from logto_auth.audit.signals import event_recorded
from logto_auth.emulator import Emulator
from logto_auth.models import LogtoIdentity, LogtoSession, UserStatus
from logto_auth.sign_in.one_commit import OWN_RECEIVERS
from logto_auth.testing import Browser
from logto_auth.users.suspension import suspend
from tests.support import code_on, signed_in_user_key
from tests.users.accounts import TRUST, local_user

from .recorded import AGENT, actions, forget, key_of, only, people, refused, written

pytestmark = pytest.mark.django_db
User = get_user_model()


@pytest.fixture
def reader_at_logto(logto: Emulator) -> Any:
    return logto.tenant.add_user(
        id="reader000001", username="reader", primary_email="reader@example.com", name="Reader"
    )


@pytest.fixture
def known(logto: Emulator, reader_at_logto: Any) -> Any:
    """A user who has signed in before."""
    Browser(logto).sign_in("reader")
    forget()
    return reader_at_logto


def open_callback(browser: Browser, username: str = "reader") -> Any:
    callback = browser.logto.sign_in(browser.start(), username)
    with written() as statements:
        response = browser.open(callback)
    return response, statements


# One insert


def test_new_user_is_one_insert(browser: Browser, reader_at_logto: Any) -> None:
    response, statements = open_callback(browser)
    assert response["Location"] == "/"
    assert len(statements) == 1
    assert actions() == ["account_created", "sign_in"]
    key = key_of("reader")
    for event in AuditEvent.objects.all():
        assert people(event) == (key, key)
        assert (event.actor_sub, event.user_sub, event.outcome) == ("reader000001", "reader000001", "success")


def test_known_user_is_one_insert(browser: Browser, known: Any) -> None:
    _, statements = open_callback(browser)
    assert len(statements) == 1
    assert actions() == ["sign_in"]


def test_known_user_needs_one_query_more(browser: Browser, logto: Emulator, known: Any) -> None:
    counts = []
    for turn in (disconnect_receivers, connect_receivers):
        turn()
        other = Browser(logto)
        callback = other.logto.sign_in(other.start(), "reader")
        with CaptureQueriesContext(connection) as queries:
            other.open(callback)
        counts.append(len([each for each in queries if "SAVEPOINT" not in each["sql"]]))
    assert counts[1] == counts[0] + 1


def test_linked_user_is_one_insert(browser: Browser, reader_at_logto: Any, settings: Any) -> None:
    settings.LOGTO_LINK_BY_EMAIL = TRUST
    local = local_user("reader@example.com", username="local")
    _, statements = open_callback(browser)
    assert len(statements) == 1
    assert actions() == ["identity_linked", "sign_in"]
    event = only("identity_linked")
    assert (people(event), event.user_sub) == ((str(local.pk), str(local.pk)), "reader000001")


def test_released_account_is_reactivated_and_linked(browser: Browser, reader_at_logto: Any, settings: Any) -> None:
    settings.LOGTO_LINK_BY_EMAIL = TRUST
    local = local_user("reader@example.com", username="local")
    identity = LogtoIdentity.objects.create(user=local, issuer=settings.LOGTO_ENDPOINT + "/oidc", sub="former")
    suspend(identity, UserStatus.DELETED, 1)
    forget()
    _, statements = open_callback(browser)
    assert len(statements) == 1
    assert actions() == ["reactivated", "identity_linked", "sign_in"]


def test_changed_rights_are_one_insert(browser: Browser, logto: Emulator, known: Any, settings: Any) -> None:
    settings.LOGTO_STAFF_ROLES, settings.LOGTO_GROUPS_BY_ROLE = ["editor"], {"editor": "Editors", "clerk": "Clerks"}
    logto.tenant.add_role("editor")
    logto.tenant.update_user(known.id, roles=["editor"])
    _, statements = open_callback(browser)
    assert len(statements) == 1
    assert actions() == ["rights_changed", "sign_in"]
    event = only("rights_changed")
    assert event.details == {
        "former": {"is_staff": False, "groups": [], "roles": []},
        "current": {"is_staff": True, "groups": ["Editors"], "roles": ["editor"]},
    }
    assert people(event) == (key_of("reader"),) * 2
    forget()
    logto.tenant.update_user(known.id, roles=[])
    open_callback(Browser(logto))
    assert only("rights_changed").details["current"] == {"is_staff": False, "groups": [], "roles": []}


def test_rights_of_new_account_are_recorded(browser: Browser, logto: Emulator, settings: Any) -> None:
    settings.LOGTO_STAFF_ROLES, settings.LOGTO_GROUPS_BY_ROLE = ["editor"], {"editor": "Editors"}
    logto.tenant.add_role("editor")
    logto.tenant.add_user(username="reader", roles=["editor"])
    open_callback(browser)
    assert only("account_created").details == {"is_staff": True, "roles": ["editor"], "groups": ["Editors"]}


def test_changed_memberships_are_one_insert(browser: Browser, logto: Emulator, known: Any, settings: Any) -> None:
    settings.LOGTO_SCOPES = (*settings.LOGTO_SCOPES, "urn:logto:scope:organizations")
    settings.LOGTO_SCOPES += ("urn:logto:scope:organization_roles",)
    logto.tenant.add_organization("Harbour", id="harbour")
    logto.tenant.add_organization_role("staff")
    logto.tenant.add_member("harbour", known.id, roles=["staff"])
    _, statements = open_callback(browser)
    assert len(statements) == 1
    event = only("memberships_changed")
    assert (event.organization_id, event.details) == ("harbour", {"former": {}, "current": {"harbour": ["staff"]}})
    forget()
    logto.tenant.remove_member("harbour", known.id)
    open_callback(Browser(logto))
    assert only("memberships_changed").details == {"former": {"harbour": ["staff"]}, "current": {}}


def test_lifted_suspension_is_one_insert(browser: Browser, known: Any) -> None:
    identity = LogtoIdentity.objects.get()
    suspend(identity, UserStatus.SUSPENDED, 1)
    forget()
    _, statements = open_callback(browser)
    assert len(statements) == 1
    assert actions() == ["reactivated", "sign_in"]
    assert people(only("reactivated")) == (key_of("reader"),) * 2


def test_address_and_browser_are_recorded(browser: Browser, known: Any) -> None:
    browser.client.defaults.update(REMOTE_ADDR="192.0.2.7", HTTP_USER_AGENT=AGENT)
    open_callback(browser)
    data = only("sign_in").actor_data
    assert data is not None
    assert (data["ip_address"], data["user_agent"], data["name"]) == ("192.0.2.7", AGENT, "reader")


def test_receivers_keep_the_one_commit() -> None:
    names = {
        name
        for signal in (user_logged_in, pre_save, post_save)
        for (name, sender), *_ in signal.receivers
        if str(name).startswith("logto_auth.") and sender in {id(None), id(User), id(LogtoSession)}
    }
    assert names <= OWN_RECEIVERS


# Trouble with the database


def test_sign_in_succeeds_without_the_table(browser: Browser, known: Any, caplog: Any) -> None:
    with refused("logto_audit_auditevent"):
        response, _ = open_callback(browser)
    assert (response.status_code, response["Location"]) == (302, "/")
    assert signed_in_user_key(browser.client) == key_of("reader")
    (line,) = (record for record in caplog.records if record.name == "logto_auth")
    assert line.levelno == logging.ERROR
    assert "@" not in line.getMessage()
    assert "reader" not in line.getMessage()


def test_sign_in_fails_if_the_trail_is_required(browser: Browser, known: Any, settings: Any) -> None:
    settings.LOGTO_AUDIT_REQUIRED = True
    sessions = LogtoSession.objects.count()
    with refused("logto_audit_auditevent"):
        response, _ = open_callback(browser)
    assert (response.status_code, code_on(response)) == (503, "not_recorded")
    assert signed_in_user_key(browser.client) is None
    assert LogtoSession.objects.count() == sessions
    assert not browser.client.get("/").wsgi_request.user.is_authenticated


def test_failing_receiver_of_the_site_changes_nothing(browser: Browser, known: Any, settings: Any) -> None:
    settings.LOGTO_AUDIT_REQUIRED = True

    def fail(**arguments: Any) -> None:
        raise DatabaseError

    event_recorded.connect(fail)
    try:
        response, _ = open_callback(browser)
    finally:
        event_recorded.disconnect(fail)
    assert response["Location"] == "/"


# Sessions


def test_sign_out_is_recorded(browser: Browser, known: Any) -> None:
    open_callback(browser)
    forget()
    browser.client.post("/sign-out")
    assert actions() == ["sign_out"]
    assert people(only("sign_out")) == (key_of("reader"),) * 2


def test_other_sessions_are_one_insert(browser: Browser, logto: Emulator, known: Any) -> None:
    Browser(logto).sign_in("reader")
    open_callback(browser)
    forget()
    with written() as statements:
        browser.client.post("/sign-out-others")
    assert len(statements) == 1
    assert actions() == ["session_ended"] * 2
    event = AuditEvent.objects.order_by("id")[0]
    assert (people(event), event.details) == ((key_of("reader"),) * 2, {"reason": "ended_by_user"})


def test_session_that_logto_ends_has_no_actor(browser: Browser, logto: Emulator, known: Any) -> None:
    open_callback(browser)
    forget()
    logto.tenant.suspend_user(known.id)
    LogtoSession.objects.update(fresh_until=0)
    browser.client.get("/")
    event = only("session_ended")
    assert (event.actor_id, event.user_id, event.details) == ("", key_of("reader"), {"reason": "sign_in_required"})
    assert event.actor_data == {}


def test_changed_rights_at_a_refresh_are_recorded(browser: Browser, logto: Emulator, known: Any, settings: Any) -> None:
    settings.LOGTO_STAFF_ROLES = ["editor"]
    open_callback(browser)
    forget()
    logto.tenant.add_role("editor")
    logto.tenant.update_user(known.id, roles=["editor"])
    LogtoSession.objects.update(fresh_until=0)
    with written() as statements:
        browser.client.get("/")
    assert len(statements) == 1
    event = only("rights_changed")
    assert people(event) == ("", key_of("reader"))
    assert event.details["current"] == {"is_staff": True, "roles": ["editor"]}


def test_password_sign_in_of_staff_is_recorded(client: Any, settings: Any) -> None:
    settings.LOGTO_ADMIN_PASSWORD_SIGN_IN = True
    User.objects.create_superuser("break-glass", password="secret")
    url = "/admin/login/password/"
    client.post(url, {"username": "break-glass", "password": "wrong", "next": "/admin/"})
    assert actions() == []
    client.post(url, {"username": "break-glass", "password": "secret", "next": "/admin/"})
    assert client.session[SESSION_KEY] == key_of("break-glass")
    event = only("admin_password_sign_in")
    assert people(event) == (key_of("break-glass"),) * 2
    assert json.loads(event.actor_json)["ip_address"] == "127.0.0.1"


@pytest.mark.django_db(transaction=True)
def test_sign_in_has_no_more_commits_than_without_trail(logto: Emulator, reader_at_logto: Any) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("On SQLite, a sign-in is not one transaction.")
    Browser(logto).sign_in("reader")
    commits = []
    for turn in (disconnect_receivers, connect_receivers):
        turn()
        browser = Browser(logto)
        callback = browser.logto.sign_in(browser.start(), "reader")
        with CaptureQueriesContext(connection) as queries:
            browser.open(callback)
        commits.append([each["sql"] for each in queries].count("COMMIT"))
    assert commits[0] == commits[1] > 0
    assert actions()[-1] == "sign_in"


@pytest.mark.parametrize("is_required", [True, False])
@pytest.mark.django_db(transaction=True)
def test_request_in_a_transaction_survives_a_refused_row(
    browser: Browser, reader_at_logto: Any, settings: Any, monkeypatch: Any, is_required: bool
) -> None:
    settings.LOGTO_AUDIT_REQUIRED = is_required
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    with refused("logto_audit_auditevent"):
        response, _ = open_callback(browser)
    assert response.status_code == (503 if is_required else 302)
    assert LogtoIdentity.objects.count() == 1
    assert LogtoSession.objects.count() == (0 if is_required else 1)
    assert (signed_in_user_key(browser.client) is None) is is_required
