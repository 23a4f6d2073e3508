"""The page on which users delete their account."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from logto_auth.clients import management_api
from logto_auth.emulator import HttpFault
from logto_auth.exceptions import ProviderUnreachable
from logto_auth.models import LogtoIdentity, LogtoSession
from logto_auth.signals import account_deleted

from .conftest import Reader, text_of

pytestmark = pytest.mark.django_db

PAGE = "/account/delete"


def delete_here(request: HttpRequest) -> None:
    request.user.delete()


def delete_everywhere(request: Any) -> None:
    management_api().users.delete(request.logto.sub)
    request.user.delete()


def refuse(request: HttpRequest) -> None:
    raise ValidationError("You have an open order.")


def fail(request: HttpRequest) -> None:
    raise ProviderUnreachable("Logto does not answer.")


@pytest.fixture(autouse=True)
def deleting(account_site: Any, settings: Any) -> Any:
    """Return a function that chooses what deletes an account."""

    def choose(function: Any) -> None:
        settings.LOGTO_DELETE_ACCOUNT = f"{__name__}.{function.__name__}"

    choose(delete_here)
    return choose


@pytest.fixture
def recent(reader: Reader) -> Reader:
    """Return a user who has just signed in, because the page asked for it."""
    sign_in_again(reader)
    return reader


def sign_in_again(reader: Reader) -> None:
    to_logto = reader.get("delete")
    assert "max_age=300" in to_logto["Location"]
    assert reader.browser.open(reader.browser.logto.sign_in(to_logto["Location"], reader.user.username)).url == PAGE


def users() -> list[str]:
    return [str(user) for user in get_user_model().objects.filter(logto_identities__isnull=False)]


def delete(reader: Reader, confirmation: str = "reader@example.com") -> Any:
    return reader.post("delete", "delete", confirmation=confirmation)


def test_there_is_no_page_without_function(reader: Reader, settings: Any) -> None:
    settings.LOGTO_DELETE_ACCOUNT = ""
    assert reader.get("delete").status_code == 404
    assert delete(reader).status_code == 404
    assert PAGE not in reader.get("security").text


def test_security_page_links_to_page(reader: Reader) -> None:
    assert f'href="{PAGE}"' in reader.get("security").text


def test_visitor_is_sent_to_sign_in(client: Any, account_site: Any) -> None:
    assert client.get(PAGE)["Location"] == f"/sign-in?next={PAGE}"


def test_old_sign_in_is_not_enough(reader: Reader) -> None:
    assert "max_age=300" in reader.get("delete")["Location"]
    assert delete(reader)["Location"] == PAGE
    assert len(users()) == 1


def test_sign_in_is_too_old_after_five_minutes(recent: Reader, logto: Any) -> None:
    # The claim is older now, as if the page had been open for a while.
    row = LogtoSession.objects.get(pk=recent.client.session["_logto_session"])
    tokens = row.tokens
    tokens["id_token_claims"]["auth_time"] -= 400
    row.tokens = tokens
    row.save()
    assert delete(recent)["Location"] == PAGE
    assert len(users()) == 1


def test_account_is_deleted(recent: Reader) -> None:
    page = recent.get("delete")
    assert "To confirm, type reader@example.com" in page.text
    response = delete(recent, " READER@example.com ")
    assert response.status_code == 200
    assert "Your account has been deleted" in text_of(response)
    assert response["Cache-Control"] == "no-store"
    assert users() == []
    assert not LogtoIdentity.objects.exists()
    assert not LogtoSession.objects.exists()
    assert recent.client.get("/").text == "Hello AnonymousUser"


def test_button_signs_out_at_logto(recent: Reader) -> None:
    response = delete(recent)
    assert 'action="/sign-out"' in response.text
    assert recent.browser.sign_out() == "http://testserver/"
    with pytest.raises(AssertionError, match="login_required"):
        _ = recent.browser.sign_in(prompt="none").url


def test_refresh_token_is_revoked(recent: Reader) -> None:
    recent.logto.requests.clear()
    delete(recent)
    assert "/oidc/token/revocation" in [each.path for each in recent.logto.requests]


def test_account_is_deleted_while_logto_is_down(recent: Reader) -> None:
    recent.logto.faults.http["revocation"] = HttpFault(drop=True)
    response = delete(recent)
    assert "Your account has been deleted" in text_of(response)
    assert users() == []
    assert recent.client.get("/").text == "Hello AnonymousUser"


def test_user_is_deleted_at_logto_too(recent: Reader, deleting: Any, settings: Any) -> None:
    deleting(delete_everywhere)
    role = "Logto Management API access"
    machine = recent.logto.tenant.add_application(name="Site", type="MachineToMachine", roles=[role])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    assert delete(recent).status_code == 200
    assert recent.user.id not in recent.logto.tenant.users
    assert users() == []


@pytest.mark.parametrize("confirmation", ["", "yes", "other@example.com", "reader", "x" * 256])
def test_wrong_confirmation_deletes_nothing(recent: Reader, confirmation: str) -> None:
    response = delete(recent, confirmation)
    assert response.status_code == 200
    assert 'class="errorlist"' in response.text
    assert len(users()) == 1
    assert recent.client.get("/").text != "Hello AnonymousUser"


def test_site_refuses_in_its_own_words(recent: Reader, deleting: Any) -> None:
    deleting(refuse)
    assert "You have an open order." in text_of(delete(recent))
    assert len(users()) == 1
    assert recent.client.get("/").text != "Hello AnonymousUser"


def test_failure_is_reported(recent: Reader, deleting: Any, caplog: Any) -> None:
    deleting(fail)
    response = delete(recent)
    assert response.status_code == 200
    assert "Your account could not be deleted." in text_of(response)
    assert "An account was not deleted: Logto does not answer." in caplog.text
    assert len(users()) == 1


def test_signal_is_sent(recent: Reader) -> None:
    seen: list[Any] = []

    def note(**arguments: Any) -> None:
        seen.append(arguments)

    account_deleted.connect(note)
    try:
        delete(recent, "wrong")
        assert seen == []
        delete(recent)
    finally:
        account_deleted.disconnect(note)
    (arguments,) = seen
    assert arguments["sender"] is get_user_model()
    assert arguments["claims"]["sub"] == recent.user.id
    assert str(arguments["user"])


def test_form_needs_csrf_token(recent: Reader) -> None:
    recent.client.handler.enforce_csrf_checks = True
    assert delete(recent).status_code == 403
    assert len(users()) == 1


def test_user_with_password_of_django_has_no_page(client: Any, account_site: Any) -> None:
    client.force_login(get_user_model().objects.create_user("local"), "django.contrib.auth.backends.ModelBackend")
    page = client.get(PAGE)
    assert page.status_code == 403
    assert client.post(PAGE, {"action": "delete", "confirmation": "local"}).status_code == 403
    assert get_user_model().objects.filter(username="local").exists()


def test_other_user_who_signs_in_again_does_not_delete_first_one(recent: Reader, reader_of: Any) -> None:
    other = reader_of("other")
    recent.client.cookies.update(other.client.cookies)
    assert "max_age=300" in recent.get("delete")["Location"]
    assert len(users()) == 2


def test_page_needs_no_account_center(recent: Reader) -> None:
    recent.logto.tenant.account_center["enabled"] = False
    assert recent.get("delete").status_code == 200


def test_script_gets_url_of_page(reader: Reader) -> None:
    response = reader.client.get(PAGE, headers={"sec-fetch-mode": "cors", "sec-fetch-dest": "empty"})
    assert response.status_code == 401
