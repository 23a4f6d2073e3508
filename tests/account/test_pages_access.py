"""Who may open the account pages, and what they show if something fails."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.core.cache.backends.locmem import LocMemCache
from django.test import Client
from django.urls import include, path

from logto_auth.account.identifiers import EmailPage
from logto_auth.account.page import AccountPage
from logto_auth.account.profile import ProfilePage
from logto_auth.emulator import HttpFault
from logto_auth.models import LogtoSession

from .conftest import SCOPES, Reader, text_of
from .urls import home

pytestmark = pytest.mark.django_db
PAGES = ["", "username", "email", "phone", "password", "linked"]


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> str:
    """Return the path of each page below `account/`."""
    return str(request.param)


def test_visitor_is_sent_to_the_sign_in(account_site: Any, client: Client, page: str) -> None:
    url = urlsplit(client.get(f"/account/{page}")["Location"])
    assert (url.path, parse_qs(url.query)) == ("/sign-in", {"next": [f"/account/{page}"]})


def test_script_gets_the_url_of_the_sign_in(account_site: Any, client: Client, page: str) -> None:
    response = client.get(f"/account/{page}", headers={"Accept": "application/json"})
    assert response.status_code == 401
    assert "sign_in_url" in json.loads(response.content)


def test_user_without_logto_session_is_told_so(account_site: Any, client: Client, page: str) -> None:
    client.force_login(get_user_model().objects.create_user("local"), "django.contrib.auth.backends.ModelBackend")
    for method in (client.get, client.post):
        response = method(f"/account/{page}")
        assert response.status_code == 403
        assert "Logto does not manage this account" in text_of(response)
    assert not [request for request in account_site.requests if request.path.startswith("/api")]


def test_pages_are_not_cached_or_framed(reader: Reader, page: str) -> None:
    reader.verify()
    for response in (reader.get(page), reader.post(page, "unknown"), Client().get(f"/account/{page}")):
        assert response["Cache-Control"] == "no-store"
        assert response["X-Frame-Options"] == "DENY"


def test_forms_of_other_sites_are_refused(reader: Reader, page: str, settings: Any) -> None:
    # The pages protect themselves on a site without the middleware, too.
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "Csrf" not in each]
    reader.verify()
    client = Client(enforce_csrf_checks=True)
    client.cookies = reader.client.cookies
    for action in ("about", "save", "send", "remove", "unlink"):
        assert client.post(f"/account/{page}", {"action": action, "name": "Eve", "username": "eve"}).status_code == 403
    assert (reader.user.name, reader.user.username) == ("Ada Reader", "reader")
    assert reader.user.primary_email == "reader@example.com"


def test_prefetch_calls_no_logto(reader: Reader, page: str) -> None:
    before = len(reader.logto.requests)
    response = reader.client.get(f"/account/{page}", headers={"Sec-Purpose": "prefetch"})
    assert response.status_code == 403
    assert len(reader.logto.requests) == before


def test_account_center_that_is_off_is_explained(reader: Reader, page: str, caplog: Any) -> None:
    reader.logto.tenant.account_center["enabled"] = False
    response = reader.get(page)
    assert response.status_code == 403
    assert "This site does not offer account settings at the moment." in text_of(response)
    assert "Console" not in text_of(response)
    assert "Switch it on in Logto" in caplog.text
    assert caplog.text.count("The account center of Logto is off.") == 1
    get_user_model().objects.update(is_staff=True)
    assert "Switch it on in Logto" in text_of(reader.get(page))


@pytest.mark.parametrize(
    ("fault", "status"),
    [(HttpFault(drop=True), 503), (HttpFault(status=500, body="<h1>"), 502), (HttpFault(body="[]"), 502)],
)
def test_logto_that_fails_is_explained(reader: Reader, fault: HttpFault, status: int, page: str) -> None:
    reader.verify()
    reader.logto.faults.http["account_api"] = HttpFault(**vars(fault))
    response = reader.get(page)
    assert response.status_code == status
    assert "Your account settings cannot be loaded" in text_of(response)
    assert "Try again" in text_of(response)


def test_session_that_has_ended_at_logto_ends_here(reader: Reader) -> None:
    reader.logto.instances.access_tokens.clear()
    reader.logto.instances.refresh_tokens.clear()
    url = urlsplit(reader.get("")["Location"])
    assert (url.path, parse_qs(url.query)) == ("/sign-in", {"next": ["/account/"]})
    assert not LogtoSession.objects.exists()


def test_form_of_session_that_has_ended_at_logto_is_not_processed(reader: Reader) -> None:
    reader.logto.instances.access_tokens.clear()
    reader.logto.instances.refresh_tokens.clear()
    response = reader.post("", "about", name="Eve", **{"initial-name": "Ada Reader"})
    assert response.status_code == 401
    assert "Your session has ended" in text_of(response)
    assert reader.user.name == "Ada Reader"


def test_access_token_that_has_expired_is_refreshed(reader: Reader) -> None:
    reader.logto.instances.access_tokens.clear()
    assert reader.get("").status_code == 200


def test_suspended_user_is_signed_out(reader: Reader) -> None:
    reader.user.is_suspended = True
    assert urlsplit(reader.get("")["Location"]).path == "/sign-in"
    assert not LogtoSession.objects.exists()


def test_script_gets_the_url_of_the_verification(reader: Reader) -> None:
    response = reader.client.get("/account/email", headers={"Accept": "application/json"})
    assert response.status_code == 401
    assert "/account/verify?next=" in json.loads(response.content)["sign_in_url"]


def test_scopes_that_logto_does_not_give_are_named(reader_of: Any, settings: Any, caplog: Any) -> None:
    settings.LOGTO_SCOPES = [scope for scope in SCOPES if scope != "identities"]
    reader = reader_of()
    response = reader.client.get("/account/linked?scopes_requested=1")
    assert response.status_code == 403
    assert "Logto did not give this site access" in text_of(response)
    assert "identities" not in text_of(response)
    assert "LOGTO_SCOPES" in caplog.text
    get_user_model().objects.update(is_staff=True)
    assert "identities" in text_of(reader.client.get("/account/linked?scopes_requested=1"))


def test_form_without_scope_is_not_repeated(reader_of: Any, settings: Any) -> None:
    settings.LOGTO_SCOPES = [scope for scope in SCOPES if scope != "identities"]
    reader = reader_of()
    assert reader.post("linked", "unlink", target="x").status_code == 403


def test_unknown_action_leads_to_the_page(reader: Reader, page: str) -> None:
    assert reader.post(page, "no-such-action")["Location"] == f"/account/{page}"


def test_pages_without_the_messages_of_django(reader: Reader, settings: Any) -> None:
    settings.INSTALLED_APPS = [each for each in settings.INSTALLED_APPS if each != "django.contrib.messages"]
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "messages" not in each]
    processors = settings.TEMPLATES[0]["OPTIONS"]["context_processors"]
    options = {"context_processors": [each for each in processors if "messages" not in each]}
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "OPTIONS": options}]
    response = reader.post("", "about", name="Ada", **{"initial-name": "Ada Reader"})
    assert response["Location"] == "/account/?done=profile-saved"
    assert "Your profile has been saved." in text_of(reader.client.get(response["Location"]))
    assert "markup" not in text_of(reader.client.get("/account/?done=<b>markup"))


def test_site_with_some_of_the_pages(reader: Reader, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.account.test_pages_access"
    page = reader.get("").content.decode()
    assert "/account/email" in page
    assert "/account/phone" not in page
    assert "/account/linked" not in page


def test_change_is_done_although_the_claims_cannot_be_fetched(reader: Reader) -> None:
    reader.logto.faults.http["token"] = HttpFault(status=503)
    response = reader.post("", "about", name="Ada", **{"initial-name": "Ada Reader"})
    assert response.status_code == 302
    assert reader.user.name == "Ada"
    assert reader.client.get("/").wsgi_request.user.is_authenticated


def test_broken_cache_fails_no_page(reader: Reader, settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "tests.account.test_pages_access.BrokenCache"}}
    assert reader.get("linked").status_code == 200


def test_user_model_need_not_know_staff() -> None:
    page = AccountPage()
    page.request = SimpleNamespace(user=SimpleNamespace())
    assert not page.is_for_staff


class BrokenCache(LocMemCache):
    """A cache whose server does not respond."""

    def get(self, *args: Any, **kwargs: Any) -> Any:
        raise ConnectionError("The cache is down.")

    set = get


account_urls = (
    [
        path("", ProfilePage.as_view(), name="profile"),
        path("email", EmailPage.as_view(), name="email"),
    ],
    "logto_account",
)
urlpatterns = [path("", include("logto_auth.urls")), path("account/", include(account_urls)), path("", home)]
