"""The pages for username, e-mail address and phone number."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from freezegun import freeze_time

from logto_auth.emulator import HttpFault

from .conftest import PASSWORD, SCOPES, Reader, step_in, text_of

pytestmark = pytest.mark.django_db
NEW = "new@example.com"


def next_of(response: Any) -> str:
    """Return where the redirect to the verification leads to afterwards."""
    assert response.status_code == 302, text_of(response)
    url = urlsplit(response["Location"])
    assert url.path == "/account/verify"
    return parse_qs(url.query)["next"][0]


def send(reader: Reader, value: str = NEW, path: str = "email") -> str:
    """Ask for a code, and return the hidden step."""
    return step_in(reader.post(path, "send", value=value))


# Username


def test_username_page_asks_for_verification_first(reader: Reader) -> None:
    assert next_of(reader.get("username")) == "/account/username"
    reader.verify()
    page = reader.get("username")
    assert "Your username is reader" in text_of(page)


def test_username_is_changed(reader: Reader) -> None:
    reader.verify()
    response = reader.post("username", "save", username="ada")
    assert response["Location"] == "/account/"
    assert reader.user.username == "ada"
    assert "Your username has been changed." in text_of(reader.get())
    assert reader.principal.claims["username"] == "ada"


@pytest.mark.parametrize("username", ["1ada", "a b", "ada-b", "", "é", "x" * 129])
def test_malformed_username_is_refused_without_call(reader: Reader, username: str) -> None:
    reader.verify()
    response = reader.post("username", "save", username=username)
    assert "errorlist" in response.content.decode()
    assert reader.user.username == "reader"


def test_taken_username_is_kept_in_the_form(reader: Reader) -> None:
    reader.logto.tenant.add_user(username="taken")
    reader.verify()
    response = reader.post("username", "save", username="taken")
    assert "This username is taken." in text_of(response)
    assert 'value="taken"' in response.content.decode()


def test_username_typed_before_expiry_is_kept(reader: Reader) -> None:
    reader.verify()
    assert reader.get("username").status_code == 200
    reader.forget_verification()
    url = next_of(reader.post("username", "save", username="ada"))
    assert reader.user.username == "reader"
    reader.verify()
    assert 'value="ada"' in reader.client.get(url).content.decode()


def test_record_that_logto_no_longer_knows_keeps_the_value(reader: Reader) -> None:
    reader.verify()
    reader.logto.verifications.clear()
    url = next_of(reader.post("username", "save", username="ada"))
    assert not reader.principal.account.is_verified
    reader.verify()
    assert 'value="ada"' in reader.client.get(url).content.decode()


# E-mail address


def test_email_is_changed_with_a_code(reader: Reader) -> None:
    reader.verify()
    page = reader.get("email")
    assert "Your e-mail address is reader@example.com" in text_of(page)
    step = send(reader)
    assert reader.user.primary_email == "reader@example.com"
    response = reader.post("email", "confirm", step=step, code=f" {reader.logto.messages.code_for(NEW)} ")
    assert response.status_code == 302, text_of(response)
    assert response["Location"] == "/account/"
    assert reader.user.primary_email == NEW
    assert reader.principal.claims["email"] == NEW
    assert "Your e-mail address has been changed." in text_of(reader.get())


def test_phone_is_added_with_a_code(reader: Reader) -> None:
    reader.verify()
    assert "You have no phone number." in text_of(reader.get("phone"))
    page = reader.post("phone", "send", value="+81 (90) 1234-5678")
    assert "+819012345678" in text_of(page)
    code = reader.logto.messages.code_for("819012345678")
    assert reader.post("phone", "confirm", step=step_in(page), code=code).status_code == 302
    assert reader.user.primary_phone == "819012345678"
    assert "+819012345678" in text_of(reader.get())


@pytest.mark.parametrize("number", ["0901234567", "12", "abc", "+", "+81 90 1234 5678 9012 34", "+0 123 456 789"])
def test_phone_number_without_country_code_is_refused(reader: Reader, number: str) -> None:
    reader.verify()
    response = reader.post("phone", "send", value=number)
    assert "country code" in text_of(response)
    assert not reader.logto.messages


def test_wrong_code_can_be_repeated(reader: Reader) -> None:
    reader.verify()
    step = send(reader)
    right = reader.logto.messages.code_for(NEW)
    wrong = "000000" if right != "000000" else "111111"
    response = reader.post("email", "confirm", step=step, code=wrong)
    page = response.content.decode()
    assert "The code is not correct." in page
    assert wrong not in page
    assert reader.post("email", "confirm", step=step_in(response), code=right).status_code == 302


def test_code_can_be_sent_again(reader: Reader) -> None:
    reader.verify()
    first = send(reader)
    page = reader.post("email", "again", step=first)
    assert "We have sent another code to new@example.com" in text_of(page)
    assert len(reader.logto.messages.to(NEW)) == 2
    code = reader.logto.messages.code_for(NEW)
    assert reader.post("email", "confirm", step=step_in(page), code=code).status_code == 302


def test_too_many_codes_are_explained(reader: Reader) -> None:
    reader.verify()
    step = send(reader)
    for _attempt in range(10):
        response = reader.post("email", "again", step=step)
    assert "Too many attempts." in text_of(response)
    assert "Confirm" in text_of(response)


def test_present_address_is_not_sent_a_code(reader: Reader) -> None:
    reader.verify()
    assert "already" in text_of(reader.post("email", "send", value="reader@example.com"))
    assert not reader.logto.messages


def test_taken_address_is_told_after_the_code_only(reader: Reader) -> None:
    reader.logto.tenant.add_user(username="other", primary_email="taken@example.com")
    reader.verify()
    free, taken = (
        reader.post("email", "send", value="free@example.com"),
        reader.post("email", "send", value="taken@example.com"),
    )
    assert text_of(free).replace("free@", "x@") == text_of(taken).replace("taken@", "x@")
    code = reader.logto.messages.code_for("taken@example.com")
    response = reader.post("email", "confirm", step=step_in(taken), code=code)
    assert "This e-mail address belongs to another account." in text_of(response)
    assert 'value="taken@example.com"' in response.content.decode()
    assert reader.user.primary_email == "reader@example.com"


def test_verification_that_expires_before_the_code_keeps_the_proof(reader: Reader) -> None:
    reader.verify()
    step = send(reader)
    reader.forget_verification()
    url = next_of(reader.post("email", "confirm", step=step, code=reader.logto.messages.code_for(NEW)))
    assert len(url) < 1024
    assert reader.user.primary_email == "reader@example.com"
    # The page asks for the verification, and then for nothing but the last button.
    assert next_of(reader.client.get(url)) == url
    reader.verify()
    page = reader.client.get(url)
    assert "You have shown that new@example.com is yours." in text_of(page)
    assert reader.post("email", "finish", step=step_in(page)).status_code == 302
    assert reader.user.primary_email == NEW


def test_last_step_needs_the_code(reader: Reader) -> None:
    reader.verify()
    response = reader.post("email", "finish", step=send(reader))
    assert "The code has expired" in text_of(response)
    assert reader.user.primary_email == "reader@example.com"


def test_step_of_other_user_is_refused(reader_of: Any) -> None:
    reader, attacker = reader_of(), reader_of("attacker")
    attacker.verify()
    step = send(attacker)
    code = attacker.logto.messages.code_for(NEW)
    reader.verify()
    response = reader.post("email", "confirm", step=step, code=code)
    assert "The code has expired" in text_of(response)
    assert reader.user.primary_email == "reader@example.com"


def test_step_of_phone_is_refused_for_email(reader: Reader) -> None:
    reader.verify()
    step = send(reader, "+819012345678", "phone")
    response = reader.post("email", "confirm", step=step, code=reader.logto.messages.code_for("819012345678"))
    assert "The code has expired" in text_of(response)


def test_form_replayed_after_ten_minutes_is_refused(reader: Reader) -> None:
    with freeze_time(tick=True) as clock:
        reader.verify()
        step, code = send(reader), reader.logto.messages.code_for(NEW)
        clock.tick(601)
        response = reader.post("email", "confirm", step=step, code=code)
    assert "The code has expired" in text_of(response)
    assert reader.user.primary_email == "reader@example.com"


def test_code_is_valid_once(reader: Reader) -> None:
    reader.verify()
    step, code = send(reader), reader.logto.messages.code_for(NEW)
    assert reader.post("email", "confirm", step=step, code=code).status_code == 302
    response = reader.post("email", "confirm", step=step, code=code)
    assert "The code has expired" in text_of(response)


def test_email_is_removed(reader: Reader) -> None:
    reader.verify()
    assert reader.post("email", "remove")["Location"] == "/account/"
    assert reader.user.primary_email is None
    assert "Your e-mail address has been removed." in text_of(reader.get())


def test_last_identifier_is_not_removed(reader: Reader) -> None:
    reader.user.username = None
    reader.verify()
    response = reader.post("email", "remove")
    assert "This is your only way to sign in" in text_of(response)
    assert reader.user.primary_email == "reader@example.com"


def test_removal_needs_verification(reader: Reader) -> None:
    next_of(reader.post("email", "remove"))
    assert reader.user.primary_email == "reader@example.com"


# Problems


def test_missing_connector_is_explained_to_staff_only(reader: Reader, caplog: Any) -> None:
    reader.logto.tenant.sign_in_experience.connector_instances.clear()
    reader.verify()
    response = reader.post("email", "send", value=NEW)
    assert "The message could not be sent." in text_of(response)
    assert "connector" not in text_of(response)
    assert f'value="{NEW}"' in response.content.decode()
    assert "Set up a connector" in caplog.text
    user = reader.request.user
    user.is_staff = True
    user.save()
    assert "Set up a connector" in text_of(reader.post("email", "send", value=NEW))


def test_field_made_read_only_while_page_is_open(reader: Reader) -> None:
    reader.verify()
    step, code = send(reader), reader.logto.messages.code_for(NEW)
    reader.logto.tenant.enable_account_center(email="ReadOnly")
    response = reader.post("email", "confirm", step=step, code=code)
    assert response.status_code == 200
    assert "This can no longer be changed here." in text_of(response)
    assert NEW in response.content.decode()
    assert reader.user.primary_email == "reader@example.com"


def test_account_center_switched_off_while_page_is_open(reader: Reader) -> None:
    reader.verify()
    assert reader.get("username").status_code == 200
    reader.logto.tenant.account_center["enabled"] = False
    response = reader.post("username", "save", username="ada")
    assert "This site does not offer account settings at the moment." in text_of(response)
    assert 'value="ada"' in response.content.decode()


def test_logto_that_is_down_keeps_what_was_typed(reader: Reader) -> None:
    reader.verify()
    assert reader.get("username").status_code == 200
    reader.logto.faults.http["account_api"] = HttpFault(drop=True)
    response = reader.post("username", "save", username="ada")
    assert response.status_code == 200
    assert "Logto does not respond." in text_of(response)
    assert 'value="ada"' in response.content.decode()


@pytest.mark.parametrize("path", ["username", "email", "phone"])
def test_read_only_identifier_is_text(reader: Reader, path: str) -> None:
    reader.logto.tenant.enable_account_center("ReadOnly")
    response = reader.get(path)
    assert "This site does not let users change it." in text_of(response)
    assert "<form" not in response.content.decode()


@pytest.mark.parametrize("path", ["username", "email", "phone", "password", "linked"])
def test_page_of_a_field_that_is_off(reader: Reader, path: str) -> None:
    reader.logto.tenant.enable_account_center("Off")
    response = reader.get(path)
    assert response.status_code == 403
    assert "You cannot change this" in text_of(response)


def test_user_with_neither_method_sets_a_password_first(reader_of: Any) -> None:
    reader = reader_of(password=None, primary_email=None)
    url = reader.get("email")["Location"]
    page = reader.client.get(url)
    assert "Your account has no password yet." in text_of(page)
    assert "/account/password?next=/account/email" in page.content.decode()


def test_email_page_without_its_scope_asks_for_it_once(reader_of: Any, settings: Any) -> None:
    settings.LOGTO_SCOPES = [scope for scope in SCOPES if scope != "email"]
    reader = reader_of()
    reader.verify()
    response = reader.get("email")
    url = urlsplit(response["Location"])
    assert url.path == "/oidc/auth"
    query = parse_qs(url.query)
    assert "email" in query["scope"][0].split()
    assert query["prompt"] == ["none"]
    assert PASSWORD not in response["Location"]
    # Logto knows this session, and gives the scope.
    response = reader.browser.open(reader.browser.logto.sign_in(response["Location"], None))
    while response.status_code == 302 and "/oidc/auth" in response["Location"]:
        response = reader.browser.open(reader.browser.logto.sign_in(response["Location"], None))
    assert response["Location"] == "/account/email?scopes_requested=1"
    assert reader.principal.account.has_scopes("email")
    assert next_of(reader.client.get(response["Location"])) == "/account/email"
