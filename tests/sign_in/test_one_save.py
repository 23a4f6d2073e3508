"""A new session is saved once at a sign-in, if no code of the site could need its key before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.urls import include, path

from logto_auth.emulator import Emulator
from logto_auth.signals import signed_in
from logto_auth.testing import Browser
from logto_auth.views import CallbackView
from tests.support import row_of

pytestmark = pytest.mark.django_db
ONE_SAVE = ["INSERT"]

# The keys of the session that code of the site has seen after `login()`.
seen: list[Any] = []


class SessionStore(DatabaseSessionStore):
    """The session engine of a site. Its module is not one of Django's."""

    def cycle_key(self) -> None:
        super().cycle_key()
        seen.append(self.session_key)


def middleware_of_site(get_response: Any) -> Any:
    def middleware(request: Any) -> Any:
        response = get_response(request)
        if request.user.is_authenticated:
            seen.append(request.session.session_key)
        return response

    return middleware


class CallbackOfSite(CallbackView):
    def sign_in(self, request: Any, *args: Any) -> None:
        super().sign_in(request, *args)
        seen.append(request.session.session_key)


def see_key(sender: object, request: Any, **kwargs: Any) -> None:
    seen.append(request.session.session_key)


urlpatterns = [
    path("callback", CallbackOfSite.as_view()),
    path("", include("bookstore.urls")),
]


@pytest.fixture
def reader(browser: Browser, logto: Emulator) -> Iterator[Browser]:
    """A browser whose user has an account already."""
    logto.tenant.add_user(username="reader")
    browser.sign_in("reader")
    browser.client.cookies.clear()
    seen.clear()
    yield browser
    seen.clear()


@pytest.fixture
def writes() -> Iterator[list[str]]:
    """The kinds of the statements that change Django's sessions."""
    kinds = []

    def look(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        kind = sql.partition(" ")[0]
        if kind != "SELECT" and "django_session" in sql:
            kinds.append(kind)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        yield kinds


def test_new_session_is_saved_once(reader: Browser, writes: list[str]) -> None:
    reader.sign_in("reader")
    assert writes == ONE_SAVE
    assert row_of(reader).user.username == "reader"


def test_cookie_of_missing_session_gets_another_key(reader: Browser, writes: list[str], settings: Any) -> None:
    planted = "a" * 32
    reader.client.cookies[settings.SESSION_COOKIE_NAME] = planted
    reader.sign_in("reader")
    assert writes == ONE_SAVE
    assert reader.client.session.session_key not in (None, planted)
    assert not Session.objects.filter(session_key=planted).exists()


def test_existing_session_gets_another_key(reader: Browser, writes: list[str]) -> None:
    session = reader.client.session
    session["basket"] = {"1": 2}
    session.save()
    writes.clear()
    reader.sign_in("reader")
    assert writes == ["INSERT", "DELETE", "UPDATE"]
    assert reader.client.session.session_key != session.session_key
    assert reader.client.session["basket"] == {"1": 2}


def use_receiver_of_login(settings: Any, request: Any) -> None:
    user_logged_in.connect(see_key)
    request.addfinalizer(lambda: user_logged_in.disconnect(see_key))


def use_receiver_of_sign_in(settings: Any, request: Any) -> None:
    signed_in.connect(see_key)
    request.addfinalizer(lambda: signed_in.disconnect(see_key))


def use_middleware(settings: Any, request: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.middleware_of_site"]


def use_engine(settings: Any, request: Any) -> None:
    settings.SESSION_ENGINE = __name__


def use_view(settings: Any, request: Any) -> None:
    settings.ROOT_URLCONF = __name__


@pytest.mark.parametrize(
    "use_code_of_site", [use_receiver_of_login, use_receiver_of_sign_in, use_middleware, use_engine, use_view]
)
def test_code_of_site_sees_key(
    use_code_of_site: Any, reader: Browser, logto: Emulator, settings: Any, request: Any, writes: list[str]
) -> None:
    use_code_of_site(settings, request)
    # A new one, because Django's test client loads the middleware once.
    browser = Browser(logto)
    assert browser.sign_in("reader").status_code == 302
    assert writes == ["INSERT", "UPDATE"]
    assert seen == [browser.client.session.session_key]
