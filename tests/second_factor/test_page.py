"""The page that asks for a second factor: where it leads, and what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.test import Client

from logto_auth.clients import reset_clients
from logto_auth.emulator import HttpFault
from tests.account.altering import Proxy, proxy_to
from tests.account.conftest import text_of
from tests.account.logto_calls import calls_of
from tests.support import query_of

from .conftest import PASSWORD, Guest, set_policy

pytestmark = pytest.mark.django_db

TO_VAULT = "/second-factor?next=/vault/"
ASKED = f"{TO_VAULT}&step=asked"
TEXT = "This page needs a second factor"


def code_of(page: Any) -> str:
    """Return the code of the page that says why the second factor is missing."""
    assert page.status_code == 403, page
    assert TEXT in text_of(page)
    found = re.search(r"<code>(\w+)</code>", page.text)
    assert found
    return found[1]


# The way to the page behind it


def test_second_factor_of_sign_in_is_enough(guest: Guest) -> None:
    guest.add_totp()
    guest.sign_in()
    assert guest.get("/vault/").content == b"the vault"


def test_user_signs_in_again_with_second_factor(guest: Guest) -> None:
    guest.sign_in()
    guest.add_totp()
    assert guest.get("/vault/")["Location"] == TO_VAULT
    url = guest.go("/vault/")
    assert query_of(url)["prompt"] == "login consent"
    response = guest.travel("/vault/")
    assert response["Location"] == ASKED
    assert guest.get(ASKED)["Location"] == "/vault/"
    assert guest.get("/vault/").content == b"the vault"


def test_visitor_signs_in_once(guest: Guest) -> None:
    guest.add_totp()
    response = guest.travel(TO_VAULT)
    assert response["Location"] == ASKED
    assert guest.get(ASKED)["Location"] == "/vault/"


def test_visitor_signs_in_once_for_a_page_with_max_age(guest: Guest) -> None:
    guest.add_totp()
    response = guest.travel("/fresh-vault/")
    assert guest.get(guest.get(response["Location"])["Location"]).content == b"the vault, just opened"


def test_recent_sign_in_keeps_the_second_factor(guest: Guest) -> None:
    guest.add_totp()
    guest.sign_in()
    assert guest.travel("/desk/")["Location"] == "/desk/"
    assert guest.get("/desk/").content == b"the desk"
    assert guest.get("/vault/").content == b"the vault"


def test_visitor_without_a_session_is_not_sent_to_logto_again(guest: Guest) -> None:
    """The browser may not keep the cookie of the session."""
    assert guest.get(ASKED)["Location"] == f"/sign-in?next={TO_VAULT.replace('?', '%3F').replace('=', '%3D')}"


def test_time_of_second_factor_is_asked_for(guest: Guest) -> None:
    guest.add_totp()
    guest.sign_in()
    assert guest.get("/fresh-vault/")["Location"] == "/second-factor?max_age=300&next=/fresh-vault/"
    guest.logto.requests.clear()
    response = guest.travel("/fresh-vault/")
    assert calls_of(guest.logto) == []
    assert guest.get(response["Location"])["Location"] == "/fresh-vault/"
    assert guest.get("/fresh-vault/").content == b"the vault, just opened"


def test_user_who_returns_without_second_factor_sees_the_page(guest: Guest) -> None:
    guest.sign_in()
    guest.add_totp()
    set_skip(guest, True)
    response = guest.travel(f"{TO_VAULT}&step=again")
    assert response["Location"] == ASKED
    assert code_of(guest.get(ASKED)) == "turned_off"


def set_skip(guest: Guest, value: bool) -> None:
    guest.logto.tenant.update_user(guest.user.id, logto_configs={"mfa": {"skipMfaOnSignIn": value, "enabled": True}})


@pytest.mark.parametrize(
    "step", ["", "&step=asked", "&step=again", "&step=asked&step=x", "&step=&step=asked", "&step=%00"]
)
@pytest.mark.parametrize("is_signed_in", [True, False])
def test_one_opening_makes_one_redirect_at_most_before_logto(guest: Guest, step: str, is_signed_in: bool) -> None:
    if is_signed_in:
        guest.sign_in()
    response = guest.get(TO_VAULT + step)
    if response.status_code == 302:
        assert response["Location"].startswith((guest.logto.endpoint, "/sign-in?"))


@pytest.mark.parametrize("step", ["", "&step=asked"])
def test_page_leads_on_when_the_factor_is_there(guest: Guest, step: str) -> None:
    guest.add_totp()
    guest.sign_in()
    assert guest.get(TO_VAULT + step)["Location"] == "/vault/"


# Hostile requests


@pytest.mark.parametrize(
    "next_url", ["//evil.example", "https://evil.example/", "javascript:alert(1)", "/\\evil", "\x00"]
)
def test_hostile_next_is_replaced(guest: Guest, next_url: str) -> None:
    guest.add_totp()
    guest.sign_in()
    assert guest.client.get("/second-factor", {"next": next_url})["Location"] == "/"


@pytest.mark.parametrize("start_page", ["/second-factor", "logto_auth:second-factor", "/second-factor?max_age=300"])
def test_start_page_of_the_site_is_no_loop(guest: Guest, settings: Any, start_page: str) -> None:
    settings.LOGIN_REDIRECT_URL = start_page
    guest.add_totp()
    guest.sign_in(prompt="login consent")
    for url in ("/second-factor", "/second-factor?next=//evil.example"):
        assert guest.get(url)["Location"] == "/"
    assert guest.get(f"/second-factor?next={quote('/second-factor?next=/vault/')}")["Location"] != "/"


def test_hostile_next_is_not_sent_to_logto(guest: Guest) -> None:
    guest.sign_in()
    guest.add_totp()
    location = guest.client.get("/second-factor", {"next": "//evil.example", "step": "again"})["Location"]
    assert "evil" not in location
    callback = guest.browser.logto.sign_in(location, "reader", totp_secret=guest.secret)
    assert guest.browser.open(callback)["Location"] == "/second-factor?next=/&step=asked"


@pytest.mark.parametrize(
    "query",
    ["methods=Password", "methods=Totp+Password", "methods=%00", "max_age=-1", "max_age=soon", "max_age=9999999999"],
)
@pytest.mark.parametrize("is_signed_in", [True, False])
def test_invalid_requirement_is_refused(guest: Guest, query: str, is_signed_in: bool) -> None:
    if is_signed_in:
        guest.sign_in()
    response = guest.get(f"/second-factor?{query}")
    assert response.status_code == 400
    assert "invalid_option" in response.text


def test_weaker_query_gains_nothing(guest: Guest) -> None:
    guest.add_totp()
    guest.sign_in()
    assert guest.get("/second-factor?next=/passkey-vault/")["Location"] == "/passkey-vault/"
    assert guest.get("/passkey-vault/")["Location"] == "/second-factor?methods=WebAuthn&next=/passkey-vault/"
    assert code_of(guest.get("/second-factor?methods=WebAuthn&next=/passkey-vault/")) == "not_set_up"


def test_next_that_is_too_long_for_the_way_back_is_left_out(guest: Guest) -> None:
    guest.sign_in()
    guest.add_totp()
    response = guest.travel(f"/second-factor?next=/vault/{'x' * 1000}&step=again")
    assert response["Location"] == "/second-factor?step=asked"
    assert guest.get("/second-factor?step=asked")["Location"] == "/"


@pytest.mark.parametrize("header", ["Sec-Purpose", "Purpose", "X-Moz"])
@pytest.mark.parametrize("url", [TO_VAULT, ASKED, f"{TO_VAULT}&step=again"])
def test_prefetch_does_nothing(guest: Guest, header: str, url: str) -> None:
    guest.sign_in()
    guest.logto.requests.clear()
    response = guest.get(url, **{header: "prefetch"})
    assert (response.status_code, response.content) == (403, b"")
    assert list(guest.logto.requests) == []


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_other_methods_are_refused(guest: Guest, method: str) -> None:
    guest.sign_in()
    assert getattr(guest.client, method)(TO_VAULT).status_code == 405


def test_head_does_nothing(guest: Guest) -> None:
    guest.sign_in()
    guest.logto.requests.clear()
    response = guest.client.head(f"{TO_VAULT}&step=again")
    assert (response.status_code, response.content) == (200, b"")
    assert list(guest.logto.requests) == []


def test_image_starts_nothing(guest: Guest) -> None:
    guest.sign_in()
    guest.add_totp()
    response = guest.get(f"{TO_VAULT}&step=again", **{"Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors"})
    assert response.status_code == 403
    assert "not_a_navigation" in response.text


@pytest.mark.parametrize("step", ["", "&step=asked", "&step=again"])
def test_script_gets_the_url_of_the_page(guest: Guest, step: str) -> None:
    guest.sign_in()
    guest.logto.requests.clear()
    response = guest.get(TO_VAULT + step, Accept="application/json")
    assert response.status_code == 401
    assert response.json() == {"error": "second_factor_required", "sign_in_url": f"http://testserver{TO_VAULT}"}
    assert list(guest.logto.requests) == []


def test_turbo_gets_a_page_with_a_link(guest: Guest) -> None:
    guest.sign_in()
    guest.add_totp()
    response = guest.get(TO_VAULT, **{"X-Turbo-Request-Id": "1"})
    assert response.status_code == 200
    assert f'href="{TO_VAULT}&amp;step=again"' in response.text
    assert "turbo-visit-control" in response.text


@pytest.mark.parametrize("url", [TO_VAULT, ASKED])
def test_page_is_never_stored_or_framed(guest: Guest, url: str) -> None:
    guest.sign_in()
    page = guest.get(url)
    assert page.status_code == 403
    assert page["Cache-Control"] == "no-store"
    assert page["X-Frame-Options"] == "DENY"
    assert page["Referrer-Policy"] == "same-origin"


def test_texts_of_the_user_are_escaped(guest: Guest) -> None:
    guest.sign_in()
    get_user_model().objects.update(username="<img src=x>")
    assert "<img" not in guest.get(ASKED).text


# The reasons


def test_user_without_factor_is_led_to_its_set_up(guest: Guest) -> None:
    guest.sign_in()
    guest.logto.requests.clear()
    page = guest.get(TO_VAULT)
    assert code_of(page) == "not_set_up"
    assert 'href="/account/security?next=/second-factor%3Fnext%3D/vault/"' in page.text
    assert f'href="{TO_VAULT}&amp;step=again"' in page.text
    assert calls_of(guest.logto) == ["/api/my-account/mfa-verifications"]


def test_site_without_account_pages_leads_to_logto(guest: Guest, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.second_factor.urls_without_account_pages"
    guest.sign_in()
    page = guest.get(TO_VAULT)
    url = re.search(rf'href="({guest.logto.endpoint}/account/authenticator-app[^"]+)"', page.text)
    assert url
    redirect = query_of(url[1].replace("&amp;", "&"))["redirect"]
    assert query_of(redirect)["next"] == TO_VAULT
    page = guest.get("/second-factor?methods=WebAuthn")
    assert f'href="{guest.logto.endpoint}/account/passkey/add?' in page.text


@pytest.mark.parametrize("fields", [{"mfa": "ReadOnly"}, {"mfa": "Off"}])
@pytest.mark.parametrize("urls", ["urls", "urls_without_account_pages"])
def test_set_up_is_not_offered_where_logto_refuses_it(guest: Guest, settings: Any, fields: Any, urls: str) -> None:
    settings.ROOT_URLCONF = f"tests.second_factor.{urls}"
    guest.logto.tenant.enable_account_center(**fields)
    cache.clear()
    guest.sign_in()
    page = guest.get(ASKED)
    assert "Set up a second factor" not in text_of(page)
    # Without the field, Logto does not list the factors.
    assert ("You cannot change that here." in text_of(page)) is (fields["mfa"] == "ReadOnly")


def test_turned_off_factor_is_turned_on_again(guest: Guest) -> None:
    guest.sign_in()
    guest.add_totp()
    set_skip(guest, True)
    guest.logto.requests.clear()
    page = guest.get(TO_VAULT)
    assert code_of(page) == "turned_off"
    assert len(calls_of(guest.logto)) == 2
    url = "/account/security/at-sign-in?next=/second-factor%3Fnext%3D/vault/"
    assert f'href="{url}"' in page.text
    verify = guest.get(url)["Location"]
    response = guest.client.post(verify, {"action": "password", "password": PASSWORD})
    assert response["Location"] == url
    assert "Turn on" in text_of(guest.get(url))
    response = guest.client.post(url, {"action": "turn-on"})
    assert response["Location"] == "/account/security?next=/second-factor%3Fnext%3D/vault/"
    assert f'href="{TO_VAULT}"' in guest.get(response["Location"]).text
    response = guest.travel(TO_VAULT)
    assert guest.get(response["Location"])["Location"] == "/vault/"


def test_skipping_does_not_count_with_mandatory_policy(guest: Guest) -> None:
    guest.sign_in()
    guest.add_totp()
    set_policy(guest.logto, "Mandatory")
    set_skip(guest, True)
    assert urlsplit(guest.go(TO_VAULT)).path == "/oidc/auth"


def test_other_method_is_named(guest: Guest) -> None:
    guest.add_totp()
    guest.add_codes()
    guest.sign_in()
    url = "/second-factor?methods=BackupCode&next=/vault/"
    assert query_of(guest.go(url))["prompt"] == "login consent"
    page = guest.get(f"{url}&step=asked")
    assert code_of(page) == "other_method"
    assert "a backup code" in text_of(page)
    response = guest.travel(url, backup_code=guest.codes[0])
    assert guest.get(response["Location"])["Location"] == "/vault/"


def test_tenant_without_factors_is_the_operators_affair(guest: Guest, caplog: Any) -> None:
    set_policy(guest.logto, "NoPrompt", ())
    guest.sign_in()
    assert code_of(guest.get(TO_VAULT)) == "not_offered"
    assert "WARNING" in caplog.text


def test_adaptive_mfa_is_the_operators_affair(guest: Guest) -> None:
    guest.logto.tenant.sign_in_experience.settings["adaptiveMfa"] = {"enabled": True}
    guest.sign_in()
    assert code_of(guest.get(TO_VAULT)) == "adaptive"


def test_missing_script_is_reported_after_a_sign_in(guest: Guest, caplog: Any) -> None:
    del guest.logto.tenant.jwt_customizers["jwt.accessToken"]
    guest.add_totp()
    guest.sign_in()
    response = guest.travel("/vault/")
    caplog.clear()
    page = guest.get(response["Location"])
    assert code_of(page) == "methods_not_reported"
    (line,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "logto_setup" in line.getMessage()
    assert "logto_setup" not in page.text
    reference = re.search(r"reference (\w{8})", line.getMessage())
    assert reference
    assert reference[1] in page.text
    get_user_model().objects.update(is_staff=True)
    assert "logto_setup" in guest.get(response["Location"]).text


def test_sign_in_without_a_page_at_logto_is_not_the_operators_affair(guest: Guest, caplog: Any) -> None:
    del guest.logto.tenant.jwt_customizers["jwt.accessToken"]
    guest.sign_in()
    assert code_of(guest.get(ASKED)) == "methods_not_known"
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    assert urlsplit(guest.go(TO_VAULT)).path == "/oidc/auth"


def test_user_of_single_sign_on_is_told(guest: Guest) -> None:
    script = "const getCustomJwtClaims = async () => ({ authentication_methods: ['EnterpriseSso'] });"
    guest.logto.tenant.jwt_customizers["jwt.accessToken"] = {"script": script}
    guest.sign_in()
    guest.logto.requests.clear()
    assert code_of(guest.get(TO_VAULT)) == "single_sign_on"
    assert calls_of(guest.logto) == []


def test_user_without_logto_is_told(vault_site: Any, settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = [
        "logto_auth.backends.LogtoBackend",
        "django.contrib.auth.backends.ModelBackend",
    ]
    user = get_user_model().objects.create_user("local", password="secret")
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    page: Any = client.get(TO_VAULT)
    assert code_of(page) == "signed_in_without_logto"
    assert client.get(f"{TO_VAULT}&step=again")["Location"].startswith(vault_site.endpoint)


def test_impersonated_user_has_no_second_factor(guest: Guest, settings: Any) -> None:
    guest.add_totp()
    guest.sign_in()
    get_user_model().objects.create_user("other")
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.second_factor.urls_without_account_pages.act_as_other"]
    client = Client()
    client.cookies, guest.client = guest.client.cookies, client
    assert guest.get("/vault/")["Location"] == TO_VAULT
    assert code_of(guest.get(TO_VAULT)) == "signed_in_without_logto"


def test_suspended_user_is_sent_to_the_sign_in(guest: Guest) -> None:
    guest.add_totp()
    guest.sign_in()
    user = get_user_model().objects.get()
    user.is_active = False
    user.save()
    assert guest.get(ASKED)["Location"].startswith("/sign-in?next=/second-factor")


# Logto does not respond

EXPERIENCE = "/api/.well-known/sign-in-exp"


@pytest.fixture
def proxy(guest: Guest, settings: Any) -> Iterator[Proxy]:
    """Return what stands between the site and the emulator, for a user who has turned off their factor."""
    guest.sign_in()
    guest.add_totp()
    set_skip(guest, True)
    with proxy_to(guest.logto.endpoint) as proxy:
        settings.LOGTO_INTERNAL_ENDPOINT = proxy.url
        cache.clear()
        yield proxy


BROKEN_ANSWERS = [
    (500, {}),
    (404, {"code": "entity.not_found"}),
    (401, {}),
    (200, "<h1>"),
    (200, []),
    (200, {}),
    (200, [1]),
]


@pytest.mark.parametrize("answer", BROKEN_ANSWERS, ids=str)
@pytest.mark.parametrize(
    ("path", "codes"),
    [
        (EXPERIENCE, {"turned_off", "not_offered"}),
        ("/api/my-account/mfa-verifications", {"turned_off", "not_set_up", "not_asked"}),
        ("/api/my-account/mfa-settings", {"not_asked"}),
        ("/api/.well-known/account-center", {"turned_off"}),
    ],
)
def test_page_does_without_an_answer(guest: Guest, proxy: Proxy, path: str, codes: set[str], answer: Any) -> None:
    proxy.answers[f"GET {path}"] = answer
    assert code_of(guest.get(ASKED)) in codes


def test_sign_in_is_tried_if_the_reason_is_unknown(guest: Guest, proxy: Proxy) -> None:
    for name in ("mfa-verifications", "mfa-settings"):
        proxy.answers[f"GET /api/my-account/{name}"] = (500, {})
    assert urlsplit(guest.go(TO_VAULT)).path == "/oidc/auth"


def test_page_leads_to_the_set_up_if_the_factors_are_unknown(guest: Guest, settings: Any) -> None:
    settings.LOGTO_SCOPES = [each for each in settings.LOGTO_SCOPES if each != "identities"]
    page = guest.get(guest.travel("/vault/")["Location"])
    assert code_of(page) == "not_asked"
    assert 'href="/account/security?next=' in page.text


def test_page_is_shown_during_an_outage(guest: Guest) -> None:
    guest.sign_in()
    cache.clear()
    guest.logto.faults.http["account_api"] = guest.logto.faults.http["management_api"] = HttpFault(drop=True)
    assert code_of(guest.get(ASKED)) == "not_asked"


def test_unreachable_metadata_gives_the_error_page(guest: Guest) -> None:
    guest.sign_in()
    guest.add_totp()
    reset_clients()
    guest.logto.faults.http["discovery"] = HttpFault(drop=True)
    response = guest.get(f"{TO_VAULT}&step=again")
    assert response.status_code == 503
    assert "/sign-in?next=/second-factor%3Fnext%3D/vault/" in response.text


def test_session_without_scope_identities_asks_logto_nothing(guest: Guest, settings: Any) -> None:
    settings.LOGTO_SCOPES = ["openid", "offline_access", "profile"]
    guest.sign_in()
    guest.logto.requests.clear()
    assert urlsplit(guest.go(TO_VAULT)).path == "/oidc/auth"
    assert calls_of(guest.logto) == []


@pytest.mark.parametrize("step", ["", "&step=asked", "&step=again"])
def test_site_without_the_setting_has_no_page(guest: Guest, settings: Any, step: str) -> None:
    guest.sign_in()
    settings.LOGTO_SECOND_FACTOR = False
    assert guest.get(TO_VAULT + step).status_code == 404
