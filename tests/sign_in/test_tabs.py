"""Sign-ins in several tabs, and callbacks that come late.

Logto has one interaction for each browser and application: the form that is sent first finishes the sign-in that was
started last, in whichever tab it is.
"""

from __future__ import annotations

from typing import Any

import pytest
import requests
from freezegun import freeze_time

from logto_auth.emulator import Emulator
from logto_auth.emulator.visitors.page_reader import account_buttons, forms_of
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser
from tests.support import Witness, query_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def tabs(browser: Browser, logto: Emulator) -> list[requests.Response]:
    """The pages of Logto in two tabs of `browser`. The second tab was opened last."""
    logto.tenant.add_user(username="reader", id="reader000001")
    return [browser.logto.open(browser.start(f"/books/{number}/")) for number in (1, 2)]


def fill_in(browser: Browser, page: requests.Response, username: str = "reader") -> requests.Response:
    """Send the form of `page`, and return the response at which the browser leaves Logto, or its last page."""
    form = next(form for form in forms_of(page) if form.id == "accounts")
    fields = [*form.fields, ("account", account_buttons(page)[username])]
    return browser.logto._travel("POST", form.action, fields)


@pytest.mark.parametrize("first", [0, 1], ids=["earlier-tab", "later-tab"])
def test_first_form_finishes_later_sign_in(browser: Browser, tabs: list[requests.Response], first: int) -> None:
    callback = fill_in(browser, tabs[first]).headers["Location"]
    assert browser.open(callback)["Location"] == "/books/2/"
    assert browser.client.get("/account/claims").status_code == 200
    assert LogtoSession.objects.count() == 1


@pytest.mark.parametrize("first", [0, 1], ids=["earlier-tab", "later-tab"])
def test_second_form_ends_at_unknown_session_of_logto(
    browser: Browser, tabs: list[requests.Response], first: int
) -> None:
    browser.open(fill_in(browser, tabs[first]).headers["Location"])
    other = fill_in(browser, tabs[1 - first])
    assert (other.status_code, "session.not_found" in other.text) == (400, True)
    assert browser.logto.open(other.url).url.endswith("/unknown-session")


def test_second_tab_returns_signed_in_by_unknown_session_url(
    browser: Browser, tabs: list[requests.Response], logto: Emulator
) -> None:
    logto.tenant.sign_in_experience.unknown_session_redirect_url = "http://testserver/sign-in"
    browser.open(fill_in(browser, tabs[0]).headers["Location"])
    key = browser.client.session.session_key
    returned = browser.logto.open(fill_in(browser, tabs[1]).url).headers["Location"]
    assert returned == "http://testserver/sign-in"
    assert browser.open(returned)["Location"] == "/"
    assert browser.client.session.session_key == key, "the session is that of the first tab"


def test_signed_out_browser_starts_anew_by_unknown_session_url(browser: Browser, logto: Emulator) -> None:
    logto.tenant.sign_in_experience.unknown_session_redirect_url = "http://testserver/sign-in"
    logto.tenant.add_user(username="reader")
    returned = browser.logto.open(f"{logto.endpoint}/sign-in").headers["Location"]
    callback = browser.logto.sign_in(browser.open(returned)["Location"], "reader")
    assert browser.open(callback)["Location"] == "/"


def test_callback_of_consumed_state_leads_signed_in_tab_to_its_page(
    browser: Browser, tabs: list[requests.Response]
) -> None:
    callback = fill_in(browser, tabs[0]).headers["Location"]
    browser.open(callback)
    assert browser.open(callback)["Location"] == "/books/2/"


# Late callbacks


@pytest.mark.parametrize(("hours", "code"), [(2, "state_expired"), (26, "state_expired"), (30, "state_unknown")])
def test_late_callback_shows_page_with_new_start(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, hours: int, code: str
) -> None:
    with freeze_time() as clock:
        callback = browser.logto.sign_in(browser.start("/account/claims"), "reader")
        clock.tick(hours * 3600)
        # Django's test client keeps expired cookies.
        if code == "state_unknown":
            browser.client.cookies.clear()
        response = witness.sees_refused(lambda: browser.open(callback), code, 400)
    assert 'href="/sign-in' in response.content.decode()


def test_late_callback_of_signed_in_user_leads_to_page(browser: Browser, logto: Emulator, reader: Any) -> None:
    with freeze_time() as clock:
        late = browser.logto.sign_in(browser.start("/account/claims"), "reader")
        clock.tick(2 * 3600)
        browser.sign_in("reader")
        assert query_of(late)["state"]
        assert browser.open(late)["Location"] == "/account/claims"
