"""Sessions that code of the site has begun with `login()`: Logto confirms them within one period of freshness."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model, login
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from logto_auth.backends import LogtoBackend
from logto_auth.clients import reset_clients
from logto_auth.emulator import Emulator, HttpFault, VisitFailed
from logto_auth.models import LogtoIdentity, LogtoSession
from logto_auth.signals import session_ended
from logto_auth.testing import Browser
from tests.ageing import age
from tests.support import row_of

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
User = get_user_model()

LOGTO = "logto_auth.backends.LogtoBackend"
PASSWORDS = "django.contrib.auth.backends.ModelBackend"


class OwnBackend(LogtoBackend):
    """A backend of a site."""


def who(request: HttpRequest, file: str = "") -> HttpResponse:
    return HttpResponse(request.user.get_username() or "nobody")


def log_in(request: HttpRequest, username: str) -> HttpResponse:
    """Sign in another user without Logto, as a site's own page for support staff does."""
    login(request, User.objects.get(username=username), backend=LOGTO)
    return who(request)


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("", who),
    path("log-in/<str:username>", log_in),
    path("files/<path:file>", who),
]


@pytest.fixture
def reader(browser: Browser, logto: Emulator) -> Browser:
    """A browser of a user who has an identity, at Logto and here."""
    logto.tenant.add_user(username="reader", id="reader000001")
    browser.sign_in("reader")
    logto.requests.clear()
    return browser


def name(browser: Browser) -> str:
    return browser.client.get("/").content.decode()


def confirm(browser: Browser) -> HttpResponse:
    """Open a page, and let Logto answer its silent sign-in. Return the response of the callback."""
    response: HttpResponse = browser.open(browser.logto.sign_in(browser.client.get("/")["Location"]))
    return response


def begin_unconfirmed(browser: Browser, username: str = "reader", backend: str = LOGTO) -> None:
    browser.client.logout()
    browser.client.force_login(User.objects.get(username=username), backend=backend)


def test_forced_login_works_without_logto(reader: Browser, logto: Emulator, django_assert_num_queries: Any) -> None:
    begin_unconfirmed(reader)
    with django_assert_num_queries(2):
        assert name(reader) == "reader"
    assert not reader.client.get("/").wsgi_request.logto.is_authenticated
    assert len(logto.requests) == 0


@pytest.mark.parametrize("backend", [LOGTO, f"{__name__}.OwnBackend"])
def test_unconfirmed_session_is_confirmed_in_silence(
    reader: Browser, logto: Emulator, settings: Any, backend: str
) -> None:
    settings.AUTHENTICATION_BACKENDS = [backend, PASSWORDS]
    begin_unconfirmed(reader, backend=backend)
    age(reader)
    to_logto = reader.client.get("/?page=2")["Location"]
    assert "prompt=none" in to_logto
    assert reader.open(reader.logto.sign_in(to_logto))["Location"] == "/?page=2"
    assert name(reader) == "reader"
    assert row_of(reader).identity.sub == "reader000001"
    assert reader.client.get("/").wsgi_request.logto.sub == "reader000001"


def test_freshness_of_unconfirmed_session_follows_setting(reader: Browser, settings: Any) -> None:
    settings.LOGTO_FRESHNESS_SECONDS = 60
    begin_unconfirmed(reader)
    age(reader, 59)
    assert name(reader) == "reader"
    age(reader, 2)
    assert reader.client.get("/").status_code == 302


def test_session_that_no_signal_announced_is_fresh_from_first_request(reader: Browser) -> None:
    begin_unconfirmed(reader)
    session = reader.client.session
    del session["_logto_fresh_until"]
    session.save()
    assert name(reader) == "reader"
    assert reader.client.session["_logto_fresh_until"] == pytest.approx(time.time() + 3600, abs=5)


@pytest.mark.parametrize("url", ["/files/../sign-in", "/files/%2E%2E/callback", "/files//../../sign-out"])
def test_url_that_resembles_sign_in_needs_confirmation(reader: Browser, url: str) -> None:
    begin_unconfirmed(reader)
    age(reader)
    assert "prompt=none" in reader.client.get(url)["Location"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_script_with_unconfirmed_session_gets_401(reader: Browser, method: str) -> None:
    begin_unconfirmed(reader)
    age(reader)
    response = getattr(reader.client, method)("/", headers={"Sec-Fetch-Mode": "cors"})
    assert response.status_code == 401
    age(reader, -3600)
    assert name(reader) == "reader", "the session goes on"


@pytest.mark.parametrize("has_identity", [False, True])
def test_another_user_at_logto_ends_unconfirmed_session(reader: Browser, logto: Emulator, has_identity: bool) -> None:
    ended: list[str] = []

    def note(user: Any, **kwargs: object) -> None:
        ended.append(user.get_username())

    logto.tenant.add_user(username="mallory", id="mallory00001")
    other = Browser(logto)
    if has_identity:
        other.sign_in("mallory")
    session_ended.connect(note)
    begin_unconfirmed(reader)
    age(reader)
    reader.logto = Browser(logto).logto
    assert reader.open(reader.logto.sign_in(reader.start(), "mallory")).status_code == 302
    begin_unconfirmed(reader)
    age(reader)
    assert confirm(reader)["Location"] == "/"
    session_ended.disconnect(note)
    assert name(reader) == "nobody"
    assert ended == ["reader"]


def test_stranger_at_logto_gets_no_account_by_confirmation(reader: Browser, logto: Emulator) -> None:
    logto.tenant.add_user(username="stranger")
    begin_unconfirmed(reader)
    age(reader)
    to_logto = reader.client.get("/")["Location"]
    stranger = Browser(logto)
    # As if the browser were signed in at Logto as a user whom this site does not know.
    stranger.logto.sign_in(stranger.start(), "stranger")
    reader.logto = stranger.logto
    reader.open(reader.logto.sign_in(to_logto))
    assert name(reader) == "nobody"
    assert not User.objects.filter(username="stranger").exists()


def test_user_without_identity_cannot_be_confirmed(reader: Browser) -> None:
    User.objects.create_user("local")
    begin_unconfirmed(reader, "local")
    assert name(reader) == "local"
    age(reader)
    confirm(reader)
    assert name(reader) == "nobody"


def test_user_signed_out_at_logto_ends_unconfirmed_session(reader: Browser) -> None:
    begin_unconfirmed(reader)
    reader.logto.session.cookies.clear()
    age(reader)
    confirm(reader)
    assert name(reader) == "nobody"


@pytest.mark.parametrize("reason", ["inactive", "deleted", "backend"])
def test_unconfirmed_session_of_refused_user_ends(reader: Browser, settings: Any, reason: str) -> None:
    begin_unconfirmed(reader)
    age(reader)
    if reason == "inactive":
        User.objects.update(is_active=False)
    elif reason == "deleted":
        User.objects.all().delete()
    else:
        settings.AUTHENTICATION_BACKENDS = [PASSWORDS]
    confirm(reader)
    assert name(reader) == "nobody"
    assert "_auth_user_id" not in reader.client.session


def test_unreachable_logto_ends_unconfirmed_session(reader: Browser, logto: Emulator) -> None:
    begin_unconfirmed(reader)
    age(reader)
    reset_clients()
    logto.faults.http["discovery"] = HttpFault(drop=True)
    assert name(reader) == "nobody"


@pytest.mark.parametrize("seconds", [0, 10_000_000])
def test_session_of_another_backend_is_left_alone(reader: Browser, seconds: int) -> None:
    begin_unconfirmed(reader, backend=PASSWORDS)
    age(reader, seconds)
    assert name(reader) == "reader"
    assert set(reader.client.session.keys()) == {"_auth_user_id", "_auth_user_backend", "_auth_user_hash"}


def test_changing_accounts_does_not_prolong_freshness(reader: Browser, logto: Emulator) -> None:
    for username in ("customer", "other"):
        User.objects.create_user(username)
    age(reader, 3000)
    for _ in range(3):
        for username in ("customer", "other"):
            assert reader.client.get(f"/log-in/{username}").content.decode() == username
    assert reader.client.session["_logto_fresh_until"] == pytest.approx(time.time() + 600, abs=10)


def test_sign_out_of_unconfirmed_session_ends_logtos(reader: Browser, logto: Emulator) -> None:
    begin_unconfirmed(reader)
    age(reader)
    assert reader.sign_out().startswith("http://testserver/")
    assert name(reader) == "nobody"
    with pytest.raises(VisitFailed, match="asks for a sign-in"):
        reader.sign_in()


# A session with a row is confirmed in silence, too, if it has no refresh token


@pytest.fixture
def without_refresh_token(settings: Any) -> None:
    settings.LOGTO_SCOPES = ("openid", "profile")


@pytest.mark.usefixtures("without_refresh_token")
class TestConfirmationOfRow:
    def test_another_user_at_logto_ends_session(self, reader: Browser, logto: Emulator) -> None:
        logto.tenant.add_user(username="mallory")
        mallory = Browser(logto)
        mallory.sign_in("mallory")
        age(reader)
        to_logto = reader.client.get("/")["Location"]
        reader.logto = mallory.logto
        reader.open(reader.logto.sign_in(to_logto))
        assert name(reader) == "nobody"
        assert [row.user.get_username() for row in LogtoSession.objects.all()] == ["mallory"]

    def test_another_identity_of_the_account_ends_session(self, reader: Browser, logto: Emulator) -> None:
        logto.tenant.add_user(username="second")
        second = Browser(logto)
        second.sign_in("second")
        LogtoIdentity.objects.update(user=User.objects.get(username="reader"))
        age(reader)
        to_logto = reader.client.get("/")["Location"]
        reader.logto = second.logto
        reader.open(reader.logto.sign_in(to_logto))
        assert name(reader) == "nobody"

    def test_user_whom_the_site_refuses_is_signed_out(self, reader: Browser, settings: Any) -> None:
        settings.LOGTO_USER_FIELDS = "tests.support.refuse_everyone"
        age(reader)
        assert confirm(reader)["Location"] == "/"
        assert name(reader) == "nobody"

    def test_page_is_shown_after_confirmation_with_zero_freshness(self, reader: Browser, settings: Any) -> None:
        settings.LOGTO_FRESHNESS_SECONDS = 0
        age(reader)
        confirm(reader)
        assert name(reader) == "reader"
        age(reader, 11)
        assert "prompt=none" in reader.client.get("/")["Location"]

    def test_session_of_inactive_user_ends(self, reader: Browser) -> None:
        age(reader)
        User.objects.update(is_active=False)
        confirm(reader)
        assert name(reader) == "nobody"

    @pytest.mark.parametrize("end", ["sign-out", "sign-in"])
    def test_late_confirmation_changes_nothing(self, reader: Browser, logto: Emulator, end: str) -> None:
        age(reader)
        callback = reader.logto.sign_in(reader.client.get("/?page=2")["Location"])
        # Meanwhile, in another tab:
        if end == "sign-out":
            reader.client.post("/sign-out")
        else:
            logto.tenant.add_user(username="second")
            Browser(logto, reader.client).sign_in("second", prompt="login")
        before = name(reader)
        assert before == ("nobody" if end == "sign-out" else "second")
        assert reader.open(callback)["Location"] == "/?page=2"
        assert name(reader) == before

    def test_chosen_organization_outlives_confirmation(self, reader: Browser) -> None:
        LogtoSession.objects.update(chosen_organization="harbour00001")
        age(reader)
        confirm(reader)
        assert row_of(reader).chosen_organization == "harbour00001"


# A sign-out while the site exchanges the code of a confirmation


def sign_out_in_other_tab(reader: Browser) -> None:
    other_tab = Client()
    other_tab.cookies.update(reader.client.cookies)
    other_tab.post("/sign-out")


def end_sessions(reader: Browser) -> None:
    LogtoSession.objects.filter(user__username="reader").end()


def do_when_tokens_are_issued(logto: Emulator, act: Callable[[Browser], None], reader: Browser) -> None:
    def act_and_pass_on(claims: dict[str, Any]) -> dict[str, Any]:
        act(reader)
        connections.close_all()  # those of the emulator's thread
        return claims

    logto.faults.id_token_claims = act_and_pass_on


@pytest.mark.django_db(transaction=True)
def test_sign_out_during_confirmation_remains(reader: Browser, logto: Emulator) -> None:
    begin_unconfirmed(reader)
    age(reader)
    callback = reader.logto.sign_in(reader.client.get("/?page=2")["Location"])
    do_when_tokens_are_issued(logto, sign_out_in_other_tab, reader)
    assert reader.open(callback)["Location"] == "/?page=2"
    assert name(reader) == "nobody"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("without_refresh_token")
@pytest.mark.parametrize("end", [sign_out_in_other_tab, end_sessions])
def test_end_of_row_during_confirmation_remains(
    reader: Browser, logto: Emulator, end: Callable[[Browser], None]
) -> None:
    age(reader)
    callback = reader.logto.sign_in(reader.client.get("/?page=2")["Location"])
    do_when_tokens_are_issued(logto, end, reader)
    assert reader.open(callback)["Location"] == "/?page=2"
    assert name(reader) == "nobody"
    assert not LogtoSession.objects.exists()
