"""The pages for API keys: who may open them, what they show, and what they say if something fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.test import Client, override_settings
from django.views.debug import ExceptionReporter

from logto_auth.audit.apps import connect_receivers, disconnect_receivers
from logto_auth.audit.models import AuditEvent
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.models import LogtoSession

from .site import API, PAGES, Owner, text_of

pytestmark = pytest.mark.django_db
ALL = ["", "new", "0" * 32]


def calls(logto: Emulator) -> list[str]:
    return [f"{each.method} {each.path}" for each in logto.requests.to("management_api")]


# Who may open them


@pytest.mark.parametrize("path", ALL)
def test_visitor_is_sent_to_the_sign_in(keys_site: Emulator, client: Client, path: str) -> None:
    url = urlsplit(client.get(f"{PAGES}{path}")["Location"])
    assert (url.path, parse_qs(url.query)) == ("/sign-in", {"next": [f"{PAGES}{path}"]})


@pytest.mark.parametrize("path", ALL)
def test_user_without_logto_session_has_no_keys(keys_site: Emulator, client: Client, path: str) -> None:
    client.force_login(get_user_model().objects.create_user("local"), "django.contrib.auth.backends.ModelBackend")
    for method in (client.get, client.post):
        response = method(f"{PAGES}{path}")
        assert response.status_code == 403
        assert "your account has no API keys here" in text_of(response)
    assert calls(keys_site) == []


@pytest.mark.parametrize("path", ALL)
def test_site_without_management_api_says_so(ada: Owner, path: str, settings: Any, caplog: Any) -> None:
    settings.LOGTO_M2M_APP_SECRET = ""
    response = ada.open(path)
    assert response.status_code == 404
    assert "API keys cannot be managed here" in text_of(response)
    assert "LOGTO_M2M_APP_SECRET" not in text_of(response)
    assert "LOGTO_M2M_APP_SECRET must be set" in caplog.text


def test_forms_of_other_sites_are_refused(ada: Owner, settings: Any) -> None:
    key = ada.has("laptop")
    client = Client(enforce_csrf_checks=True)
    client.cookies = ada.client.cookies
    for path, action in (("new", "create"), (key, "remove"), (key, "rename")):
        values = {"action": action, "name": "phone", "expires_at": "7"}
        assert client.post(f"{PAGES}{path}", values).status_code == 403
    assert set(ada.tokens) == {"laptop"}


def test_prefetch_calls_no_logto(ada: Owner) -> None:
    before = len(ada.logto.requests)
    assert ada.client.get(PAGES, headers={"Sec-Purpose": "prefetch"}).status_code == 403
    assert len(ada.logto.requests) == before


# The list


def test_list_shows_names_times_and_no_value(ada: Owner) -> None:
    assert "You have no API keys." in text_of(ada.open())
    ada.has("<b>laptop</b>")
    ada.has("old", expires_at=1)
    page = ada.open()
    text = text_of(page)
    assert "&lt;b&gt;laptop&lt;/b&gt;" in page.content.decode()
    assert "never expires" in text
    assert "Expired" in text
    assert "expired on Jan. 1, 1970" in text
    assert not any(token.value in page.content.decode() for token in ada.tokens.values())
    assert (page["Cache-Control"], page["X-Frame-Options"]) == ("no-store", "DENY")


@override_settings(USE_TZ=False, TIME_ZONE="Asia/Tokyo")
def test_times_are_local_without_time_zone_support(ada: Owner) -> None:
    # 20:00 UTC is the next day in Tokyo.
    ada.has("old", expires_at=20 * 3_600_000)
    assert "expired on Jan. 2, 1970" in text_of(ada.open())


def test_full_list_offers_no_new_key(ada: Owner, settings: Any) -> None:
    settings.LOGTO_API_KEYS_PER_USER = 1
    ada.has("laptop")
    page = ada.open()
    assert "You can have 1 API key." in text_of(page)
    assert f'href="{PAGES}new"' not in page.content.decode()
    posted = ada.post("new", "create", name="phone", expires_at="7")
    assert (posted.status_code, "as many API keys as this site allows" in text_of(posted)) == (409, True)


def test_account_pages_link_to_the_list(ada: Owner) -> None:
    link = f'href="{PAGES}">API keys</a>'
    assert link in ada.client.get("/account/").content.decode()
    assert f'href="{PAGES}" aria-current="page">API keys</a>' in ada.open().content.decode()


@override_settings(ROOT_URLCONF="tests.api_keys.urls_alone")
def test_pages_alone_have_no_navigation(ada: Owner) -> None:
    page = ada.client.get("/api-keys/")
    assert page.status_code == 200
    assert "<nav" not in page.content.decode()


# A new key


def test_value_is_shown_once(ada: Owner, signals: list[dict[str, Any]]) -> None:
    page = ada.post("new", "create", name="laptop", expires_at="30")
    token = ada.tokens["laptop"]
    assert page.status_code == 200
    assert page["Cache-Control"] == "no-store"
    assert token.value in page.content.decode()
    assert round((token.expires_at - token.created_at) / 86_400_000) == 30
    assert token.value not in ada.open().content.decode()
    assert token.value not in str(ada.client.session.items())
    assert [each["action"] for each in signals] == ["created"]


def broken(request: Any) -> dict[str, Any]:
    """A context processor of a site with a mistake."""
    if request.method == "POST":
        raise RuntimeError("The template fails.")
    return {}


def test_error_report_has_no_value(ada: Owner, settings: Any) -> None:
    processors = [*settings.TEMPLATES[0]["OPTIONS"]["context_processors"], f"{__name__}.broken"]
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "OPTIONS": {"context_processors": processors}}]
    with pytest.raises(RuntimeError) as raised:
        ada.post("new", "create", name="laptop", expires_at="7")
    for debug in (True, False):
        settings.DEBUG = debug
        report = ExceptionReporter(ada.request, raised.type, raised.value, raised.tb)
        for text in (report.get_traceback_text(), report.get_traceback_html()):
            assert ada.tokens["laptop"].value not in text


def test_button_that_is_pressed_twice_makes_one_key(ada: Owner, signals: list[dict[str, Any]]) -> None:
    form = {"name": "laptop", "expires_at": "7", "form_id": ada.open("new").context["form"]["form_id"].value()}
    pages = [ada.post("new", "create", **form) for _ in range(2)]
    assert [ada.tokens["laptop"].value in page.content.decode() for page in pages] == [True, True]
    assert len(signals) == 1
    bob = Owner(ada.logto, "bob")
    bob.prove()
    assert ada.tokens["laptop"].value not in bob.post("new", "create", **form).content.decode()
    ada.post(ada.open().context["keys"][0][0].id, "remove")
    assert ada.post("new", "create", **form).status_code == 200
    # A new form that is sent again shows nothing.
    assert ada.post("new", "create", name="laptop", expires_at="7").status_code == 409


def test_lifetimes_are_those_that_the_site_allows(ada: Owner, settings: Any) -> None:
    def choices() -> list[str]:
        return [value for value, _label in ada.open("new").context["form"].fields["expires_at"].choices]

    assert choices() == ["7", "30", "90", "180", "365"]
    settings.LOGTO_API_KEY_MAX_DAYS = 60
    assert choices() == ["7", "30", "60"]
    assert ada.post("new", "create", name="laptop", expires_at="90").context["form"].errors
    settings.LOGTO_API_KEY_MAX_DAYS = None
    assert choices() == ["7", "30", "90", "180", "365", ""]
    assert ada.post("new", "create", name="laptop", expires_at="").status_code == 200
    assert ada.tokens["laptop"].expires_at is None


@pytest.mark.parametrize(
    ("name", "status", "text"),
    [
        ("", 200, "This field is required."),
        ("n" * 129, 200, "at most 128 characters"),
        ("\N{KEY}" * 100, 400, "Enter at most 128 characters."),
        ("\u200b", 400, "Enter a name."),
        ("taken", 409, "You already have an API key with this name."),
    ],
)
def test_wrong_name_is_shown_beside_the_field(ada: Owner, name: str, status: int, text: str) -> None:
    ada.has("taken")
    page = ada.post("new", "create", name=name, expires_at="7")
    assert page.status_code == status
    assert text in str(page.context["form"].errors["name"])
    assert set(ada.tokens) == {"taken"}


def test_unproved_user_confirms_and_comes_back(keys_site: Emulator) -> None:
    owner = Owner(keys_site)
    for response in (owner.open("new"), owner.post("new", "create", name="laptop", expires_at="7")):
        assert response["Location"] == f"/account/verify?next={PAGES}new"
    assert owner.tokens == {}
    assert owner.open().status_code == 200
    answer = owner.client.post(
        f"/account/verify?next={PAGES}new", {"action": "password", "password": "reader-password-1"}
    )
    assert answer["Location"] == f"{PAGES}new"
    assert owner.open("new").status_code == 200


def test_script_gets_the_url_of_the_verification(keys_site: Emulator) -> None:
    response = Owner(keys_site).client.get(f"{PAGES}new", headers={"Accept": "application/json"})
    assert response.status_code == 401
    assert response.json()["sign_in_url"] == f"http://testserver/account/verify?next={PAGES}new"


def test_user_without_password_and_address_signs_in_again(keys_site: Emulator) -> None:
    user = keys_site.tenant.users["ada000000001"]
    owner = Owner(keys_site)
    user.password_digest = user.password = None
    user.primary_email = None
    location = owner.open("new")["Location"]
    assert location.startswith(f"{keys_site.endpoint}/oidc/auth?")
    assert parse_qs(urlsplit(location).query)["max_age"] == ["300"]


@override_settings(ROOT_URLCONF="tests.api_keys.urls_alone")
def test_site_without_account_pages_asks_for_a_sign_in(keys_site: Emulator) -> None:
    owner = Owner(keys_site)
    location = owner.client.get("/api-keys/new")["Location"]
    assert parse_qs(urlsplit(location).query)["max_age"] == ["300"]
    posted = owner.client.post("/api-keys/new", {"action": "create", "name": "laptop", "expires_at": "7"})
    assert posted["Location"] == "/api-keys/new"
    owner.browser.sign_in(max_age="300")
    assert owner.client.get("/api-keys/new").status_code == 200


# One key


def test_key_is_renamed(ada: Owner) -> None:
    key = ada.has("laptop")
    assert 'value="laptop"' in ada.open(key).content.decode()
    ada.has("taken")
    taken = ada.post(key, "rename", name="taken")
    assert (taken.status_code, "already have an API key" in text_of(taken)) == (409, True)
    assert "The API key has been renamed." in text_of(ada.client.get(ada.post(key, "rename", name="phone")["Location"]))
    assert set(ada.tokens) == {"phone", "taken"}


def test_key_is_revoked_also_twice(ada: Owner) -> None:
    key = ada.has("laptop")
    for _ in range(2):
        page = ada.client.get(ada.post(key, "remove")["Location"])
        assert "The API key has been revoked." in text_of(page)
    assert ada.tokens == {}
    for response in (ada.open(key), ada.post(key, "rename", name="phone")):
        assert response.status_code == 404
        assert "There is no such API key." in text_of(response)
        assert f'href="{PAGES}"' in response.content.decode()


def test_revoked_key_stops_working_at_once(ada: Owner, settings: Any) -> None:
    settings.LOGTO_API_SCOPES = ["read:books"]
    ada.logto.tenant.applications[settings.LOGTO_APP_ID].allow_token_exchange = True
    ada.logto.tenant.add_role("reader", scopes={API: ["read:books"]})
    ada.logto.tenant.users[ada.sub].roles.append("reader")
    ada.post("new", "create", name="laptop", expires_at="7")
    headers = {"Authorization": f"Bearer {ada.tokens['laptop'].value}"}
    client = Client(headers=headers)
    assert [client.get("/api/books").content for _ in range(2)] == [b"Books of ada"] * 2
    key = ada.open().context["keys"][0][0]
    ada.post(key.id, "remove")
    assert client.get("/api/books").status_code == 401


def test_unknown_action_changes_nothing(ada: Owner) -> None:
    key = ada.has("laptop")
    assert ada.post(key, "unknown")["Location"] == f"{PAGES}{key}"
    assert set(ada.tokens) == {"laptop"}


# Failures of Logto


def test_list_says_that_logto_is_down(ada: Owner) -> None:
    ada.open()
    ada.logto.faults.http["management_api"] = HttpFault(drop=True)
    response = ada.open()
    assert response.status_code == 503
    assert "Logto does not respond." in text_of(response)


def test_form_stays_if_logto_fails(ada: Owner) -> None:
    ada.open()
    ada.logto.faults.http["management_api"] = HttpFault(status=500, body="{}", only="POST .*personal-access-tokens")
    response = ada.post("new", "create", name="laptop", expires_at="7")
    assert response.status_code == 502
    assert "it is not certain that your change was saved" in text_of(response)
    assert 'value="laptop"' in response.content.decode()


def test_user_suspended_at_logto_is_signed_out(ada: Owner) -> None:
    ada.logto.tenant.users[ada.sub].is_suspended = True
    response = ada.post("new", "create", name="laptop", expires_at="7")
    assert response.status_code in (302, 401)
    assert ada.tokens == {}
    assert not LogtoSession.objects.exists()


# The audit trail


@pytest.fixture
def trail() -> Iterator[None]:
    connect_receivers()
    yield
    disconnect_receivers()


@pytest.mark.usefixtures("trail")
def test_changes_are_audited_without_names(ada: Owner) -> None:
    ada.post("new", "create", name="laptop of Ada", expires_at="7")
    (key,) = [each.id for each in ada.open().context["keys"][0][:1]]
    ada.post(key, "rename", name="phone of Ada")
    ada.post(key, "remove")
    events = AuditEvent.objects.filter(action__startswith="api_key_").order_by("pk")
    assert [(each.action, each.details) for each in events] == [
        ("api_key_created", {"key": key}),
        ("api_key_renamed", {"key": key}),
        ("api_key_revoked", {"key": key}),
    ]
    assert {(each.actor_sub, each.user_sub, each.user_id == each.actor_id) for each in events} == {
        (ada.sub, ada.sub, True)
    }
