"""What users change on the account pages, and the end of sessions by Logto, in the audit trail."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.test import Client

from logto_auth.audit import record_event
from logto_auth.audit.models import AuditEvent
from logto_auth.exceptions import VerificationRequired
from logto_auth.models import LogtoIdentity
from logto_auth.signals import account_changed
from tests.account.conftest import (  # noqa: F401  (fixtures)
    PASSWORD,
    Reader,
    account_site,
    reader,
    reader_of,
)

from .recorded import actions, forget, only, people

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "Correct-horse-7-battery"


def delete_here(request: HttpRequest) -> None:
    request.user.delete()


def deactivate_here(request: HttpRequest) -> None:
    user = get_user_model().objects.get(pk=request.user.pk)
    user.is_active = False
    user.save()


@pytest.fixture
def own(reader: Reader) -> Reader:  # noqa: F811
    forget()
    return reader


def key() -> str:
    return str(LogtoIdentity.objects.get().user_id)


def test_changed_password_is_recorded_without_it(own: Reader) -> None:
    own.logto.tenant.sign_in_experience.settings["passwordPolicy"] = {"rejects": {"pwned": False}}
    own.verify()
    own.post("password", "save", new_password=NEW_PASSWORD, repeated=NEW_PASSWORD)
    assert own.user.password == NEW_PASSWORD
    (event,) = AuditEvent.objects.filter(details_json__contains="set_password")
    assert (event.action, event.details, people(event)) == (
        "account_changed",
        {"change": "set_password"},
        (key(), key()),
    )
    assert NEW_PASSWORD not in event.actor_json + event.user_json + event.details_json


def test_refused_change_is_not_recorded(own: Reader) -> None:
    with pytest.raises(VerificationRequired):
        own.principal.account.set_password(NEW_PASSWORD)
    assert actions() == []


def test_reading_is_not_recorded(own: Reader) -> None:
    own.verify()
    own.get()
    own.get("security")
    assert actions() == []


def test_changed_name_is_recorded_without_it(own: Reader) -> None:
    own.principal.account.update(name="Another Name")
    event = only("account_changed")
    assert (event.details, people(event)) == ({"change": "update"}, (key(), key()))
    assert "Another Name" not in event.actor_json


def test_task_of_the_account_center_is_recorded(own: Reader) -> None:
    request = own.request
    account_changed.send_robust(
        sender=request.user.__class__, request=request, user=request.user, task="email", changed=frozenset({"email"})
    )
    event = only("account_changed")
    assert (event.details, people(event)) == ({"task": "email", "changed": ["email"]}, (key(), key()))


def test_deleted_account_is_recorded_without_personal_data(own: Reader, settings: Any) -> None:
    settings.LOGTO_DELETE_ACCOUNT = f"{__name__}.delete_here"
    to_logto = own.get("delete")
    own.browser.open(own.browser.logto.sign_in(to_logto["Location"], own.user.username))
    former = key()
    own.post("delete", "delete", confirmation="reader@example.com")
    assert not LogtoIdentity.objects.exists()
    event = only("account_deleted")
    assert (people(event), event.user_sub) == ((former, former), own.user.id)
    assert "reader" not in event.actor_json + event.user_json + event.details_json


def test_account_that_the_site_only_deactivates_is_erased(own: Reader, settings: Any) -> None:
    settings.LOGTO_DELETE_ACCOUNT = f"{__name__}.deactivate_here"
    record_event("shop.sold", user=LogtoIdentity.objects.get().user)
    assert only("shop.sold").user_data
    to_logto = own.get("delete")
    own.browser.open(own.browser.logto.sign_in(to_logto["Location"], own.user.username))
    own.post("delete", "delete", confirmation="reader@example.com")
    assert "account_deleted" in actions()
    assert only("shop.sold").user_data is None
    assert only("sign_in").actor_data is None


def test_sign_out_at_logto_has_no_actor(own: Reader) -> None:
    from tests.sessions.test_backchannel import URL, logout_token

    token = logout_token(own.logto, sub=own.user.id, sid=...)
    assert Client().post(URL, {"logout_token": token}).status_code == 200
    event = only("session_ended")
    assert (people(event), event.details) == (("", key()), {"reason": "signed_out_at_logto"})
    assert event.actor_data == {}
