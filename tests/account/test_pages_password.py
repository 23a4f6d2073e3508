"""The page for the password."""

from __future__ import annotations

import logging
from types import CodeType, FrameType
from typing import Any

import pytest

from logto_auth.emulator import Emulator
from logto_auth.testing import Browser
from tests.test_error_reports import reports_of, traced

from .conftest import PASSWORD, Reader, text_of
from .test_pages_identifiers import next_of

pytestmark = pytest.mark.django_db
REJECTS = {"pwned": True, "repetitionAndSequence": True, "userInfo": True, "words": []}
NEW = "Correct-horse-7-battery"


def save(reader: Reader, password: str = NEW, repeated: str | None = None, path: str = "password") -> Any:
    return reader.post(path, "save", new_password=password, repeated=password if repeated is None else repeated)


def verify(reader: Reader) -> None:
    """Prove who the user is, with the password that they have now."""
    reader.user.password = PASSWORD
    reader.verify()


def set_policy(logto: Emulator, policy: dict[str, Any]) -> None:
    logto.tenant.sign_in_experience.settings["passwordPolicy"] = policy


@pytest.fixture(autouse=True)
def no_breach_list(account_site: Any) -> None:
    """The list of leaked passwords is on the internet."""
    set_policy(account_site, {"rejects": {**REJECTS, "pwned": False}})


def test_password_is_changed(reader: Reader) -> None:
    assert next_of(reader.get("password")) == "/account/password"
    reader.verify()
    assert "Change your password" in text_of(reader.get("password"))
    response = save(reader)
    assert response.status_code == 302, text_of(response)
    assert reader.user.password == NEW
    assert "Your password has been changed." in text_of(reader.client.get(response["Location"]))


def test_change_ends_the_other_sessions(reader: Reader) -> None:
    other = Browser(reader.logto)
    other.sign_in("reader")
    reader.verify()
    response = save(reader)
    page = text_of(reader.client.get(response["Location"]))
    assert "1 other session on this site has ended." in page
    assert "1 other session at Logto has ended." in page
    assert not other.client.get("/").wsgi_request.user.is_authenticated
    assert reader.client.get("/").wsgi_request.user.is_authenticated


def test_first_password_needs_no_verification(reader_of: Any) -> None:
    reader = reader_of(password=None, primary_email=None)
    assert "Set a password" in text_of(reader.get("password"))
    response = save(reader)
    assert reader.user.password == NEW
    assert "Your password has been set." in text_of(reader.client.get(response["Location"]))
    # The second one does.
    next_of(save(reader, "Another-horse-8-battery"))
    assert reader.user.password == NEW


def test_user_without_password_but_with_email_is_verified(reader_of: Any) -> None:
    reader = reader_of(password=None)
    next_of(reader.get("password"))
    next_of(save(reader))


@pytest.mark.parametrize(
    ("password", "text"),
    [
        ("a", "It is too short: use at least 8 characters."),
        ("12345678", "It contains a sequence"),
        ("readerreader", "It contains your name, username"),
    ],
)
def test_rejected_password_is_explained(reader: Reader, password: str, text: str) -> None:
    reader.verify()
    response = save(reader, password)
    page = response.content.decode()
    assert text in page
    assert f'"{password}"' not in page
    assert reader.user.password == PASSWORD


def test_typing_error_is_found_without_call(reader: Reader) -> None:
    reader.verify()
    response = save(reader, NEW, NEW + "x")
    assert "The two passwords are not the same." in text_of(response)
    assert NEW not in response.content.decode()


def test_policy_is_shown_in_words(reader: Reader) -> None:
    policy = {
        "length": {"min": 12, "max": 64},
        "characterTypes": {"min": 3},
        "rejects": {"pwned": True, "repetitionAndSequence": False, "userInfo": False, "words": ["shop"]},
    }
    set_policy(reader.logto, policy)
    reader.verify()
    page = text_of(reader.get("password"))
    assert "At least 12 characters." in page
    assert "At least 3 of these: capital letters, small letters, digits, symbols." in page
    assert "Not a password that is known to be leaked." in page
    assert "sequences" not in page


def test_breach_list_out_of_reach_is_explained(reader: Reader, caplog: Any) -> None:
    set_policy(reader.logto, {})
    reader.logto.faults.breach_list_unreachable = True
    reader.verify()
    response = save(reader)
    page = text_of(response)
    assert "Logto has a problem and did not save the change." in page
    assert "pwnedpasswords" not in page
    assert "api.pwnedpasswords.com" in caplog.text
    assert NEW not in caplog.text
    assert NEW not in response.content.decode()


def test_record_that_expires_while_page_is_open(reader: Reader) -> None:
    reader.verify()
    assert reader.get("password").status_code == 200
    reader.forget_verification()
    response = save(reader)
    assert next_of(response) == "/account/password"
    assert NEW not in response["Location"]
    assert reader.user.password == PASSWORD


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_change_leads_to_pages_of_the_site_only(reader: Reader, url: str) -> None:
    reader.verify()
    response = reader.client.post(
        f"/account/password?next={url}", {"action": "save", "new_password": NEW, "repeated": NEW}
    )
    assert response.status_code == 302
    assert "evil" not in response["Location"]
    assert "javascript" not in response["Location"]


def test_change_leads_to_next(reader: Reader) -> None:
    reader.verify()
    assert save(reader, path="password?next=/account/email")["Location"] == "/account/email"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_password_is_in_no_error_report(reader: Reader, caplog: Any) -> None:
    reader.client.raise_request_exception = False
    reader.verify()
    caplog.set_level(logging.DEBUG)
    found: dict[CodeType, str] = {}

    def note(frame: FrameType) -> None:
        # Before the view, a report shows the form that the browser has sent.
        if is_called_by(frame, "_respond"):
            found.setdefault(frame.f_code, frame.f_globals["__name__"])

    with traced(note):
        save(reader)
    ours = [function for function, module in found.items() if module.startswith("logto_auth.account.")]
    assert len(ours) > 10
    for function in [*ours[::2], *list(found)[:: len(found) // 8]]:
        verify(reader)
        text = reports_of(lambda: save(reader), function, caplog)
        assert NEW not in text, function


def is_called_by(frame: FrameType | None, name: str) -> bool:
    while frame is not None:
        if frame.f_code.co_name == name:
            return True
        frame = frame.f_back
    return False
